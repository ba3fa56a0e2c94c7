"""The program of the captures beside it: what it holds, drops and leaks is small, and known."""

from __future__ import annotations

import json
import sys
import threading
import time

HELD: list[bytearray] = []


def block(size: int) -> bytearray:
    """One allocation."""
    return bytearray(size)


def keep(n: int) -> None:
    """What stays until the end."""
    HELD.extend(block(40_000 + index) for index in range(n))


def rise_and_fall(n: int) -> int:
    """The peak: held together, and dropped together."""
    batch = [block(60_000) for _ in range(n)]
    return len(batch)


def passing(n: int) -> None:
    """What is freed before the next allocation."""
    for _ in range(n):
        block(30_000)


def deep(depth: int) -> object:
    """A stack that calls itself."""
    return deep(depth - 1) if depth else json.loads("[1, 2, " * 30 + "3" + "]" * 30)


def busy(seconds: float) -> int:
    """Something to see for a profiler of time."""
    end, n = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        n += sum(index * index for index in range(2000))
        rise_and_fall(5)
    return n


def main(seconds: float) -> None:
    """The phases, one after the other."""
    keep(20)
    worker = threading.Thread(target=rise_and_fall, args=(40,), name="worker <1>")
    worker.start()
    worker.join()
    rise_and_fall(80)
    passing(500)
    deep(12)
    busy(seconds)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 0.1)
