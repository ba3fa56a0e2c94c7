"""What a command and the processes that it starts cost: time, CPU and the most memory at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import descendants, running, wait

_EVERY_S = 0.01
_LOOKS_PER_SEARCH = 5  # for new processes, which takes a walk over all of /proc


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """``cpu_s`` is that of all processes that were waited for, ``peak_bytes`` the sum of their RSS at a time."""

    wall_s: float
    cpu_s: float
    peak_bytes: int


class FailedError(RuntimeError):
    """A command that was to be measured did not do its work."""


def footprint(argv: Sequence[str], output: Path) -> Footprint:
    """What does this command cost?  What it prints is in ``output``.  Raises ``FailedError``."""
    began = time.perf_counter()
    with running(argv, output=output) as process:
        watch = _Watch(process.pid)
        watch.start()
        ended = wait(process)
        wall_s = time.perf_counter() - began
        watch.stop()
    if ended.exit_status:
        said = output.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["nothing said"]
        raise FailedError(f"{Path(argv[0]).name} … exited with {ended.exit_status}: {said[-1]}")
    return Footprint(wall_s=wall_s, cpu_s=ended.cpu_s, peak_bytes=watch.peak_bytes)


class _Watch(threading.Thread):
    """Adds up the RSS of a process and its descendants, a hundred times a second.

    A peak of one process between two looks is not lost either: the kernel notes it (VmHWM).  ``ru_maxrss`` would not
    do: it begins with the RSS of whoever started the process, and knows no sums.  A fork that has not become another
    program yet has the pages of its parent, which are not counted twice.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self._pid = pid
        self._is_over = threading.Event()

    def run(self) -> None:
        """Looks until it is told that the process is gone."""
        n_looks, pids = 0, [self._pid]
        while not self._is_over.wait(_EVERY_S if n_looks else 0):
            if n_looks % _LOOKS_PER_SEARCH == 0:
                pids = _programs(self._pid)
            n_looks += 1
            sizes = [_sizes(pid) for pid in pids]
            peaks = [peak for peak, _ in sizes]
            self.peak_bytes = max(self.peak_bytes, *peaks, sum(now for _, now in sizes))

    def stop(self) -> None:
        """Ends it, when the process was waited for."""
        self._is_over.set()
        self.join()


def _programs(pid: int) -> list[int]:
    """The process, and those below it that run another command."""
    command = _command(pid)
    return [pid, *(below for below in descendants(pid)[1:] if _command(below) != command)]


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _sizes(pid: int) -> tuple[int, int]:
    """The most RSS that a process had, and what it has; zeros where it is gone."""
    with suppress(OSError, ValueError):
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
        peak, now = (text.partition(f"{name}:")[2].split(None, 1) for name in ("VmHWM", "VmRSS"))
        if peak and now:
            return int(peak[0]) * 1024, int(now[0]) * 1024
    return 0, 0
