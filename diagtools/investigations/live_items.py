"""What has a command done so far, by the files that its recording is still writing?

Standard library only, and nothing of the frames: this runs inside the recorder.  Both files are read from where they
were last left, whole lines and whole records only.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from diagtools import mark
from diagtools.probes import records
from diagtools.read.artefact import open_artefact
from diagtools.read.marker_log import Marker, parse_log

_TIMELINE = "timeline.bin"
_MOST_AT_ONCE = 4 << 20  #: bytes of one file in one look
_MOST_LEVELS = 400
_FIRST_STRETCH_NS = 100_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """How much memory all processes together held at a moment, as a limit counts it, and what each one's RSS was."""

    t_ns: int
    used_bytes: int
    rss_bytes: Mapping[int, int] = field(default_factory=dict, compare=False)


@dataclass(slots=True, kw_only=True)
class Begun:
    """An item in flight; ``read_bytes`` is what was held as it began (see ``Ended``)."""

    features: dict[str, float]
    read_bytes: int | None
    peak_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """An item that has ended.

    ``peak_bytes`` is the highest memory of all processes while it ran, null where nobody looked then; ``read_bytes``
    the higher of what they held at its begin and its end: its own process by its markers, the others by the sample
    before.  Null where no marker read it.
    """

    end_ns: int
    peak_bytes: int | None
    read_bytes: int | None
    features: dict[str, float]


@dataclass(slots=True)
class Tail:
    """A file that grows: its new bytes since the last look."""

    folder: Path
    name: str
    offset: int = 0
    inode: int = 0

    def read(self) -> bytes:
        """The bytes that came since the last look, at most 4 MiB of them; a new file of the name is begun anew."""
        file = open_artefact(self.folder, self.name)
        if file is None:
            return b""
        with file:
            inode = os.fstat(file.fileno()).st_ino
            if inode != self.inode:
                self.inode, self.offset = inode, 0
            file.seek(self.offset)
            return file.read(_MOST_AT_ONCE)


@dataclass(slots=True)
class Levels:
    """The highest memory of equal stretches of time, of which there are never more than 400: then two become one."""

    stretch_ns: int = _FIRST_STRETCH_NS
    begin_ns: int | None = None
    highest: list[int | None] = field(default_factory=list)

    def add(self, tick: Tick) -> None:
        """Take in one moment."""
        if self.begin_ns is None:
            self.begin_ns = tick.t_ns
        at = (tick.t_ns - self.begin_ns) // self.stretch_ns
        while at >= _MOST_LEVELS:
            self._halve()
            at = (tick.t_ns - self.begin_ns) // self.stretch_ns
        if at < 0:
            return
        self.highest += [None] * (at + 1 - len(self.highest))
        self.highest[at] = max(self.highest[at] or 0, tick.used_bytes)

    def _halve(self) -> None:
        self.stretch_ns *= 2
        pairs = (self.highest[at : at + 2] for at in range(0, len(self.highest), 2))
        known = ([level for level in pair if level is not None] for pair in pairs)
        self.highest = [max(pair) if pair else None for pair in known]


