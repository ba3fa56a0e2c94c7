"""Which allocations does a memray capture hold?  Read with memray itself, in a process that may be lost.

memray passes over the file once when it opens it and once more for each view.  Stacks are put into the tree once an
id.  Native frames are looked up only where they can be seen: each library without debug information makes memray load
that of its own process anew, which takes most of the time of a native report.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from diagtools import frames
from diagtools.errors import DamagedError, UnavailableError
from diagtools.profile import View
from diagtools.read.profiles.assemble import Gathered
from diagtools.units import format_share
from diagtools.values import State, Validity

if TYPE_CHECKING:
    from memray._memray import AllocationRecord, FileReader, TemporalAllocationRecord

#: Below this share of the view a stack is left without its native frames: no chart shows it.
NATIVE_LEAST_SHARE = 0.0005

_EVERY_SNAPSHOT = 2**31 - 1  # memray leaves out some above a number, and with them peaks
_LARGEST = 2**63 - 1
_WHOLE_STACK = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to read from a capture.

    ``zero_ms`` is the time of day at second 0.  ``pid`` is null for what the capture says itself; where a run names it,
    our own probe made the capture.
    """

    path: Path
    view: View
    pid: int | None
    zero_ms: int
    is_native: bool
    native_least_share: float = NATIVE_LEAST_SHARE


@dataclass(slots=True)
class Found:
    """What was read beside the allocations: how many records there were, and the frames of time."""

    n_records: int
    tracked: pl.DataFrame
    lifetimes: pl.DataFrame | None = None
    validity: tuple[Validity, ...] = ()


def gather(wanted: Wanted, into: Gathered, *, over_time: bool) -> Found:
    """Reads one view of a capture into the tree.

    Raises ``DamagedError`` where memray cannot open it, ``UnavailableError`` where it does not hold this view.
    """
    with contextlib.closing(_opened(wanted.path)) as reader:
        pid = wanted.pid if wanted.pid is not None else reader.metadata.pid
        stacks = _Stacks(into, reader.metadata.main_thread_id, is_ours=wanted.pid is not None)
        try:
            records = list(_view(reader, wanted.view))
            lifetimes = (
                list(reader.get_temporal_allocation_records(merge_threads=False)) if over_time else None
            )
        except NotImplementedError as error:
            raise UnavailableError(
                f"'{wanted.path.name}' is an aggregated capture: it knows its peak and what leaked, and no time.",
                hint="record without --aggregated.",
            ) from error
        validity = _add(records, stacks, wanted, pid)
        return Found(
            n_records=reader.metadata.total_allocations,
            tracked=_tracked(reader, pid, wanted.zero_ms),
            lifetimes=None
            if lifetimes is None
            else _lifetimes(lifetimes, stacks, reader, pid, wanted.zero_ms),
            validity=validity,
        )


def _opened(path: Path) -> FileReader:
    import memray  # here: only this process needs it

    try:
        return memray.FileReader(path, max_memory_records=_EVERY_SNAPSHOT)
    except OSError as error:
        raise DamagedError(
            f"memray {metadata.version('memray')} cannot open '{path.name}': {str(error).partition(': iostream')[0]}",
            hint="read it with the memray that wrote it, or export it there: `python -m memray flamegraph FILE`.",
        ) from error


def _view(reader: FileReader, view: View) -> Iterable[AllocationRecord]:
    getters: dict[View, Callable[..., Iterable[AllocationRecord]]] = {
        View.PEAK: reader.get_high_watermark_allocation_records,
        View.LEAKED: reader.get_leaked_allocation_records,
        View.TEMPORARY: reader.get_temporary_allocation_records,
    }
    return getters[view](merge_threads=False)


class _Stacks:
    """The stack ids of records, in one tree for all captures.

    memray cuts from the stacks of the thread that started it what stood above it then.  Our probe starts it in a thread
    of its own: nothing is to be cut there, and in a forked child it would be the program's.
    """

    def __init__(self, gathered: Gathered, main_tid: int, *, is_ours: bool) -> None:
        self._tree = gathered.tree
        self._main_tid = main_tid
        self._is_ours = is_ours
        self._known: dict[tuple[int, int, int, bool], int] = {}
        self._threads: dict[int, str] = {}
        self.gathered = gathered

    def of(self, record: AllocationRecord | TemporalAllocationRecord, *, native: bool) -> int:
        native_id = record.native_stack_id if native else 0
        key = (record.stack_id, native_id, record.native_segment_generation, record.tid == self._main_tid)
        known = self._known.get(key)
        if known is None:
            if native:
                stack = record.hybrid_stack_trace()
            else:
                stack = record.stack_trace(max_stacks=_WHOLE_STACK if self._is_ours else None)
            known = self._known[key] = self._tree.add(reversed(stack))
        return known

    def thread(self, record: AllocationRecord | TemporalAllocationRecord) -> str:
        known = self._threads.get(record.tid)
        if known is None:
            is_main = record.tid - self._main_tid in (
                (0, 1) if self._is_ours else (0,)
            )  # they are counted as they come
            nameless = "main" if is_main else f"thread {record.tid}"
            known = self._threads[record.tid] = record.thread_name.strip() or nameless
        return known


