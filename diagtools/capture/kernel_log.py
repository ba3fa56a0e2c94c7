"""What the kernel's log says of processes that the OOM killer ended."""

from __future__ import annotations

import os
import re
from collections.abc import Collection

_KILLED = re.compile(r"Killed process (\d+) ")


def oom_lines(pids: Collection[int]) -> tuple[str, ...]:
    """Which lines of the kernel's log name one of these processes as killed for memory?

    Empty where the log cannot be read (it needs rights) or the pids are those of another namespace.
    """
    try:
        log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ()
    found = []
    try:
        while line := _next(log):
            match = _KILLED.search(line)
            if match and int(match[1]) in pids:
                found.append(line.partition(";")[2].split("\n", 1)[0])
    finally:
        os.close(log)
    return tuple(found)


def _next(log: int) -> str:
    while True:
        try:
            return os.read(log, 8192).decode("utf-8", "replace")
        except BrokenPipeError:  # the ring buffer moved on under us: read on
            continue
        except OSError:
            return ""
