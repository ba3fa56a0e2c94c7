"""Memory and CPU limits for a block of one's own code.

The limits of a recorded command are a ``Limit`` of its ``Target``; those here act on this very process.
"""

from __future__ import annotations

import errno
import math
import resource
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from diagtools.errors import LimitExceeded, UnavailableError, UsageError
from diagtools.units import format_bytes, format_seconds, parse_bytes


@contextmanager
def limited(*, memory: str | None = None, cpu_s: float | None = None) -> Iterator[None]:
    """Runs the block with at most this much *more* address space and CPU time, then restores the limits.

    ``memory`` ("500 MB") is added to the address space in use now (RLIMIT_AS counts virtual memory, so a
    block that only reserves fails too); passing it raises ``LimitExceeded`` from the ``MemoryError``.
    ``cpu_s`` counts CPU seconds of the whole process from here (RLIMIT_CPU has steps of one second: it strikes
    up to a second later) and raises ``LimitExceeded``, between two bytecodes as Ctrl-C does.  Nested blocks keep
    the tighter limit.  The limits are those of the whole process, other threads included.

    Raises ``UnavailableError`` outside the main thread, where two blocks could restore each other's limits and
    no signal is handled, and where the platform has no such limit.
    """
    if threading.current_thread() is not threading.main_thread():
        raise UnavailableError(
            "limited() works in the main thread only.", hint="call it there, around the rest."
        )
    with _address_space(memory), _cpu_time(cpu_s):
        yield


@contextmanager
def _address_space(memory: str | None) -> Iterator[None]:
    if memory is None:
        yield
        return
    allowed = parse_bytes(memory)
    old = resource.getrlimit(resource.RLIMIT_AS)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (_tighter(old, _address_space_in_use() + allowed), old[1]))
        try:
            yield
        finally:  # before anything else: an error needs memory too
            resource.setrlimit(resource.RLIMIT_AS, old)
    except (MemoryError, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.ENOMEM:
            raise
        raise LimitExceeded(
            f"The block asked for more than {format_bytes(allowed)} of address space.",
            hint="address space counts reservations too; `diagtools record --limit` caps what is resident.",
        ) from error


@contextmanager
def _cpu_time(cpu_s: float | None) -> Iterator[None]:
    if cpu_s is None:
        yield
        return
    if not 0 < cpu_s < math.inf:
        raise UsageError(f"A CPU limit of {cpu_s:g} s is not possible.", hint="write for instance cpu_s=10.")

    def _stop(_number: int, _frame: FrameType | None) -> None:
        raise LimitExceeded(f"The block used more than {format_seconds(cpu_s)} of CPU time.")

    old = resource.getrlimit(resource.RLIMIT_CPU)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    at = _tighter(old, math.ceil(usage.ru_utime + usage.ru_stime + cpu_s))
    handler = signal.signal(signal.SIGXCPU, _stop)
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (at, old[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_CPU, old)
    finally:
        signal.signal(signal.SIGXCPU, handler)


def _tighter(old: tuple[int, int], wanted: int) -> int:
    bounds = [bound for bound in old if bound != resource.RLIM_INFINITY]
    return min([wanted, *bounds])


def _address_space_in_use() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except FileNotFoundError as error:
        raise UnavailableError(
            "The address space in use is only known on Linux.", hint="leave out memory=, or run on Linux."
        ) from error
    return pages * resource.getpagesize()
