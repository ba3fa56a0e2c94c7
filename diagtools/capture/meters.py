"""What the memory of this process is read from: the kernel's high-water mark, a sampling thread, tracemalloc."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
import tracemalloc

from diagtools import mark
from diagtools.capture.gauge import Level, Meter

_STATUS = re.compile(rb"\nVmHWM:\s*([0-9]+) kB\n.*?VmRSS:\s*([0-9]+) kB\n", re.DOTALL)
_STATUS_BYTES = 16384  # a user of a thousand groups has a long Groups: line
_RESET_PEAK = b"5"  # to clear_refs, proc(5)
_PERIOD_S = 0.005
_SAMPLED = (
    "the kernel's mark is not reset here ({}): a peak that is not the highest of the process so far is sampled "
    "every 5 ms by a thread, which misses what happens while C code holds the GIL"
)


def memory_meter() -> Meter:
    """From what is the RSS of this process read?

    Under a recording its mark stays as it is: the sampler reads it ten times a second, and a peak between two of its
    samples would be lost where it is reset in time.
    """
    if mark.recording():
        return SampledPeak("a recording of ours reads it")
    kernel = KernelPeak()
    kernel.reset()
    return kernel if kernel.read() is not None else SampledPeak("that is not allowed")


class KernelPeak:
    """RSS and its high-water mark from the kernel, which resets it on request (Linux, 4.0 on)."""

    note = ""

    def __init__(self) -> None:
        self.can_reset = True

    def read(self) -> Level | None:
        """The level; null once a reset has failed, for then the peak may be an older one."""
        return _kernel_level() if self.can_reset else None

    def reset(self) -> None:
        """Has the kernel begin a new mark."""
        # Between the reading before and this, other threads have some microseconds for a peak that nobody sees.
        try:
            _write("/proc/self/clear_refs", _RESET_PEAK)  # opened each time: a kept one would be the parent's
        except OSError:
            self.can_reset = False

    def stop(self) -> None:
        """Nothing is held."""


class SampledPeak:
    """RSS sampled by a thread; the kernel's mark helps where it rises above what it was."""

    def __init__(self, why: str) -> None:
        self.note = _SAMPLED.format(why)
        self._mark = 0
        self._highest = [0]  # a list of its own after each reset: what was read before goes to the old one
        self._has_ended = False  # no Event: a fork might find its lock held by the thread
        self._thread: threading.Thread | None = None

    def read(self) -> Level | None:
        """The level; the peak is a floor."""
        level = _kernel_level() or _portable_level()
        if level is None:
            return None
        risen = level.peak_bytes if level.peak_bytes > self._mark else 0
        return Level(now_bytes=level.now_bytes, peak_bytes=max(self._highest[0], level.now_bytes, risen))

    def reset(self) -> None:
        """Forgets the samples, and sees to it that somebody takes them."""
        if self._thread is None or not self._thread.is_alive():  # as in a forked child
            self._thread = threading.Thread(target=self._run, name="diagtools-peak", daemon=True)
            self._thread.start()
        level = _kernel_level()
        self._mark = level.peak_bytes if level else sys.maxsize
        self._highest = [0]

    def _run(self) -> None:
        while not self._has_ended:
            time.sleep(_PERIOD_S)
            highest, level = self._highest, _kernel_level() or _portable_level()
            highest[0] = max(highest[0], level.now_bytes if level else 0)

    def stop(self) -> None:
        """Lets the thread end, within a period."""
        self._has_ended = True


class Traces:
    """What tracemalloc counts.  It is started where it was not, and then stopped too."""

    note = ""

    def __init__(self, n_frames: int) -> None:
        self.is_ours = not tracemalloc.is_tracing()
        self._witness: object = None
        if self.is_ours:
            tracemalloc.start(n_frames)

    def read(self) -> Level | None:
        """The level; null where the program stopped or cleared the traces since the reset."""
        now, peak = tracemalloc.get_traced_memory()
        # What was allocated at the reset and is still held must be among them.
        is_known = tracemalloc.get_object_traceback(self._witness) is not None
        return Level(now_bytes=now, peak_bytes=peak) if is_known else None

    def reset(self) -> None:
        """Has tracemalloc begin a new peak."""
        self._witness = object()
        tracemalloc.reset_peak()

    def stop(self) -> None:
        """Stops tracemalloc where it was started here."""
        if self.is_ours:
            tracemalloc.stop()


def _kernel_level() -> Level | None:
    try:
        with open("/proc/self/status", "rb", buffering=0) as file:  # noqa: PTH123 - half the time of pathlib's
            found = _STATUS.search(file.read(_STATUS_BYTES))
    except OSError:
        return None
    return None if found is None else Level(now_bytes=int(found[2]) * 1024, peak_bytes=int(found[1]) * 1024)


def _portable_level() -> Level | None:
    """Without a peak, where there is no /proc."""
    import psutil

    try:
        return Level(now_bytes=psutil.Process().memory_info().rss, peak_bytes=0)
    except (OSError, psutil.Error):
        return None


def _write(path: str, content: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, content)
    finally:
        os.close(fd)
