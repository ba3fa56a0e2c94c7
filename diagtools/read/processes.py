"""Which processes did the tree have, from when until when, and how did each end?"""

from __future__ import annotations

import struct

import polars as pl

from diagtools import frames
from diagtools.probes import records
from diagtools.read.artefact import name_of

_COLUMNS = tuple(frames.PROCESSES.columns)


def processes_of(rows: pl.DataFrame) -> pl.DataFrame:
    """Which processes do these records (in order of time) name?  A PROCESSES frame.

    A pid that is used again has a row for each process.  A process that ended before it was seen alive has
    null for all that only the living tell.
    """
    found: list[list[object]] = []
    latest: dict[int, list[object]] = {}
    ticks_of: dict[int, int] = {}
    wanted = rows.filter(pl.col("kind").is_in([records.PROCESS, records.EXIT]))
    for kind, t_s, pid, p0, p1, *name in wanted.select(
        "kind", "t_s", "pid", "p0", "p1", "p2", "p3", "p4"
    ).rows():
        if kind == records.PROCESS:
            if ticks_of.get(pid) == p1:
                continue
            ticks_of[pid] = p1
            latest[pid] = [pid, _known(p0), _name(name), t_s, None, None]
            found.append(latest[pid])
        else:
            if pid not in latest:
                latest[pid] = [pid, None, None, None, None, None]
                found.append(latest[pid])
            _end(latest[pid], t_s, _known(p0))
    return frames.PROCESSES.from_columns(
        {name: [row[at] for row in found] for at, name in enumerate(_COLUMNS)}
    )


def _end(row: list[object], t_s: float, exit_status: int | None) -> None:
    """The first EXIT tells when; the one whose status somebody collected tells how."""
    if row[4] is None:
        row[4] = t_s
    if row[5] is None:
        row[5] = exit_status


def _known(value: int) -> int | None:
    return value if value < 2**63 else None


def _name(words: list[int]) -> str:
    return name_of(struct.pack("<3Q", *words).rstrip(b"\0"))
