"""``timeline.bin``: what did every process of the tree use, and when?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from diagtools import frames
from diagtools.probes import records
from diagtools.read.processes import processes_of
from diagtools.read.recording import read_recording
from diagtools.read.trust import trust_in_timeline
from diagtools.values import Manifest, State, Validity

_HALF_UNKNOWN = 0xFFFF_FFFF
_EVENT_NAMES = dict(enumerate(records.EVENTS))
#: Of all others the second value is a zero that nobody meant.
_EVENTS_WITH_SECOND = ("ended", "closed", "watchdog", "cap", "decimated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """What a recorder saw: frames as declared in ``frames``, and how far they can be trusted.

    ``start_ns`` is CLOCK_MONOTONIC at ``t_s`` = 0 and ``wall_ns`` the time of day then; what no record tells
    is null.  ``closed`` is false where the recorder was killed or still records.
    """

    samples: pl.DataFrame
    system: pl.DataFrame
    processes: pl.DataFrame
    events: pl.DataFrame
    output: pl.DataFrame
    start_ns: int | None
    wall_ns: int | None
    root_pid: int | None
    hz: float | None
    closed: bool
    validity: tuple[Validity, ...]


def read_timeline(folder: Path, manifest: Manifest | None = None) -> Timeline:
    """What did every process of the run in ``folder`` use, and when?

    Reads whole records only and says what is not whole.  ``manifest`` names the zero of time where the
    recording's own header is damaged.  Raises ``NoDataError`` where nothing was recorded, ``DamagedError``
    where the records cannot be placed in time, ``NotARunError`` for a newer layout.
    """
    recording = read_recording(folder, manifest)
    header = recording.header
    rows = recording.rows.with_columns(t_s=(_signed("t_ns") - header.start_ns) / 1e9, pid=_signed("pid"))
    rows = rows.sort("t_ns", "pid", maintain_order=True)
    samples, events = _samples(rows), _events(rows)
    return Timeline(
        samples=samples,
        system=_system(rows),
        processes=processes_of(rows),
        events=events,
        output=_output(rows),
        start_ns=header.start_ns,
        wall_ns=header.wall_ns,
        root_pid=header.root_pid if header.root_pid is not None else _root_of(events),
        hz=header.hz,
        closed="closed" in events["kind"],
        validity=trust_in_timeline(recording, samples, events),
    )


def nothing_recorded(why: str, manifest: Manifest) -> Timeline:
    """What stands for a recording that cannot be read: empty frames, and the reason."""
    return Timeline(
        samples=frames.TIMELINE.empty(),
        system=frames.SYSTEM.empty(),
        processes=frames.PROCESSES.empty(),
        events=frames.EVENTS.empty(),
        output=frames.OUTPUT_GROWTH.empty(),
        start_ns=manifest.start_ns,
        wall_ns=manifest.wall_ns,
        root_pid=None,
        hz=manifest.hz or None,
        closed=False,
        validity=(Validity(what="timeline", state=State.TRUNCATED, note=why.rstrip(".")),),
    )


def _of(rows: pl.DataFrame, kind: int) -> pl.DataFrame:
    return rows.filter(pl.col("kind") == kind)


def _signed(column: str) -> pl.Expr:
    """The same number, and null for UNKNOWN (and anything else above 2⁶³, which nothing measured can be)."""
    return pl.col(column).cast(pl.Int64, strict=False)


def _samples(rows: pl.DataFrame) -> pl.DataFrame:
    """Samples of dying processes have an RSS of 0 and are left out."""
    rss, shared = _signed("p0"), _signed("p1")
    frame = (
        _of(rows, records.SAMPLE)
        .filter(pl.col("p0") != 0)
        .select(
            "t_s",
            "pid",
            rss_bytes=rss,
            shared_bytes=shared,
            # The kernel counts both apart and not at one instant: a difference below zero is zero.
            anon_bytes=(rss - shared).clip(lower_bound=0),
            hwm_bytes=_signed("p2"),
            pss_bytes=_signed("p4"),
            cpu_s=_signed("p3") / 1e6,
        )
    )
    return frames.TIMELINE.check(frame)


def _system(rows: pl.DataFrame) -> pl.DataFrame:
    swap_kib, n_fds = pl.col("p2") % 2**32, pl.col("p2") // 2**32
    frame = _of(rows, records.SYSTEM).select(
        "t_s",
        cgroup_bytes=_signed("p0"),
        available_bytes=_signed("p1"),
        swap_bytes=_half(swap_kib) * 1024,
        psi_some=pl.when(pl.col("small") != records.NO_SMALL).then(pl.col("small") / 10_000),
        n_threads=pl.when(pl.col("pid") > 0).then("pid"),
        n_fds=_half(n_fds),
        read_bytes=_signed("p3"),
        write_bytes=_signed("p4"),
    )
    return frames.SYSTEM.check(frame)


def _half(value: pl.Expr) -> pl.Expr:
    return pl.when(value != _HALF_UNKNOWN).then(value.cast(pl.Int64))


def _events(rows: pl.DataFrame) -> pl.DataFrame:
    names = pl.col("small").replace_strict(_EVENT_NAMES, default="unknown", return_dtype=pl.String)
    second = pl.when(names.is_in(_EVENTS_WITH_SECOND)).then(_signed("p1"))
    frame = _of(rows, records.EVENT).select("t_s", kind=names, pid="pid", value=_signed("p0"), second=second)
    return frames.EVENTS.check(frame)


def _output(rows: pl.DataFrame) -> pl.DataFrame:
    streams = pl.when(pl.col("small") == 1).then(pl.lit("stdout")).otherwise(pl.lit("stderr"))
    frame = (
        _of(rows, records.OUTPUT)
        .filter(pl.col("small").is_in([1, 2]))
        .select("t_s", stream=streams, size_bytes=_signed("p0"))
    )
    return frames.OUTPUT_GROWTH.check(frame)


def _root_of(events: pl.DataFrame) -> int | None:
    begun = events.filter(pl.col("kind").is_in(["started", "attached"]))["pid"]
    return None if begun.is_empty() else int(begun[0])
