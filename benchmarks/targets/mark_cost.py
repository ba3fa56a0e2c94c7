"""What do single calls cost, in ns?  ``mark_cost.py CALLS FOLDER`` prints JSON: the fastest of ten blocks of CALLS.

``slot`` is the write of one marker into the mapped slot alone, as every marker does it before its line in the log.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from diagtools import mark

BLOCKS = 10
NAME = "src/package/module_of_usual_length.py"


def fastest_ns(work: Callable[[int], None], n: int) -> float:
    """The lowest time of one call over all blocks; the loop around it is part of it."""
    work(n // 10 + 1)
    found = []
    for _ in range(BLOCKS):
        began = time.perf_counter_ns()
        work(n)
        found.append((time.perf_counter_ns() - began) / n)
    return min(found)


def events(n: int) -> None:
    """Points in time."""
    for _ in range(n):
        mark.event(NAME)


def items(n: int) -> None:
    """Blocks with one feature: a begin and an end."""
    for number in range(n):
        with mark.item(NAME, size_bytes=number):
            pass


def slots(n: int) -> None:
    """The slot alone."""
    mark.event(NAME)
    recorder = mark.recorder
    slot = recorder._slot if recorder else None
    if slot is None:
        raise SystemExit("There is no slot: nothing records.")
    name, now, pid = NAME.encode(), time.monotonic_ns(), os.getpid()
    for number in range(n):
        slot.write(mark.EVENT, mark.POINT, number, name, now, pid, pid)


def log_lines(n: int) -> None:
    """What a program does today: a line through logging, with a time, into a file."""
    logger = logging.getLogger("benchmark")
    for _ in range(n):
        logger.info("item %s", NAME)


def main() -> None:
    """Measures what this process can: with a recorder, or without and then logging too."""
    n, folder = int(sys.argv[1]), sys.argv[2]
    logging.basicConfig(level=logging.INFO, filename=Path(folder) / "log", format="%(asctime)s %(message)s")
    work = {"event": events, "item": items}
    work |= {"slot": slots} if mark.recording() else {"logging": log_lines}
    print(json.dumps({name: fastest_ns(function, n) for name, function in work.items()}))


main()
