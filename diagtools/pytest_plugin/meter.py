"""How much does this process hold, and what is the most that it held since a moment?

The kernel keeps the highest RSS of a process (VmHWM in proc(5)) and begins anew when 5 is written to
``/proc/self/clear_refs``: a peak is known exactly, however short it was and whoever held the GIL meanwhile.  A reading
with such a new beginning takes 9 µs, at any size.  No descriptor stays open: a program that closes all of them, or
forks, finds nothing of ours.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from functools import cache
from typing import Protocol

_STATUS_BYTES = 16384  # a user of a thousand groups has a long Groups: line before VmHWM:


@dataclass(slots=True, kw_only=True)
class Span:
    """What a process held from one moment to another; the end and the peak stand once it is closed."""

    begin_ns: int
    begin_rss: int
    peak: int
    end_ns: int = 0
    end_rss: int = 0

    @property
    def demand(self) -> int:
        """The most that was held on top of what there was at the begin, in bytes."""
        return self.peak - self.begin_rss

    @property
    def kept(self) -> int:
        """What was held more at the end than at the begin, in bytes; below zero where memory was given back."""
        return self.end_rss - self.begin_rss


class Source(Protocol):
    """Where RSS and peak come from; ``is_exact`` says whether a peak is that of the span alone."""

    is_exact: bool

    def read(self) -> tuple[int, int]:
        """RSS now, and the highest since the last reading that is known; bytes."""
        ...


class Meter:
    """Measures spans that may lie within each other: a fixture within a phase, a test within a session."""

    def __init__(self, source: Source | None = None) -> None:
        self._source = source or usual_source()
        self._open: list[Span] = []

    @property
    def is_exact(self) -> bool:
        """Are peaks those of each span alone?  Else a peak below an earlier one is not seen."""
        return self._source.is_exact

    def begin(self) -> Span:
        """A new span from here on."""
        rss = self._cut()
        span = Span(begin_ns=time.monotonic_ns(), begin_rss=rss, peak=rss)
        self._open.append(span)
        return span

    def end(self, span: Span) -> Span:
        """The same span, closed here; whatever was begun in it and never closed is forgotten."""
        rss = self._cut()
        if span in self._open:
            del self._open[self._open.index(span) :]
        span.end_ns, span.end_rss = time.monotonic_ns(), rss
        return span

    def rss(self) -> int:
        """What the process holds now; the open spans take in what was held since."""
        return self._cut()

    def _cut(self) -> int:
        rss, peak = self._source.read()
        for span in self._open:
            span.peak = max(span.peak, peak, rss)
        return rss


@cache
def own_meter() -> Meter:
    """The one meter of this process: each reading begins anew, so that two would take from each other."""
    return Meter()


class KernelPeaks:
    """RSS and the highest RSS since the last reading, as Linux has them."""

    is_exact = True

    def read(self) -> tuple[int, int]:
        """See ``Source``; raises ``OSError`` or ``ValueError`` where this kernel does not say."""
        status = _read_file("/proc/self/status")
        file = os.open("/proc/self/clear_refs", os.O_WRONLY)
        try:
            os.write(file, b"5")
        finally:
            os.close(file)
        return _kib(status, b"\nVmRSS:"), _kib(status, b"\nVmHWM:")


class ProcessPeaks:
    """The same where nobody can reset the highest RSS: a peak is known where it is above all before it."""

    is_exact = False

    def __init__(self) -> None:
        import psutil  # here: Linux does without

        self._memory = psutil.Process().memory_info
        self._highest = self._ever()

    def read(self) -> tuple[int, int]:
        """See ``Source``."""
        rss, highest = self._memory().rss, self._ever()
        is_new, self._highest = highest > self._highest, highest
        return rss, max(highest, rss) if is_new else rss

    @staticmethod
    def _ever() -> int:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def usual_source() -> Source:
    """What this machine allows: the kernel's own peaks, or else what is known without them."""
    try:
        source = KernelPeaks()
        source.read()
    except (OSError, ValueError):  # macOS; a container that hides /proc or may not write there
        return ProcessPeaks()
    return source


def _read_file(path: str) -> bytes:
    file = os.open(path, os.O_RDONLY)
    try:
        return os.read(file, _STATUS_BYTES)
    finally:
        os.close(file)


def _kib(status: bytes, name: bytes) -> int:
    at = status.index(name) + len(name)
    return int(status[at : at + 32].split(None, 1)[0]) * 1024
