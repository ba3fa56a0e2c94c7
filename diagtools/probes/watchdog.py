"""Decides when a process tree uses more memory than its cap.

A cap compares anonymous memory summed plus shared memory once.  Forked children share anonymous pages, which
that sum counts again for each; before a tree is killed for it, the kernel's proportional figure is asked.
That question holds the target up (10 ms a GiB), so it is put again soon only where memory has grown since by
as much as was left: by the sum, or by what the machine has less (pages that stop being shared move no sum).
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from diagtools.probes import procfs

_SOON, _SELDOM = 4, 100  # pauses between two questions, in times of what the last one took


class Watchdog:
    """Keeps what was learned of a tree's shared pages between two looks."""

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self._asked_at: int | None = None
        self._cost_ns = self._used = self._estimate = self._available = 0

    def breached(self, processes: Sequence[procfs.Process], now: int) -> int:
        """How many bytes does the tree use, if that is above the cap?  Else 0."""
        estimate = sum(p.rss - p.shared for p in processes) + max((p.shared for p in processes), default=0)
        if estimate <= self.cap:
            return 0
        if len(processes) == 1 or not procfs.knows_pss():
            return estimate
        if not self._is_time(now, estimate):
            return 0
        used = self._ask_kernel(processes, estimate)
        return used if used > self.cap else 0

    def _is_time(self, now: int, estimate: int) -> bool:
        if self._asked_at is None:
            return True
        grown = max(estimate - self._estimate, self._available - procfs.available_bytes())
        pause = _SOON if self._used + grown > self.cap else _SELDOM
        return now >= self._asked_at + pause * self._cost_ns

    def _ask_kernel(self, processes: Sequence[procfs.Process], estimate: int) -> int:
        """The tree's proportional set size; what the kernel keeps from us counts as unshared."""
        begun = time.monotonic_ns()
        readings = [(p, procfs.pss_bytes(p.pid)) for p in processes]
        self._used = sum(p.rss - p.shared if pss is None else pss for p, pss in readings)
        self._asked_at = time.monotonic_ns()
        self._cost_ns = self._asked_at - begun
        self._estimate, self._available = estimate, procfs.available_bytes()
        return self._used
