"""Memory of a block of one's own code, measured by the process itself."""

from __future__ import annotations

import os
import sys
import time
import tracemalloc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType

from diagtools.capture import gauge, meters
from diagtools.capture.gauge import Gauge, Meter, Span
from diagtools.errors import LimitExceeded, NoDataError, UsageError
from diagtools.units import format_bytes, format_seconds, parse_bytes
from diagtools.values import State, Validity

_OURS = frozenset(str(module.__file__) for module in (gauge, meters, tracemalloc)) | {__file__}
_OF_THE_PROCESS = "of the whole process, other threads and tasks included"
_FORKED = "the process was forked inside the block: what was before that is of its parent"
_UNREADABLE = "the kernel did not say (no /proc, or no descriptor left), so it is unknown"
_CLEARED = "the program stopped or cleared tracemalloc inside the block, so it is unknown"
_TABLES = "tracemalloc's own tables are in it, at least {} when the block ended; traced=False leaves them out"


_MEMORY, _TRACED = Gauge(), Gauge()
if hasattr(os, "register_at_fork"):
    for _one in (_MEMORY, _TRACED):
        os.register_at_fork(
            before=_one.before_fork, after_in_parent=_one.lock.release, after_in_child=_one.in_child
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLine:
    """What one line allocated in the block and still held at its end; ``called_from`` are its callers."""

    file: str
    line: int
    kept_bytes: int
    n_kept: int
    called_from: tuple[str, ...] = ()


class track_memory:  # noqa: N801 - used as `with track_memory(…)`, like the standard library's `suppress`
    """What did this block do to the memory of this process?

    Written as ``with track_memory("load") as load: …`` or ``async with``; blocks may overlap in any way.  RSS is that
    of the process, so other threads and tasks count.  Its peak is the kernel's high-water mark (VmHWM), reset as the
    block begins: nothing is missed, also in C code that holds the GIL.  A recorder *attached* to this process reads
    the same mark ten times a second and may then miss a peak between two of its samples.  Under `diagtools record`,
    and where the kernel does not let us reset it, a thread samples instead and ``validity`` says so.

    ``traced`` counts Python's own allocations with tracemalloc too, exactly.  It is not free: a million small objects
    took nine times as long, and the RSS holds some hundred bytes more for each (see ``validity``); ``traced=False``
    where time, RSS or ``limit`` are what matters.  Where the program runs tracemalloc itself, it goes on after the
    block, but its peak (``get_traced_memory()[1]``) is reset.  ``n_frames`` above 0 also keeps which lines hold what
    the block kept, for ``top``: some microseconds for each allocation that is alive, and memory that blocks around
    this one see.

    ``limit`` ("200 MB"): a block that ends well but demanded more RSS than this raises ``LimitExceeded`` as it ends.
    All figures can be read inside the block too and stay as they are once it is left.  Unknown is null.
    Raises ``UsageError`` for a limit without a unit, a negative ``n_frames``, or a block that is entered twice.
    """

    def __init__(
        self, label: str = "", *, traced: bool = True, n_frames: int = 0, limit: str | None = None
    ) -> None:
        if n_frames < 0:
            raise UsageError(
                f"n_frames={n_frames} is not possible.", hint="0 keeps no lines, 1 the lines alone."
            )
        self.label = label
        self.status = "not entered"
        self.error: str | None = None
        self._limit_bytes = None if limit is None else parse_bytes(limit)
        self._n_frames = n_frames
        self._rss = Span()
        self._traced = Span() if traced else None
        self._began_s = self._ended_s = 0.0
        self._tables_bytes = 0
        self._lines_before: Mapping[tuple[str, ...], tuple[int, int]] = {}
        self._lines: tuple[KeptLine, ...] | None = None

    # --- the block -----------------------------------------------------------------------------------

    def __enter__(self) -> track_memory:
        if self.status != "not entered":
            raise UsageError(
                f"{self._name} was entered before.", hint="write a track_memory() of its own for each block."
            )
        self.status = "running"
        try:
            self._enter()
        except BaseException:  # an interrupt
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended_s = time.perf_counter()
        self.status, self.error = ("ok", None) if kind is None else ("failed", kind.__name__)
        try:
            self._leave()
        finally:
            for gauge in (_TRACED, _MEMORY):
                gauge.rest()
        if kind is None:
            self._check_limit()

    async def __aenter__(self) -> track_memory:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def _enter(self) -> None:
        """Tracing starts before the RSS is read and is read after it: neither begins with what the other one took."""
        if self._traced is not None:
            if self._n_frames and tracemalloc.is_tracing():
                self._lines_before = _lines_held()
            _TRACED.ready(self._traces)
        _MEMORY.enter(self._rss, meters.memory_meter)
        if self._traced is not None:
            _TRACED.enter(self._traced, self._traces)
        self._began_s = time.perf_counter()

    def _traces(self) -> Meter:
        return meters.Traces(max(1, self._n_frames))

    def _leave(self) -> None:
        if self._traced is not None:
            _TRACED.leave(self._traced)
            self._tables_bytes = tracemalloc.get_tracemalloc_memory()
        _MEMORY.leave(self._rss)
        if self._traced is not None and self._n_frames and not self._traced.is_lost:
            self._lines = tuple(_kept_lines(self._lines_before, _lines_held()))

    def _check_limit(self) -> None:
        limit, demand = self._limit_bytes, self._rss.demand
        if limit is not None and demand is not None and demand > limit:
            raise LimitExceeded(
                f"{self._name} demanded {format_bytes(demand)} of memory, above its limit of "
                f"{format_bytes(limit)} by {format_bytes(demand - limit)}.",
                hint="track_memory(n_frames=1).top() says which lines kept how much.",
            )

    # --- what it did ---------------------------------------------------------------------------------

    @property
    def rss_begin_bytes(self) -> int | None:
        """How much did the process hold as the block began?"""
        return self._seen().begin

    @property
    def rss_end_bytes(self) -> int | None:
        """How much did it hold as the block ended, or does it hold now?"""
        return self._seen().end

    @property
    def rss_delta_bytes(self) -> int | None:
        """How much did the block keep (below zero: give back)?"""
        return self._seen().delta

    @property
    def rss_peak_bytes(self) -> int | None:
        """What is the most that the process held while the block ran?"""
        rss = self._seen()
        return None if rss.demand is None else rss.peak

    @property
    def rss_demand_bytes(self) -> int | None:
        """How much more than at its begin did the block need at its peak?"""
        return self._seen().demand

    @property
    def traced_delta_bytes(self) -> int | None:
        """How much of what Python allocated in the block is still held?  Null where nothing is traced."""
        self._seen()
        return None if self._traced is None else self._traced.delta

    @property
    def traced_peak_bytes(self) -> int | None:
        """How much more than at its begin did Python hold at its peak?  Null where nothing is traced."""
        self._seen()
        return None if self._traced is None else self._traced.demand

    @property
    def duration_s(self) -> float:
        """How long did the block run, or has it run so far?"""
        self._seen()
        return (time.perf_counter() if self.status == "running" else self._ended_s) - self._began_s

    @property
    def validity(self) -> tuple[Validity, ...]:
        """How far can these figures be trusted?  They are never more than *in-process*."""
        self._seen()
        return tuple(self._doubts())

    def top(self, n: int = 10) -> tuple[KeptLine, ...]:
        """Which lines hold the most of what the block kept?

        With ``n_frames`` above 1 a line stands once for each of its call paths.  Raises ``NoDataError`` where lines
        were not kept, or before the block is left.
        """
        if self._lines is None:
            raise NoDataError(
                f"{self._name} has no lines ({self.status}).",
                hint="ask for them with track_memory(n_frames=1) and read them after the block.",
            )
        return self._lines[:n]

    def __repr__(self) -> str:
        if self.status == "not entered":
            return f"{self._name} was not entered yet."
        return f"{self._name}{self._ended()} {'; '.join(self._facts())}."

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": repr(self)}

    def _ended(self) -> str:
        return {"failed": f" failed with {self.error}: it", "running": " so far"}.get(self.status, "")

    def _facts(self) -> Iterator[str]:
        rss, traced, lasted = self._seen(), self._traced, format_seconds(self.duration_s)
        if rss.delta is None or rss.demand is None:
            yield f"took {lasted}, and what memory it needed is unknown"
        else:
            least = "at least " if rss.note else ""
            demand = f"demanded {least}{format_bytes(rss.demand)} at its peak"
            yield f"{_kept(rss.delta)} of RSS and {demand}, in {lasted}"
        if traced is not None and traced.delta is not None and traced.demand is not None:
            yield f"Python's own allocations {_kept(traced.delta)} and demanded {format_bytes(traced.demand)}"

    def _doubts(self) -> Iterator[Validity]:
        yield Validity(what="memory", state=State.IN_PROCESS, note=_OF_THE_PROCESS)
        if self._rss.end is None:
            yield Validity(what="RSS", state=State.SKIPPED, note=_UNREADABLE)
        elif self._rss.note:
            yield Validity(what="peak RSS", state=State.TRUNCATED, note=self._rss.note)
        if self._rss.is_forked:
            yield Validity(what="memory", state=State.TRUNCATED, note=_FORKED)
        if self._traced is not None and self._traced.end is None:
            yield Validity(what="traced", state=State.SKIPPED, note=_CLEARED)
        if self._tables_bytes:
            note = _TABLES.format(format_bytes(self._tables_bytes))
            yield Validity(what="RSS", state=State.UNDER_TRACKER, note=note)

    @property
    def _name(self) -> str:
        return f"The block {self.label!r}" if self.label else "The block"

    def _seen(self) -> Span:
        """The RSS over the block; where it still runs, all that is measured is brought up to date."""
        if self.status == "not entered":
            raise NoDataError(
                f"{self._name} was not entered yet.", hint="read its figures in or after `with`."
            )
        if self.status == "running":
            if self._traced is not None:
                _TRACED.look(self._traced)
            _MEMORY.look(self._rss)
        return self._rss


def _lines_held() -> Mapping[tuple[str, ...], tuple[int, int]]:
    """Which call paths hold how many bytes in how many allocations?  The allocating line stands first."""
    found = tracemalloc.take_snapshot().statistics("traceback")
    return {
        tuple(f"{frame.filename}:{frame.lineno}" for frame in reversed(one.traceback)): (one.size, one.count)
        for one in found
    }


def _kept_lines(
    before: Mapping[tuple[str, ...], tuple[int, int]], after: Mapping[tuple[str, ...], tuple[int, int]]
) -> list[KeptLine]:
    kept = []
    for path, (size, count) in after.items():
        file, _, line = path[0].rpartition(":")
        size_before, count_before = before.get(path, (0, 0))
        if size > size_before and file not in _OURS:
            kept.append(
                KeptLine(
                    file=file,
                    line=int(line),
                    kept_bytes=size - size_before,
                    n_kept=count - count_before,
                    called_from=path[1:],
                )
            )
    return sorted(kept, key=lambda one: (-one.kept_bytes, one.file, one.line))


def _kept(n_bytes: int) -> str:
    return f"gave back {format_bytes(-n_bytes)}" if n_bytes < 0 else f"kept {format_bytes(n_bytes)}"
