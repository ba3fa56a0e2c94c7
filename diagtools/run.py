"""One recorded execution: a folder, its frames read when they are first asked for, and what they say together."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import polars as pl

from diagtools.analyse.death import death
from diagtools.analyse.imports import attribute
from diagtools.analyse.items import item_in_flight, items, phases
from diagtools.analyse.ledger import ledger
from diagtools.analyse.levels import levels
from diagtools.analyse.limits import limit_noted
from diagtools.analyse.logs import last_lines
from diagtools.analyse.snapshot_times import Undisturbed, undisturbed
from diagtools.analyse.tree import FINAL_S, peak_bytes, tree_memory, tree_validity
from diagtools.capture import snapshots, tracked
from diagtools.capture.applied import applied
from diagtools.capture.twice import TRACKED
from diagtools.errors import DiagtoolsError, NoDataError
from diagtools.frames import SNAPSHOT_TIMES, ObjectGraph
from diagtools.probes import tracker_notes
from diagtools.profile import Profile, View
from diagtools.read.artefact import find_artefact
from diagtools.read.checksums import changed
from diagtools.read.graph_heads import GraphHead, graph_heads
from diagtools.read.imports import read_imports
from diagtools.read.laziness import read_made_lazy
from diagtools.read.ledger import LedgerFiles, read_ledgers
from diagtools.read.logs import Logs, read_logs
from diagtools.read.manifest import NAME as MANIFEST
from diagtools.read.manifest import read_manifest
from diagtools.read.markers import Markers, read_markers
from diagtools.read.no_items import no_items
from diagtools.read.object_graph import read_object_graph
from diagtools.read.profiles.recorded import Recorded, has_captures, read_recorded
from diagtools.read.snapshot_times import read_snapshot_times
from diagtools.read.test_session import TestSession, read_test_session
from diagtools.read.timeline import Timeline, nothing_recorded, read_timeline
from diagtools.read.trust import NOT_CLOSED
from diagtools.units import format_bytes, format_seconds
from diagtools.values import Applied, Death, Ending, Limit, Manifest, State, Tool, Tracking, Validity

_NEVER_COMPLETED = (
    "never completed, its recorder was killed or the disk was full: checksums, git revision and the kernel's log "
    "are unknown"
)


class Run:
    """One recorded execution.  Frames are as declared in ``frames``; ``validity`` says how far to trust them.

    A run opens whatever was killed while it was recorded: what is missing is null or an empty frame and is
    named in ``validity``.
    """

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest

    @classmethod
    def open(cls, path: Path | str) -> Run:
        """Which run lies in this folder?  Raises ``NotARunError`` where none does, or one of a newer format."""
        folder = Path(path)
        return cls(folder, read_manifest(folder))

    # --- what was recorded ---------------------------------------------------------------------------

    @property
    def timeline(self) -> pl.DataFrame:
        """What did each process use, and when?  TIMELINE; raises ``NoDataError`` where no memory was sampled."""
        if self._recorded.samples.is_empty():
            raise NoDataError(
                f"No memory samples in '{self.path.name}': {'; '.join(v.note for v in self._recorded.validity)}.",
                hint="record a command that runs longer, or more often a second: `diagtools record --hz 1000 -- …`.",
            )
        return self._recorded.samples

    @property
    def system(self) -> pl.DataFrame:
        """What did the machine and the whole tree use, ten times a second?  SYSTEM."""
        return self._recorded.system

    @property
    def processes(self) -> pl.DataFrame:
        """Which processes did the tree have?  PROCESSES."""
        return self._recorded.processes

    @property
    def events(self) -> pl.DataFrame:
        """What did the recorder do and notice?  EVENTS."""
        return self._recorded.events

    @property
    def markers(self) -> pl.DataFrame:
        """What did the program say of its own work?  MARKERS."""
        return self._marked.frame

    @property
    def logs(self) -> pl.DataFrame:
        """What did the program print?  LOGS."""
        return self._logged.frame

    @cached_property
    def imports(self) -> pl.DataFrame:
        """What did its process that imports most import, at what cost?  IMPORTS.

        Raises ``NoDataError`` where imports were not recorded.
        """
        found = [attribute(log.events) for log in read_imports(self.path)]
        return max(found, key=lambda imports: int(imports["self_anon_bytes"].sum()))

    @cached_property
    def test_session(self) -> TestSession:
        """What did each test, fixture and file cost (``pytest --diag``)?

        Raises ``NoDataError`` where no test session was recorded, ``DamagedError`` for a log of a newer format.
        """
        samples = self._recorded.samples
        return read_test_session(self.path, self._zero_ns, timeline=samples, processes=self.processes)

    @cached_property
    def tracked(self) -> Run | None:
        """The same command recorded a second time, under a tracker (``record --twice``); null where it was not."""
        folder = self.path / TRACKED
        return Run.open(folder) if (folder / MANIFEST).is_file() and not folder.is_symlink() else None

    @cached_property
    def allocations(self) -> Profile:
        """What did its processes hold at their peaks?  Of all of them, with the process of each allocation.

        Raises ``NoDataError`` where allocations were not recorded, ``DamagedError`` where they cannot be read.
        """
        return self.profile()

    def profile(self, view: View | None = None, *, over_time: bool = False) -> Profile:
        """What did its processes hold at their peaks, or in another view of what the tracker recorded?

        ``over_time`` adds when each allocation lived (LIFETIMES, on this run's clock).  Where the command ran twice,
        the tracked run is read.  Raises as ``allocations``, and ``UsageError`` for a view that was not recorded.
        """
        if self.tracked is not None and not has_captures(self.path):
            return self.tracked.profile(view, over_time=over_time)
        recorded = Recorded(
            folder=self.path,
            start_ns=self.manifest.start_ns,
            wall_ns=self.manifest.wall_ns,
            artefacts=self.manifest.artefacts,
        )
        return read_recorded(recorded, view=view, over_time=over_time)

    @cached_property
    def ledger_files(self) -> LedgerFiles:
        """What did the snapshots of its processes find?  Raises ``DamagedError`` where none can be read."""
        return read_ledgers(self.path, self._zero_ns)

    @cached_property
    def ledger(self) -> pl.DataFrame:
        """What did the memory of its processes consist of, at each snapshot?  LEDGER.

        Raises ``NoDataError`` where no snapshot was taken, ``DamagedError`` where none can be read.
        """
        files = self.ledger_files
        return ledger(files.snapshots, files.mappings, files.claims, files.pools)

    @cached_property
    def snapshot_times(self) -> pl.DataFrame:
        """When did its processes stand still for a snapshot?  SNAPSHOT_TIMES; empty where nobody noted it."""
        with contextlib.suppress(DiagtoolsError):  # a link out of the folder is not read
            return read_snapshot_times(self.path, self._zero_ns)
        return SNAPSHOT_TIMES.empty()

    @cached_property
    def object_snapshots(self) -> list[GraphHead]:
        """Which snapshots of objects were taken, and how much did the process hold then?  In order of time."""
        known = levels(self._recorded.samples, self.markers)
        return [
            dataclasses.replace(one, rss_bytes=known[one.pid].at(one.t_s)) if one.pid in known else one
            for one in self._graph_heads[0]
        ]

    def object_graph(self, snapshot: GraphHead) -> ObjectGraph:
        """All objects of one snapshot, and what refers to what.  Raises ``DamagedError``."""
        return read_object_graph(snapshot.path, self._zero_ns)

    @cached_property
    def _graph_heads(self) -> tuple[list[GraphHead], tuple[Validity, ...]]:
        return graph_heads(self.path, self._zero_ns)

    @property
    def _zero_ns(self) -> int:
        return self.manifest.start_ns or self._recorded.start_ns or 0

    # --- what it says --------------------------------------------------------------------------------

    @cached_property
    def tree(self) -> pl.DataFrame:
        """How much memory did the whole tree hold?  TREE."""
        return tree_memory(self._recorded.samples)

    @cached_property
    def undisturbed(self) -> Undisturbed:
        """What did the program itself hold, without the snapshots that were taken of it?"""
        return undisturbed(self._recorded.samples, self.markers, self.snapshot_times)

    @cached_property
    def items(self) -> pl.DataFrame:
        """What did each item of work do to memory?  ITEMS; what snapshots took is not the items'."""
        return items(
            self.undisturbed.markers,
            self.undisturbed.timeline,
            processes=self.processes,
            lossy=self._marked.lossy,
            end_s=self._end_s,
        )

    @cached_property
    def phases(self) -> pl.DataFrame:
        """What did each phase of work do to memory?  PHASES, as for ``items``."""
        known = self.undisturbed
        return phases(known.markers, known.timeline, processes=self.processes, end_s=self._end_s)

    @cached_property
    def death(self) -> Death | None:
        """Why did the run end before its time?  Null where it did not."""
        return death(
            exit_status=self.exit_status,
            events=self.events,
            limit=self.limit,
            tree=self.tree,
            system=self.system,
            logs=self.logs,
            kernel_log=self.manifest.kernel_log,
            end_s=self._end_s,
        )

    @property
    def item_in_flight(self) -> str | None:
        """Which item was being worked on when the run ended?  Null where it ended well (status 0)."""
        return None if self.exit_status == 0 else item_in_flight(self.items)

    @cached_property
    def changes(self) -> tuple[Applied, ...]:
        """What was changed about the program's world, and did each change come to anything?"""
        if not self.manifest.changes:
            return ()
        is_seen = "boot" in self.markers["kind"]
        lazy = read_made_lazy(self.path)
        return applied(self.manifest.changes, self.path, made_lazy=lazy, is_seen=is_seen)

    @cached_property
    def peak_rss_bytes(self) -> int | None:
        """What is the most memory (RSS) that the tree is known to have held?  Null where it was never sampled."""
        return peak_bytes(self._recorded.samples, self.tree, attached=self.is_attached)

    @property
    def peak_is_bound(self) -> bool:
        """Is the peak only the highest of what is left of the timeline, or of what was written so far?"""
        return any(one.state is State.TRUNCATED for one in self._recorded.validity)

    @property
    def is_attached(self) -> bool:
        """Did the process run before the recording did?"""
        return "attached" in self.events["kind"]

    @cached_property
    def final_rss_bytes(self) -> int | None:
        """What did the tree hold at its end?  A dying one gives memory back piece by piece: the highest of 0.5 s."""
        last = self.tree.filter(pl.col("t_s") >= pl.col("t_s").max() - FINAL_S)["rss_bytes"]
        return None if last.is_empty() else max(last)

    @cached_property
    def exit_status(self) -> int | None:
        """How did the target end: its status, 128 + signal for a killed one, null if nobody saw it?"""
        seen = (_first(self.events, "ended"), self.manifest.exit_status, self._root("exit_status"))
        return next((int(status) for status in seen if status is not None), None)

    @property
    def ending(self) -> Ending:
        """What became of the program, also where nobody saw its exit status?"""
        if "stopped" in self.events["kind"]:
            return Ending.WENT_ON
        return Ending.ENDED if self._recorded.closed else Ending.UNKNOWN

    @cached_property
    def duration_s(self) -> float | None:
        """How long did the target run, to the nanosecond of a record?  Null where nothing was recorded."""
        return None if self._ended_s is None else round(self._ended_s, 9)

    @cached_property
    def limit(self) -> Limit | None:
        """Which memory limit was set, and who enforced it?  Null where none is known, ``run.json`` or not."""
        return self.manifest.limit or limit_noted(self.events)

    @property
    def limit_bytes(self) -> int | None:
        """Under which memory limit did the tree run?  Null where there was none."""
        return self.limit.memory_bytes if self.limit else None

    @cached_property
    def validity(self) -> tuple[Validity, ...]:
        """How far can the figures of this run be trusted?  Empty where nothing is to be said."""
        parts = (self.manifest, self._recorded, self._marked, self._logged)
        said = [validity for part in parts for validity in part.validity]
        missing = no_items(self.path, self.manifest.items)
        said += [missing] if missing else []
        known = [
            *self._half_closed(),
            *self._contradicted(),
            *said,
            *self._half_tracked(),
            *self._half_snapped(),
            *self._graph_heads[1],
            *self.verify(),
            *tree_validity(self.tree),
        ]
        return tuple(one for one in dict.fromkeys(known) if not self._is_said_better(one))

    def _half_closed(self) -> Iterable[Validity]:
        """The timeline has its end, ``run.json`` has not: its recorder was killed, or its disk was full."""
        was_begun = bool(self.manifest.argv)
        if was_begun and self.manifest.state == "recording" and self._recorded.closed:
            yield Validity(what=MANIFEST, state=State.TRUNCATED, note=_NEVER_COMPLETED)

    def _half_tracked(self) -> Iterable[Validity]:
        """What its trackers noted themselves, where nobody closed ``run.json`` and wrote it there."""
        tool = self.manifest.tracking.get("tool")
        if self.manifest.state == "recording" and tool in set(Tool):
            aggregated = "aggregated" in self.manifest.tracking
            tracking = Tracking(tool=Tool(tool), aggregated=aggregated and tool == Tool.MEMRAY)
            with contextlib.suppress(DiagtoolsError):  # a link out of the folder is not read
                find_artefact(self.path, tracker_notes.NAME)
                yield from tracked.validity(tracked.read_notes(self.path), tracking)

    def _half_snapped(self) -> Iterable[Validity]:
        """The same of the snapshots of ledger and objects."""
        if self.manifest.state == "recording" and self.manifest.snapshots:
            yield from snapshots.validity(self.path, self.manifest.snapshots)

    def _contradicted(self) -> Iterable[Validity]:
        told, seen = self.manifest.exit_status, _first(self.events, "ended")
        if told is not None and seen is not None and told != seen:
            note = f"it names the exit status {told}, the timeline {seen:.0f}"
            yield Validity(what=MANIFEST, state=State.TRUNCATED, note=note)

    def _is_said_better(self, doubt: Validity) -> bool:
        """A recorder that closed ``run.json`` wrote there why the timeline has no end."""
        written = [one.what for one in self.manifest.validity if one.state is State.TRUNCATED]
        return doubt.note == NOT_CLOSED and self.manifest.state == "finished" and doubt.what in written

    def last_log_lines(self, n: int = 5) -> list[str]:
        """What did the program print last?  At most ``n`` lines of both streams, redacted."""
        return last_lines(self.logs, n)

    def verify(self) -> tuple[Validity, ...]:
        """Which artefacts are not what they were when the run was closed?  Empty where all are."""
        found = ((name, changed(self.path, name, known)) for name, known in self.manifest.artefacts.items())
        return tuple(Validity(what=name, state=State.TRUNCATED, note=note) for name, note in found if note)

    def __repr__(self) -> str:
        try:
            return f"Run {self.path.name!r}: {', '.join(self._facts())}"
        except DiagtoolsError as error:
            return f"Run {self.path.name!r}: {error}"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": repr(self)}

    def _facts(self) -> Iterable[str]:
        yield "exit status unknown" if self.exit_status is None else f"exit status {self.exit_status}"
        if self.duration_s is not None:
            yield f"after {format_seconds(self.duration_s)}"
        if self.peak_rss_bytes is not None:
            limit = f" (limit {format_bytes(self.limit_bytes)})" if self.limit_bytes else ""
            least = "at least " if self.peak_is_bound else ""
            yield f"peak RSS {least}{format_bytes(self.peak_rss_bytes)}{limit}"
        if self.item_in_flight is not None:
            yield f"in {self.item_in_flight!r}"

    # --- read once -----------------------------------------------------------------------------------

    @cached_property
    def _recorded(self) -> Timeline:
        try:
            return read_timeline(self.path, self.manifest)
        except DiagtoolsError as error:
            return nothing_recorded(error.message, self.manifest)

    @cached_property
    def _marked(self) -> Markers:
        return read_markers(self.path, self._recorded.start_ns)

    @cached_property
    def _logged(self) -> Logs:
        return read_logs(self.path, self._recorded.output)

    @property
    def _end_s(self) -> float:
        return self._ended_s or 0.0

    @cached_property
    def _ended_s(self) -> float | None:
        seen = (self._root("ended_s"), self.manifest.duration_s, self._last_seen_s)
        return next((seconds for seconds in seen if seconds is not None), None)

    @property
    def _last_seen_s(self) -> float | None:
        seen = (self._recorded.samples, self.system, self.events, self.markers)
        times = [time for frame in seen if (time := frame.select(pl.col("t_s").max()).item()) is not None]
        return max(times, default=None)

    @property
    def root_pid(self) -> int | None:
        """Which process is the command itself?  Null where nothing was recorded."""
        return self._recorded.root_pid

    def _root(self, column: str) -> float | None:
        if self.root_pid is None:
            return None
        root = self.processes.filter(pl.col("pid") == self.root_pid)[column]
        return None if root.is_empty() else root[0]


def _first(events: pl.DataFrame, kind: str) -> int | None:
    values = events.filter(pl.col("kind") == kind)["value"]
    return None if values.is_empty() else values[0]
