"""What does the memory of a process consist of?  Parts that sum exactly to its RSS, and what is not explained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import polars as pl

from diagtools.analyse.ledger_parts import Part, Parts, parts
from diagtools.errors import NoDataError, UsageError
from diagtools.frames import LEDGER, LEDGER_DIFFERENCE


class Component(StrEnum):
    """What memory is used for, in the order in which it is told."""

    FILE_CODE = "file code"
    FILE_DATA = "file data"
    FILE_UNWRITTEN = "unwritten file data"
    COPIED = "copy-on-write"
    SHARED = "shared memory"
    STACKS = "stacks"
    PYTHON_USED = "Python used"
    PYTHON_RETAINED = "Python retained"
    PYTHON_SLACK = "Python arena slack"
    C_USED = "C used"
    C_FREE = "C free"
    C_HEAP = "C heap"
    C_MMAPPED = "C mmapped"
    POOL_USED = "pyarrow pool used"
    POOL_KEPT = "pyarrow pool kept"
    POLARS = "polars' allocator"
    OTHER = "other allocators"
    ANONYMOUS = "anonymous memory"
    UNEXPLAINED = "unexplained"


#: What no program uses, and an allocator keeps.
FREE = frozenset({Component.PYTHON_RETAINED, Component.PYTHON_SLACK, Component.C_FREE, Component.POOL_KEPT})


class Source(StrEnum):
    """Who says how much it is."""

    SMAPS = "smaps"  #: the kernel, for whole mappings
    PAGEMAP = "pagemap"  #: the kernel, page by page, and headers found in memory
    COUNTER = "counter"  #: the allocator itself
    BOUND = "bound"  #: nobody: it is the most that this can be


OUTSIDE = "outside"  #: the origin of a snapshot that only the kernel was asked for
_KEY = ("pid", "index")
_FILES = {
    Component.FILE_CODE: Part.CODE,
    Component.FILE_DATA: Part.DATA,
    Component.FILE_UNWRITTEN: Part.UNWRITTEN,
    Component.COPIED: Part.COPIED,
    Component.SHARED: Part.SHARED,
    Component.STACKS: Part.STACK,
}


@dataclass(frozen=True, slots=True)
class _Row:
    component: Component
    size: int
    source: Source
    bound: int | None = 0


def ledger(
    snapshots: pl.DataFrame, mappings: pl.DataFrame, claims: pl.DataFrame, pools: pl.DataFrame
) -> pl.DataFrame:
    """What did the memory of each process consist of, at each snapshot?  LEDGER; its bytes sum to the RSS.

    The frames are LEDGER_SNAPSHOTS, MAPPINGS, CLAIMS and POOLS.  RSS is what the mappings of that snapshot sum to.
    What the C library keeps for a thread's next small blocks (tcache, up to some 100 KiB a thread) it counts as used.
    Raises ``NoDataError`` where there is no snapshot.
    """
    if snapshots.is_empty():
        raise NoDataError("No snapshot of memory was taken.", hint="diagtools record --ledger -- CMD")
    by_key = [frame.partition_by(*_KEY, as_dict=True) for frame in (mappings, claims, pools)]
    rows: list[dict[str, object]] = []
    for snapshot in snapshots.iter_rows(named=True):
        key = (snapshot["pid"], snapshot["index"])
        mapped, claimed, pooled = (frames.get(key) for frames in by_key)
        if mapped is None:
            continue
        is_searched = snapshot["is_searched"] and snapshot["origin"] != OUTSIDE
        found = parts(mapped, claims.clear() if claimed is None or not is_searched else claimed)
        held = {} if pooled is None else dict(pooled.select("backend", "held_bytes").iter_rows())
        rows += _told(snapshot, found.rss, _Account(snapshot, found, held).rows())
    return LEDGER.check(pl.DataFrame(rows, schema=LEDGER.columns))


def ledger_difference(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """What grew between two snapshots?  LEDGER_DIFFERENCE; ``delta_bytes`` sum to the change of RSS.

    Both are LEDGER of one snapshot.  Raises ``UsageError`` where one has more.
    """
    for each in (before, after):
        if each.select(_KEY).n_unique() != 1:
            raise UsageError(
                "A difference takes one snapshot a side.", hint="choose one with highest() or at_moment()."
            )
    order = pl.DataFrame({"component": [str(each) for each in Component]}).with_row_index("place")
    sides = [
        each.select("component", pl.col("bytes").alias(name))
        for each, name in ((before, "before_bytes"), (after, "after_bytes"))
    ]
    both = sides[0].join(sides[1], on="component", how="full", coalesce=True).fill_null(0)
    found = both.join(order, on="component", how="left").sort("place", nulls_last=True)
    return LEDGER_DIFFERENCE.check(
        found.select(
            "component",
            "before_bytes",
            "after_bytes",
            delta_bytes=pl.col("after_bytes") - pl.col("before_bytes"),
        )
    )


def highest(found: pl.DataFrame) -> pl.DataFrame:
    """The LEDGER of the snapshot at which a process held most; of several the first.  Raises ``NoDataError``."""
    totals = found.group_by("pid", "index", maintain_order=True).agg(
        pl.col("bytes").sum(), pl.col("t_s").first()
    )
    if totals.is_empty():
        raise NoDataError("No snapshot of memory was taken.", hint="diagtools record --ledger -- CMD")
    top = totals.sort("bytes", "t_s", descending=[True, False]).row(0, named=True)
    return at_snapshot(found, pid=top["pid"], index=top["index"])


def at_snapshot(found: pl.DataFrame, *, pid: int, index: int) -> pl.DataFrame:
    """The LEDGER of one snapshot."""
    return found.filter((pl.col("pid") == pid) & (pl.col("index") == index))


def _told(snapshot: Mapping[str, Any], rss: int, found: Iterator[_Row]) -> list[dict[str, object]]:
    order = list(Component)
    rows = sorted(found, key=lambda row: order.index(row.component))
    when = {name: snapshot[name] for name in ("t_s", "pid", "index", "moment", "label")}
    return [
        {
            **when,
            "component": str(row.component),
            "bytes": row.size,
            "share": row.size / rss if rss else None,
            "source": str(row.source),
            "bound_bytes": row.bound,
        }
        for row in rows
        if row.size or row.component is Component.UNEXPLAINED
    ]


class _Account:
    """One snapshot: each part goes to a component, and what is left over is not explained."""

    def __init__(self, snapshot: Mapping[str, Any], found: Parts, held: Mapping[str, int | None]) -> None:
        self._snapshot, self._parts, self._held = snapshot, found, held
        self._has_polars = "polars" in snapshot["libraries"]
        # What nobody has claimed so far.
        self._plain, self._unreserved = found.sizes[Part.PLAIN], found.sizes[Part.UNRESERVED]
        self._is_counted = snapshot["c_system_bytes"] is not None
        # The C library could count, but malloc is not its own.
        self._has_other_malloc = (
            snapshot["libc"] == "glibc" and not self._is_counted and bool(snapshot["malloc"])
        )

    def rows(self) -> Iterator[_Row]:
        """Every component, some of them empty."""
        for component, part in _FILES.items():
            source = Source.PAGEMAP if self._parts.bounds[part] else Source.SMAPS
            yield self._of_part(component, part, source)
        if self._snapshot["origin"] == OUTSIDE:
            yield from self._from_outside()
            return
        if self._snapshot["is_searched"]:
            yield from self._python(self._parts.sizes[Part.POOL], self._parts.bounds[Part.POOL])
            yield self._of_part(Component.C_MMAPPED, Part.MMAPPED, Source.PAGEMAP)
        else:
            yield from self._as_counted()
        yield from self._c_heaps()
        yield from self._foreign()
        yield _Row(Component.UNEXPLAINED, self._plain, Source.SMAPS, self._unfound())

    def _of_part(self, component: Component, part: Part, source: Source) -> _Row:
        return _Row(component, self._parts.sizes[part], source, self._parts.bounds[part])

    def _from_outside(self) -> Iterator[_Row]:
        yield self._of_part(Component.C_HEAP, Part.HEAP, Source.SMAPS)
        rest = sum(self._parts.sizes[part] for part in (Part.UNRESERVED, Part.MIMALLOC, Part.PLAIN))
        yield _Row(Component.ANONYMOUS, rest, Source.SMAPS)
        yield _Row(Component.UNEXPLAINED, 0, Source.SMAPS)

    def _as_counted(self) -> Iterator[_Row]:
        """Where pages could not be looked at: what is said to be there may not be touched yet, so each is a bound."""
        arenas = min(self._snapshot["python_arena_bytes"] or 0, self._plain)
        self._plain -= arenas
        yield from self._python(arenas, None)
        mmapped = min(self._snapshot["c_mmapped_bytes"] or 0, self._plain)
        self._plain -= mmapped
        yield _Row(Component.C_MMAPPED, mmapped, Source.BOUND, None)

    def _python(self, resident: int, bound: int | None) -> Iterator[_Row]:
        used = min(self._snapshot["python_used_bytes"] or 0, resident)
        retained = min(self._snapshot["python_available_bytes"] or 0, resident - used)
        source = Source.PAGEMAP if bound is not None else Source.BOUND
        yield _Row(Component.PYTHON_USED, used, source, bound)
        yield _Row(Component.PYTHON_RETAINED, retained, source, bound)
        yield _Row(Component.PYTHON_SLACK, resident - used - retained, source, bound)

    def _c_heaps(self) -> Iterator[_Row]:
        resident = self._parts.sizes[Part.HEAP] + self._parts.sizes[Part.ARENA]
        if self._has_other_malloc:
            return
        if not self._is_counted:
            yield _Row(Component.C_HEAP, resident, Source.SMAPS)
            return
        system, free_counted = self._snapshot["c_system_bytes"], self._snapshot["c_free_bytes"]
        if not self._snapshot["is_searched"]:
            resident += self._further_arenas(system - resident)
        used_counted = max(0, system - free_counted)
        used = min(used_counted, resident)
        free = min(free_counted, resident - used)
        self._plain += resident - used - free
        # Pages that are not there are free ones that went back, as a rule; they may be used ones never touched.
        bound = min(max(0, used_counted + free_counted - resident), used, free_counted - free)
        yield _Row(Component.C_USED, used, Source.COUNTER, bound)
        yield _Row(Component.C_FREE, free, Source.COUNTER, bound)

    def _further_arenas(self, missing: int) -> int:
        """Where they were not looked for: up to 2.42 glibc reserves no swap for them, from 2.43 on it does."""
        unreserved = max(0, min(self._unreserved, missing))
        plain = max(0, min(self._plain, missing - unreserved))
        self._unreserved, self._plain = self._unreserved - unreserved, self._plain - plain
        return unreserved + plain

    def _foreign(self) -> Iterator[_Row]:
        """Allocators that libraries bring along: what they map is told by how they map it.

        pyarrow's pool is counted, and what nobody else can have mapped is kept for it.  polars' allocator has the rest.
        """
        mimalloc, rest = self._parts.sizes[Part.MIMALLOC], self._unreserved
        kept = mimalloc if "mimalloc" in self._held else 0
        rest += mimalloc - kept
        if self._has_other_malloc:  # whatever nobody claims may be its
            rest += self._plain + self._parts.sizes[Part.HEAP] + self._parts.sizes[Part.ARENA]
            self._plain = 0
        elif self._held.keys() - {"system"} and not self._has_polars:
            kept, rest = kept + rest, 0
        held = sum(size or 0 for backend, size in self._held.items() if backend != "system")
        used = min(held, kept)
        yield _Row(Component.POOL_USED, used, Source.COUNTER, kept - used)
        yield _Row(Component.POOL_KEPT, kept - used, Source.BOUND, kept - used)
        is_polars = self._has_polars and not self._has_other_malloc
        yield _Row(Component.POLARS if is_polars else Component.OTHER, rest, Source.BOUND, rest)

    def _unfound(self) -> int:
        """What is not explained may be blocks of C that nobody found, and parts of huge pages that were not touched."""
        counted, found = self._snapshot["c_mmapped_bytes"], self._snapshot["c_found_bytes"]
        missing = 0 if counted is None or found is None else max(0, counted - found)
        return min(self._plain, missing + self._parts.bounds[Part.PLAIN])
