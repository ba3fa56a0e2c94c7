"""Decides when a process tree uses more memory than its cap.

A cap compares anonymous memory summed plus shared memory once.  Forked children share anonymous pages, which
that sum counts again for each; before a tree is killed for it, the kernel's proportional figure is asked.
"""

from __future__ import annotations

import time

from diagtools.probes import procfs

_PSS_SHARE = 100


class Watchdog:
    """Keeps what was learned of a tree's shared pages between two looks."""

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self._counted_twice = 0
        self._not_before = 0

    def breached(self, processes: list[procfs.Process], now: int) -> int:
        """How many bytes does the tree use, if that is above the cap?  Else 0."""
        estimate = sum(p.rss - p.shared for p in processes) + max((p.shared for p in processes), default=0)
        if estimate <= self.cap:
            return 0
        if len(processes) == 1:
            return estimate
        if estimate - self._counted_twice <= self.cap or now < self._not_before:
            return 0
        return self._ask_kernel(processes, now, estimate)

    def _ask_kernel(self, processes: list[procfs.Process], now: int, estimate: int) -> int:
        readings = [procfs.pss_bytes(p.pid) for p in processes]
        cost_ns = time.monotonic_ns() - now
        if any(pss is None for pss in readings):
            return estimate
        used = sum(pss for pss in readings if pss is not None)
        self._counted_twice = max(0, estimate - used)
        self._not_before = now + (0 if used > 0.9 * self.cap else _PSS_SHARE * cost_ns)
        return used if used > self.cap else 0
