"""A root and N children that hold some memory for a while: ``tree.py READY REPORT CHILDREN SECONDS MANNER``.

In the manner ``moving`` each takes and drops its 4 MiB five times a second, in ``still`` it keeps them.  READY gets
the pids once all run, REPORT the CPU seconds of the whole tree as the kernel counted them.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path

BLOCK = 4 << 20
PAUSE_S = 0.1
PAGE = 4096


def work(until: float, manner: str) -> None:
    """Holds a block of touched memory until then, or takes and drops one again and again."""
    while time.monotonic() < until:
        block = bytearray(BLOCK)
        block[::PAGE] = b"x" * len(block[::PAGE])
        time.sleep(PAUSE_S if manner == "moving" else max(0.0, until - time.monotonic()))
        del block
        time.sleep(PAUSE_S)


def start_children(n: int, until: float, manner: str) -> list[int]:
    """Forks the children; a child never returns."""
    pids = []
    for _ in range(n):
        pid = os.fork()
        if pid == 0:
            work(until, manner)
            os._exit(0)
        pids.append(pid)
    return pids


def write(path: str, content: object) -> None:
    """Writes the file so that a reader sees all of it or nothing."""
    unfinished = Path(path + ".tmp")
    unfinished.write_text(json.dumps(content), encoding="utf-8")
    unfinished.rename(path)


def cpu_s() -> float:
    """The CPU time of this process and of its children that ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def main() -> None:
    """Runs the tree."""
    ready, report, children, seconds, manner = sys.argv[1:]
    until = time.monotonic() + float(seconds)
    pids = start_children(int(children), until, manner)
    write(ready, {"pids": [os.getpid(), *pids]})
    work(until, manner)
    for pid in pids:
        os.waitpid(pid, 0)
    write(report, {"cpu_s": cpu_s()})
    os._exit(0)


main()