def _add(records: list[AllocationRecord], stacks: _Stacks, wanted: Wanted, pid: int) -> tuple[Validity, ...]:
    total = sum(record.size for record in records)
    if total > _LARGEST:
        raise DamagedError(f"'{wanted.path.name}' holds {total:,} bytes: no address space does.")
    seen = _seen_natively(records, wanted, total)
    allocators = _allocators()
    unresolved = 0
    for record in _drained(records):
        native = seen is not None and (record.stack_id, record.native_stack_id) in seen
        unresolved += 0 if native else record.size
        stacks.gathered.add_to(
            stacks.of(record, native=native),
            record.size,
            n=record.n_allocations,
            allocator=allocators.get(record.allocator, str(record.allocator)),
            pid=pid,
            thread=stacks.thread(record),
        )
    if seen is None or not unresolved:
        return ()
    note = (
        f"{format_share(unresolved / max(total, 1))} of the bytes are in stacks below "
        f"{wanted.native_least_share:.2%} each, shown without native frames"
    )
    return (Validity(what="native frames", state=State.SKIPPED, note=note),)


def _drained(records: list[Any]) -> Iterator[Any]:
    """One after the other, each given up: a record keeps the stack that it was asked for."""
    records.reverse()
    while records:
        yield records.pop()


def _seen_natively(
    records: list[AllocationRecord], wanted: Wanted, total: int
) -> set[tuple[int, int]] | None:
    """The stacks whose native frames are worth looking up; ``None`` where the capture has no native frames."""
    if not wanted.is_native:
        return None
    sizes: Counter[tuple[int, int]] = Counter()
    for record in records:
        sizes[record.stack_id, record.native_stack_id] += record.size
    return {stack for stack, size in sizes.items() if size >= wanted.native_least_share * total}


def _tracked(reader: FileReader, pid: int, zero_ms: int) -> pl.DataFrame:
    rows = [(snapshot.time, snapshot.rss, snapshot.heap) for snapshot in reader.get_memory_snapshots()]
    return frames.TRACKED.check(
        pl.DataFrame(
            rows, schema={"t_ms": pl.Int64, "rss_bytes": pl.Int64, "heap_bytes": pl.Int64}, orient="row"
        )
        .with_columns(t_s=(pl.col("t_ms") - zero_ms) / 1000, pid=pl.lit(pid, dtype=pl.Int64))
        .select(list(frames.TRACKED.columns))
    )


def _lifetimes(
    records: list[TemporalAllocationRecord], stacks: _Stacks, reader: FileReader, pid: int, zero_ms: int
) -> pl.DataFrame:
    ends_ms = [snapshot.time for snapshot in reader.get_memory_snapshots()]
    last_ms = max([int(reader.metadata.end_time.timestamp() * 1000), *ends_ms[-1:]])
    times = [*((ms - zero_ms) / 1000 for ms in ends_ms), (last_ms - zero_ms) / 1000]
    rows = list(_intervals(records, stacks, times, pid))
    return pl.DataFrame(rows, schema=frames.LIFETIMES.columns, orient="row")


def _intervals(
    records: list[TemporalAllocationRecord], stacks: _Stacks, times: list[float], pid: int
) -> Iterator[tuple[object, ...]]:
    allocators = _allocators()
    for record in _drained(records):
        stack_id, thread = stacks.of(record, native=False), stacks.thread(record)
        allocator = allocators.get(record.allocator, str(record.allocator))
        for one in record.intervals:
            freed = one.deallocated_before_snapshot
            begin_s = times[one.allocated_before_snapshot]
            end_s = None if freed is None else times[freed]
            yield stack_id, begin_s, end_s, one.n_bytes, one.n_allocations, allocator, pid, thread


def _allocators() -> dict[int, str]:
    """What the numbers of allocators stand for: they differ between versions of memray."""
    from memray import AllocatorType

    return {int(allocator): allocator.name.lower() for allocator in AllocatorType}
