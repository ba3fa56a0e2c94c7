"""Memory and CPU limits for a block of one's own code.

The limits of a recorded command are a ``Limit`` of its ``Target``; those here act on this very process.
"""

from __future__ import annotations

import resource
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from diagtools.errors import LimitExceeded, UnavailableError
from diagtools.units import format_bytes, format_seconds, parse_bytes


@contextmanager
def limited(*, memory: str | None = None, cpu_s: float | None = None) -> Iterator[None]:
    """Runs the block with at most this much *more* address space and CPU time, then restores the limits.

    ``memory`` ("500 MB") is added to the address space in use now (RLIMIT_AS counts virtual memory, so a
    block that only reserves fails too); passing it raises ``LimitExceeded`` from the ``MemoryError``.
    ``cpu_s`` counts CPU seconds of the whole process from here (RLIMIT_CPU has steps of one second) and
    raises ``LimitExceeded`` in the main thread.  Nested blocks keep the tighter limit.  Raises
    ``UnavailableError`` outside the main thread (CPU) and where the platform has no such limit.
    """
    with _address_space(memory), _cpu_time(cpu_s):
        yield


@contextmanager
def _address_space(memory: str | None) -> Iterator[None]:
    if memory is None:
        yield
        return
    allowed = parse_bytes(memory)
    old = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_tighter(old, _address_space_in_use() + allowed), old[1]))
    try:
        yield
    except MemoryError as error:
        raise LimitExceeded(
            f"The block asked for more than {format_bytes(allowed)} of address space.",
            hint="address space counts reservations too; `diagtools record --limit` caps what is resident.",
        ) from error
    finally:
        resource.setrlimit(resource.RLIMIT_AS, old)


@contextmanager
def _cpu_time(cpu_s: float | None) -> Iterator[None]:
    if cpu_s is None:
        yield
        return
    if threading.current_thread() is not threading.main_thread():
        raise UnavailableError("A CPU limit works in the main thread only.", hint="call limited() there.")

    def _stop(_number: int, _frame: FrameType | None) -> None:
        raise LimitExceeded(f"The block used more than {format_seconds(cpu_s)} of CPU time.")

    old = resource.getrlimit(resource.RLIMIT_CPU)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    at = _tighter(old, int(usage.ru_utime + usage.ru_stime + cpu_s + 0.999))
    handler = signal.signal(signal.SIGXCPU, _stop)
    resource.setrlimit(resource.RLIMIT_CPU, (at, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CPU, old)
        signal.signal(signal.SIGXCPU, handler)


def _tighter(old: tuple[int, int], wanted: int) -> int:
    bounds = [bound for bound in old if bound != resource.RLIM_INFINITY]
    return min([wanted, *bounds])


def _address_space_in_use() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError as error:
        raise UnavailableError(
            "The address space in use is only known on Linux.", hint="leave out memory=, or run on Linux."
        ) from error
    return pages * resource.getpagesize()
