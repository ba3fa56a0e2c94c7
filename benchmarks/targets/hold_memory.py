"""Holds memory of one shape, then looks at it in several ways: ``hold_memory.py SHAPE MB ROUNDS REPORT``.

To be run under ``diagtools record --ledger``: a snapshot is taken in this process when it gets the signal that
``probes.moments`` answers, before the next instruction of Python.  Each round also reads ``/proc/self/smaps`` and asks
psutil, each round in another order.  REPORT gets, of each way, the wall and CPU time of every round, ns, and of the
snapshot how long another thread, which only wants to wake up each ms, was kept waiting at most.
"""

from __future__ import annotations

import json
import mmap
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil

SNAPSHOT, SMAPS = "snapshot", "read smaps"
FULL_INFO, MAPS = "psutil memory_full_info", "psutil memory_maps"
SIGNAL = signal.SIGRTMIN + 9
MB = 1_000_000
_LIST_BYTES = 64 + 16 + 32 + 8  # a list of one number, what it points to, and its place in the list of all
_THREADS = 24  # more than the arenas that glibc has on two CPUs
_STAYS = 20  # of so many blocks one stays

held: list[object] = []


def small(n_bytes: int) -> None:
    """Small objects, in the arenas of Python's allocator."""
    held.append([[number] for number in range(n_bytes // _LIST_BYTES)])


def blocks(n_bytes: int) -> None:
    """Blocks of C of 64 kB to 1 MB, of bytes and arrays, all touched."""
    size, left = 64_000, n_bytes
    while left > 0:
        held.append(b"x" * size if len(held) % 2 else np.ones(size, dtype=np.uint8))
        left -= size
        size = 64_000 + (size * 7 + 13_001) % 936_000


def threads(n_bytes: int) -> None:
    """Threads that all stay, each with blocks of 1 to 16 kB in an arena of the C library's."""
    ready = threading.Barrier(_THREADS + 1)

    def fill() -> None:
        own: list[bytes] = []
        left = n_bytes // _THREADS
        while left > 0:
            own.append(b"x" * (1_000 + len(own) * 997 % 15_000))
            left -= len(own[-1])
        ready.wait()
        threading.Event().wait()

    for _ in range(_THREADS):
        threading.Thread(target=fill, daemon=True).start()
    ready.wait()


def mappings(n_bytes: int) -> None:
    """A few large mappings: arrays, one of them touched in every other MB only, and shared memory."""
    size = n_bytes // 8
    held.extend(np.ones(size, dtype=np.uint8) for _ in range(5))
    sparse = np.empty(2 * size, dtype=np.uint8)
    for start in range(0, 2 * size, 2 * MB):
        sparse[start : start + MB] = 1
    shared = mmap.mmap(-1, 2 * size)
    shared.write(b"x" * (2 * size))
    held.extend([sparse, shared])


def raw(n_bytes: int) -> None:
    """Private mappings that the program asked the kernel for, past every allocator."""
    size = n_bytes // 8
    for _ in range(8):
        mapped = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        mapped.write(b"x" * size)
        held.append(mapped)


def fragments(n_bytes: int) -> None:
    """What is left when nearly all small objects and blocks of C were freed: pages that go back to nobody."""
    objects = [[number] for number in range(n_bytes // 2 // _LIST_BYTES)]
    pieces = [bytes(2048) for _ in range(n_bytes // 2 // 2096)]
    held.extend([objects[::_STAYS], pieces[::_STAYS]])


SHAPES: dict[str, Callable[[int], None]] = {
    "small": small,
    "blocks": blocks,
    "threads": threads,
    "mappings": mappings,
    "raw": raw,
    "fragments": fragments,
}


def snapshot() -> None:
    """Asks for a snapshot, which is there when this returns."""
    os.kill(os.getpid(), SIGNAL)


def read_smaps() -> None:
    """All that the kernel says of each mapping, as text."""
    Path("/proc/self/smaps").read_bytes()


def memory_maps() -> None:
    """The same, parsed."""
    psutil.Process().memory_maps(grouped=False)


def memory_full_info() -> None:
    """Sums only: RSS, USS, PSS."""
    psutil.Process().memory_full_info()


WAYS: dict[str, Callable[[], None]] = {
    SNAPSHOT: snapshot,
    SMAPS: read_smaps,
    MAPS: memory_maps,
    FULL_INFO: memory_full_info,
}


class Sleeper(threading.Thread):
    """Wants to wake up each ms, and knows how late it was at most."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.is_over = False
        self.latest_ns = 0

    def run(self) -> None:
        """Sleeps until it is told to stop."""
        before = time.perf_counter_ns()
        while not self.is_over:
            time.sleep(0.001)
            now = time.perf_counter_ns()
            self.latest_ns = max(self.latest_ns, now - before - 1_000_000)
            before = now


def waited_ns() -> int:
    """How long is another thread kept waiting by a snapshot, at most?"""
    sleeper = Sleeper()
    sleeper.start()
    time.sleep(0.01)
    snapshot()
    sleeper.is_over = True
    sleeper.join()
    return sleeper.latest_ns


def cost_ns(way: Callable[[], None]) -> tuple[int, int]:
    """Wall and CPU time of one look; nothing but this thread runs."""
    began, used = time.perf_counter_ns(), time.thread_time_ns()
    way()
    return time.perf_counter_ns() - began, time.thread_time_ns() - used


def main() -> None:
    """Fills the memory, then looks."""
    shape, n_mb, n_rounds, report = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    SHAPES[shape](n_mb * MB)
    costs: dict[str, list[tuple[int, int]]] = {name: [] for name in WAYS}
    waited = []
    for number in range(n_rounds):
        order = list(WAYS)[number % len(WAYS) :] + list(WAYS)[: number % len(WAYS)]
        for name in order:
            costs[name].append(cost_ns(WAYS[name]))
        waited.append(waited_ns())
    rss = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * mmap.PAGESIZE
    report.write_text(json.dumps({"costs": costs, "waited": waited, "rss_bytes": rss}), encoding="utf-8")
    os._exit(0)  # taking it all apart is nobody's question


main()
