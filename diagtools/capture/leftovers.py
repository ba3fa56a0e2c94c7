"""The processes of a recording, and their end when nobody else can end them.

They are found through the timeline, and through the variable that every one of them inherits: the sampler had no
time to see the youngest.  A program that hides its environment (setproctitle) is found by its record alone.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from diagtools.probes import boot, procfs, records
from diagtools.probes.writer import CURRENT, HISTORY, WAITING

_ROUNDS = 100
_PAUSE_S = 0.01
_KIND_AT = 4
_HAS_PROC = Path("/proc/self/stat").exists()


def pids(folder: Path) -> frozenset[int]:
    """Which processes does the timeline of this run know?"""
    return frozenset(record.pid for record in _records(folder, records.PROCESS))


def ended_ns(folder: Path, pid: int) -> int | None:
    """When was this process of the run first seen to have ended, on the recording's clock?  Null where it was not."""
    return next((record.t_ns for record in _records(folder, records.EXIT) if record.pid == pid), None)


def end(folder: Path) -> int:
    """Kills those processes of the run that still live; returns how many.

    A pid is a process only together with its start time, so that nobody else's is ever hit.
    """
    killed: set[tuple[int, int]] = set()
    recorded = {(record.pid, record.payload[1]) for record in _records(folder, records.PROCESS)}
    for _ in range(_ROUNDS):  # what starts more processes meanwhile loses this race in the end
        found = {process for process in recorded | _marked(folder) if _lives(*process)}
        for pid, _ticks in found:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        killed |= found
        if not found:
            break
        time.sleep(_PAUSE_S)
    return len(killed)


def start_ticks(pid: int) -> int:
    """When did the process start, in 1/100 s?  With the pid this names it.  Raises ``OSError`` where it has ended."""
    if _HAS_PROC:
        if procfs.has_ended(pid):
            raise ProcessLookupError(pid)
        return procfs.start_ticks(pid)
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            raise ProcessLookupError(pid)
        return int(process.create_time() * 100)
    except psutil.Error as error:
        raise ProcessLookupError(pid) from error


def _lives(pid: int, ticks: int) -> bool:
    with contextlib.suppress(OSError, ValueError, IndexError):
        return start_ticks(pid) == ticks
    return False


def _marked(folder: Path) -> set[tuple[int, int]]:
    """Which processes carry the name of this run in their environment?  Pairs of pid and start ticks."""
    wanted = os.fsencode(f"{boot.RUN_VARIABLE}={folder}")
    found: set[tuple[int, int]] = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            if wanted in (process / "environ").read_bytes().split(b"\0"):
                found.add((int(process.name), start_ticks(int(process.name))))
    return found


def _records(folder: Path, kind: int) -> Iterator[records.Record]:
    """The whole records of one kind.  A history that is not there, or not any more, holds none."""
    for name in (HISTORY, WAITING, CURRENT):
        try:
            data = (folder / name).read_bytes()
        except OSError:
            continue
        kinds = data[_KIND_AT :: records.SIZE]
        at = kinds.find(kind)
        while at >= 0:
            raw = data[at * records.SIZE : (at + 1) * records.SIZE]
            if len(raw) == records.SIZE and records.is_whole(raw):
                yield records.unpack(raw)
            at = kinds.find(kind, at + 1)
