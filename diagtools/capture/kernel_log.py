"""What the kernel's log says of processes that the OOM killer ended."""

from __future__ import annotations

import os
import re
from collections.abc import Collection

_LOG = "/dev/kmsg"
_SLACK_NS = 2_000_000_000  # the log's clock is not quite CLOCK_MONOTONIC
_KILLED = re.compile(r"Killed process (\d+) ")


def oom_lines(pids: Collection[int], since_ns: int) -> tuple[str, ...]:
    """Which lines of the kernel's log name one of these processes as killed for memory?

    Lines from before ``since_ns`` (CLOCK_MONOTONIC) are of others that had the same pid.  Empty where the log
    cannot be read (it needs rights) or the pids are those of another namespace.
    """
    try:
        log = os.open(_LOG, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ()
    found = []
    try:
        while line := _next(log):
            head, _, text = line.partition(";")
            match = _KILLED.search(text)
            if match and int(match[1]) in pids and _written_ns(head) >= since_ns - _SLACK_NS:
                found.append(text.split("\n", 1)[0])
    finally:
        os.close(log)
    return tuple(found)


def _written_ns(head: str) -> int:
    """When was this line written?  Its head is ``priority,number,microseconds,flags``."""
    fields = head.split(",")
    return int(fields[2]) * 1000 if len(fields) > 2 and fields[2].isdigit() else 0


def _next(log: int) -> str:
    while True:
        try:
            return os.read(log, 8192).decode("utf-8", "replace")
        except BrokenPipeError:  # the ring buffer moved on under us: read on
            continue
        except OSError:
            return ""
