"""The processes of a recording, found through its timeline, and their end when nobody else can end them."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from diagtools.probes import procfs, records
from diagtools.probes.writer import CURRENT


def pids(folder: Path) -> frozenset[int]:
    """Which processes does the timeline of this run know?"""
    return frozenset(record.pid for record in _records(folder) if record.kind == records.PROCESS)


def end(folder: Path) -> int:
    """Kills those processes of the run that still live; returns how many.

    A pid is a process only together with its start time, so that nobody else's is ever hit.
    """
    living: dict[int, int] = {}
    for record in _records(folder):
        if record.kind == records.PROCESS:
            living[record.pid] = record.payload[1]
        elif record.kind == records.EXIT:
            living.pop(record.pid, None)
    n_killed = 0
    for pid, ticks in living.items():
        with contextlib.suppress(OSError, ValueError, IndexError):
            if procfs.start_ticks(pid) == ticks:
                os.kill(pid, signal.SIGKILL)
                n_killed += 1
    return n_killed


def _records(folder: Path) -> Iterator[records.Record]:
    with (folder / CURRENT).open("rb") as file:
        while len(raw := file.read(records.SIZE)) == records.SIZE:
            if records.is_whole(raw):
                yield records.unpack(raw)
