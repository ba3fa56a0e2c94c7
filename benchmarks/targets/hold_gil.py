"""One C call that holds the GIL while memory rises and falls: ``hold_gil.py REPORT LISTS WATCHER``.

Each of LISTS lists of integers (about 110 MB) is made and dropped inside the call.  WATCHER names a sampler thread
inside this process, asked for 100 Hz: ``memory_profiler``, ``statm`` (a plain loop over ``/proc/self/statm``), or
``none``.  REPORT gets the time of the call, the kernel's high-water mark, and what the thread saw during the call.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from itertools import repeat
from pathlib import Path

PERIOD_S = 0.01
LENGTH = 3_000_000
Seen = list[tuple[float, float]]


def with_memory_profiler(stop: threading.Event, seen: Seen) -> None:
    """Its own sampler, called for one sample at a time so that the thread can be stopped; MiB become bytes."""
    from memory_profiler import memory_usage

    while not stop.is_set():
        (mebibytes,) = memory_usage(-1, interval=PERIOD_S, timeout=PERIOD_S)
        seen.append((time.monotonic(), mebibytes * 2**20))


def with_statm(stop: threading.Event, seen: Seen) -> None:
    """The cheapest sampler that a thread can be; samples that it missed it does not make up for."""
    statm, page = Path("/proc/self/statm"), os.sysconf("SC_PAGE_SIZE")
    due = time.monotonic()
    while not stop.is_set():
        resident = int(statm.read_text(encoding="ascii").split()[1])
        seen.append((time.monotonic(), resident * page))
        due = max(due + PERIOD_S, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))


WATCHERS: dict[str, Callable[[threading.Event, Seen], None]] = {
    "memory_profiler": with_memory_profiler,
    "statm": with_statm,
}


def high_water_bytes() -> int:
    """VmHWM of this process."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split(None, 1)[0]) * 1024


def main() -> None:
    """Makes the call, watched or not."""
    report, n_lists, watcher = sys.argv[1:]
    stop = threading.Event()
    seen: Seen = []
    if watcher in WATCHERS:
        threading.Thread(target=WATCHERS[watcher], args=(stop, seen), daemon=True).start()
    time.sleep(0.5)
    began = time.monotonic()
    sum(map(len, map(list, map(range, repeat(LENGTH, int(n_lists))))))
    ended = time.monotonic()
    stop.set()
    during = [value for t, value in list(seen) if began <= t <= ended]
    content = {
        "began_s": began,
        "ended_s": ended,
        "hwm_bytes": high_water_bytes(),
        "n_seen": len(during),
        "peak_seen_bytes": max(during, default=0),
    }
    Path(report).write_text(json.dumps(content), encoding="utf-8")
    os._exit(0)


main()