@dataclass(slots=True)
class Progress:
    """What is known of a command that runs: its items, what it said is to come, and the memory of its processes.

    The number of items and the sums of their features are what a phase or an event says of the whole job, as
    ``diagtools.mark`` describes it: ``n_items``, ``total_F`` and ``largest_F``.
    """

    folder: Path
    ended: list[Ended] = field(default_factory=list)
    levels: Levels = field(default_factory=Levels)
    job: dict[str, float] = field(default_factory=dict)
    last: Tick | None = None
    _begun: dict[tuple[int, int], Begun] = field(default_factory=dict)
    _waiting: list[Marker] = field(default_factory=list)
    _held: dict[int, tuple[int, int]] = field(default_factory=dict)
    _markers: Tail | None = None
    _samples: Tail | None = None

    @property
    def has_items(self) -> bool:
        """Has any item begun?"""
        return bool(self.ended or self._begun)

    def look(self) -> None:
        """Read what came since the last look.  Raises ``OSError`` and ``DamagedError``."""
        ticks = list(self._ticks())
        until_ns = ticks[-1].t_ns if ticks else -1
        self._waiting += self._new_markers()
        ready = [one for one in self._waiting if one.t_ns <= until_ns]
        self._waiting = [one for one in self._waiting if one.t_ns > until_ns]  # their memory is not known yet
        told: list[Tick | Marker] = [*ticks, *ready]
        for one in sorted(told, key=lambda one: one.t_ns):
            if isinstance(one, Tick):
                self._tick(one)
            else:
                self._mark(one)

    def _new_markers(self) -> tuple[Marker, ...]:
        self._markers = self._markers or Tail(self.folder, mark.LOG_NAME)
        data = self._markers.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._markers.offset += len(whole)
        return parse_log(whole).markers

    def _ticks(self) -> Iterator[Tick]:
        """The moments that came since the last look: records of one time, summed as a limit sums them."""
        self._samples = self._samples or Tail(self.folder, _TIMELINE)
        data = self._samples.read()
        n_whole = len(data) // records.SIZE
        self._samples.offset += n_whole * records.SIZE
        t_ns: int | None = None
        for at in range(n_whole):
            record = data[at * records.SIZE : (at + 1) * records.SIZE]
            if not records.is_whole(record):
                continue
            one = records.unpack(record)
            if one.kind == records.SAMPLE and one.t_ns != t_ns:
                yield from self._summed(t_ns)
                t_ns = one.t_ns
            self._take(one)
        yield from self._summed(t_ns)

    def _take(self, one: records.Record) -> None:
        if one.kind == records.SAMPLE and one.payload[0]:
            rss, shared = one.payload[0], one.payload[1]
            self._held[one.pid] = (max(rss - shared, 0), shared)
        elif one.kind == records.EXIT:
            self._held.pop(one.pid, None)

    def _summed(self, t_ns: int | None) -> Iterator[Tick]:
        held = self._held.values()
        if t_ns is not None and held:
            used = sum(anon for anon, _ in held) + max(shared for _, shared in held)
            rss = {pid: anon + shared for pid, (anon, shared) in self._held.items()}
            yield Tick(t_ns=t_ns, used_bytes=used, rss_bytes=rss)

    def _tick(self, tick: Tick) -> None:
        self.last = tick
        self.levels.add(tick)
        for item in self._begun.values():
            item.peak_bytes = max(item.peak_bytes or 0, tick.used_bytes)

    def _mark(self, one: Marker) -> None:
        given = dict(one.features or ())
        if one.kind in ("phase", "event"):
            self.job |= {name: value for name, value in given.items() if _is_of_the_job(name)}
            return
        if one.kind != "item":
            return
        key = (one.pid, one.index)
        if one.edge == "begin":
            self._begun[key] = Begun(features=given, read_bytes=self._read(one))
        elif key in self._begun:
            item = self._begun[key]
            item.features |= given
            if one.edge == "end":
                del self._begun[key]
                self.ended.append(_ended(one.t_ns, item, self._read(one)))

    def _read(self, one: Marker) -> int | None:
        """What did all processes hold when this marker read the RSS of its own?"""
        before = self.last.rss_bytes.get(one.pid) if self.last else None
        if self.last is None or before is None or one.rss_bytes is None:
            return None
        return self.last.used_bytes + one.rss_bytes - before


def _ended(end_ns: int, item: Begun, read_bytes: int | None) -> Ended:
    read = max((one for one in (item.read_bytes, read_bytes) if one is not None), default=None)
    return Ended(end_ns=end_ns, peak_bytes=item.peak_bytes, read_bytes=read, features=item.features)


def _is_of_the_job(name: str) -> bool:
    return name == "n_items" or name.startswith(("total_", "largest_"))
