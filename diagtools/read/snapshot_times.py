"""``snapshots.notes``: when did each process stand still for a snapshot of itself?

The lines are as ``probes.tracker_notes`` tells of them.  Only those of the kind ``taken`` are read here: their text is
``<instrument>: <index> <duration_ns>``, and their time is the end of the snapshot.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from diagtools.frames import SNAPSHOT_TIMES
from diagtools.probes import moments
from diagtools.read.artefact import read_artefact

_MOST_BYTES = 64 << 20
_NS = 1e9
_TAKEN = re.compile(
    rb"(?P<body>(?P<t_ns>[0-9]{1,18})\t(?P<pid>[0-9]{1,9})\ttaken\t[^\t]*\t"
    rb"(?P<instrument>[a-z]{1,20}): (?P<index>[0-9]{1,9}) (?P<duration_ns>[0-9]{1,18}))\t(?P<crc>[0-9a-f]{8})"
)


def read_snapshot_times(folder: Path, start_ns: int) -> pl.DataFrame:
    """When were the snapshots of this run taken?  SNAPSHOT_TIMES in order of time.

    ``start_ns`` is CLOCK_MONOTONIC at the zero of the run.  A line that is not whole is left out; there is no row where
    there are no such notes (runs of older versions).  Raises ``DamagedError`` for a file that is not read.
    """
    rows = [*_taken(read_artefact(folder, moments.NOTES, max_bytes=_MOST_BYTES) or b"", start_ns)]
    found = pl.DataFrame(rows, schema=SNAPSHOT_TIMES.columns, orient="row")
    return SNAPSHOT_TIMES.check(found.sort("begin_s", "pid", "index", maintain_order=True))


def _taken(data: bytes, start_ns: int) -> Iterator[tuple[int, str, int, float, float]]:
    for note in map(_TAKEN.fullmatch, data.split(b"\n")):
        if note is None or note["crc"] != b"%08x" % zlib.crc32(note["body"]):
            continue
        end_ns = int(note["t_ns"]) - start_ns
        begin_ns = end_ns - int(note["duration_ns"])
        name = note["instrument"].decode("ascii")
        yield int(note["pid"]), name, int(note["index"]), begin_ns / _NS, end_ns / _NS
