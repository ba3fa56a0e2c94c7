"""What does a ledger say, in sentences whose every number comes from its frames?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from diagtools.analyse.ledger import Component, at_snapshot, highest
from diagtools.analyse.ledger_doubts import doubts
from diagtools.units import format_bytes, format_share
from diagtools.values import Finding, State, Validity

_WORTH_SAYING = 0.05  # of the RSS
_MOST_OF_IT = 0.5  # of the RSS
_LEAST_BYTES = 1 << 20
_N_LARGEST = 3
_NO_TRIM = "predicted from the sizes of its free blocks, not measured"
_UNEXPLAINED = (
    "private memory that no allocator known here claims: mapped by the program itself, or by an allocator that is "
    "linked into an extension"
)


@dataclass(frozen=True, slots=True)
class _Told:
    """One snapshot: its components by name, and what else it knows."""

    ledger: pl.DataFrame
    snapshot: dict[str, Any]
    pools: pl.DataFrame
    sizes: dict[str, int]
    rss: int
    process: str
    n_others: int
    validity: tuple[Validity, ...]

    def size(self, *components: Component) -> int:
        """Of these together."""
        return sum(self.sizes.get(component, 0) for component in components)

    def is_worth_saying(self, size: int) -> bool:
        """Is it a part of the whole that matters?"""
        return size >= max(_LEAST_BYTES, _WORTH_SAYING * self.rss)

    def finding(self, sentence: str, size: int) -> Finding:
        """A sentence about so many bytes."""
        return Finding(sentence=sentence, value=size, unit="B", evidence=self.ledger, validity=self.validity)


def ledger_findings(
    found: pl.DataFrame,
    snapshots: pl.DataFrame,
    pools: pl.DataFrame,
    *,
    process: str = "",
    n_others: int = 0,
    has_objects: bool = False,
) -> list[Finding]:
    """What does the memory of a process consist of, and what of it could be had back?

    ``found`` is LEDGER (of several snapshots the one that held most is told of), ``snapshots`` LEDGER_SNAPSHOTS and
    ``pools`` POOLS; ``process`` names the process where the run has several, ``n_others`` of which have ledgers of
    their own; ``has_objects``: its objects were looked at too.  What is less than a twentieth of the RSS is not told
    of.  Raises ``NoDataError`` for no snapshot.
    """
    told = _told(highest(found), snapshots, pools, process=process, n_others=n_others)
    sentences = (
        _whole(told),
        None if has_objects else _in_c(told),
        _free_in_c(told),
        _free_in_python(told),
        _pool(told),
        _file_data(told),
        _shared(told),
        _stacks(told),
        _polars(told),
        _onnxruntime(told),
        _other(told),
        _unexplained(told),
    )
    return [each for each in sentences if each is not None]


def ledger_validity(found: pl.DataFrame, snapshots: pl.DataFrame) -> tuple[Validity, ...]:
    """What must be said beside the figures of this ledger?  Each thing once, for all of its snapshots."""
    ledgers = found.partition_by("pid", "index", maintain_order=True)
    by_key = snapshots.rows_by_key(["pid", "index"], named=True, include_key=True, unique=True)
    notes: dict[tuple[str, ...], Validity] = {}
    for one in sorted(ledgers, key=lambda each: -int(each["bytes"].sum())):
        for doubt in doubts(one, by_key[one["pid"][0], one["index"][0]]):
            sort = doubt.note if doubt.state is State.SKIPPED else ""  # a clamp is told of the largest alone
            notes.setdefault((doubt.what, doubt.state, sort), doubt)
    return tuple(notes.values())


def difference_finding(difference: pl.DataFrame) -> Finding:
    """Which components grew most between two snapshots?  ``difference`` is LEDGER_DIFFERENCE."""
    delta = int(difference["delta_bytes"].sum())
    ranked = difference.sort(pl.col("delta_bytes").abs(), descending=True).head(_N_LARGEST)
    changes = [
        f"{row['component']} {_signed(row['delta_bytes'])}"
        for row in ranked.iter_rows(named=True)
        if abs(row["delta_bytes"]) >= max(1, abs(delta) * _WORTH_SAYING)
    ]
    how = f": {', '.join(changes)}" if changes else ""
    return Finding(
        sentence=f"RSS changed by {_signed(delta)}{how}.", value=delta, unit="B", evidence=difference
    )


def _signed(size: int) -> str:
    return f"{'+' if size >= 0 else ''}{format_bytes(size)}"


def _told(
    one: pl.DataFrame, snapshots: pl.DataFrame, pools: pl.DataFrame, *, process: str, n_others: int
) -> _Told:
    key = (one["pid"][0], one["index"][0])
    snapshot = _snapshot(snapshots, key)
    return _Told(
        ledger=one,
        snapshot=snapshot,
        pools=at_snapshot(pools, pid=key[0], index=key[1]),
        sizes=dict(one.select("component", "bytes").iter_rows()),
        rss=int(one["bytes"].sum()),
        process=process,
        n_others=n_others,
        validity=tuple(doubts(one, snapshot)),
    )


def _snapshot(snapshots: pl.DataFrame, key: tuple[Any, ...]) -> dict[str, Any]:
    return at_snapshot(snapshots, pid=key[0], index=key[1]).row(0, named=True)


# --- the sentences -----------------------------------------------------------------------------------------


def _whole(told: _Told) -> Finding:
    largest = told.ledger.filter(pl.col("bytes") > 0).sort("bytes", descending=True).head(_N_LARGEST)
    named = ", ".join(
        f"{format_bytes(size)} {component}"
        for component, size in largest.select("component", "bytes").iter_rows()
    )
    rest = told.rss - int(largest["bytes"].sum())
    rest_text = f", {format_bytes(rest)} for all else" if rest else ""
    whose = f" of {told.process}" if told.process else ""
    others = {0: "", 1: "; 1 other process has a ledger of its own"}.get(
        told.n_others, f"; {told.n_others:,} other processes have ledgers of their own"
    )
    said = f"RSS of {format_bytes(told.rss)}{whose} consists of {named}{rest_text}{others}."
    return told.finding(said, told.rss)


def _in_c(told: _Told) -> Finding | None:
    """Where objects were not looked at: what C has handed out may be Python's, or C code's own."""
    size = told.size(Component.C_USED, Component.C_MMAPPED)
    if size < _MOST_OF_IT * told.rss:
        return None
    return told.finding(
        f"{format_bytes(size)} is in use through C's malloc, by Python's larger objects or by C code: "
        "diagtools record --ledger --holders tells them apart.",
        size,
    )


def _free_in_c(told: _Told) -> Finding | None:
    free = told.size(Component.C_FREE)
    if not told.is_worth_saying(free):
        return None
    before, after = told.snapshot["trim_before_bytes"], told.snapshot["trim_after_bytes"]
    if before is not None and after is not None:
        back = max(0, before - after)
        went = (
            f"{format_bytes(back)} went back with malloc_trim (measured)"
            if back
            else "malloc_trim gave nothing back"
        )
    else:
        went = f"about {format_bytes(_trimmable(told))} of it would go back with malloc_trim ({_NO_TRIM})"
    return told.finding(f"{format_bytes(free)} is free inside glibc; {went}.", free)


def _trimmable(told: _Told) -> int:
    """Whole pages of free blocks, without those that have gone back already."""
    snapshot = told.snapshot
    gone = max(0, int(snapshot["c_system_bytes"]) - told.size(Component.C_USED, Component.C_FREE))
    return max(0, min(told.size(Component.C_FREE), int(snapshot["c_whole_bytes"]) - gone))


def _free_in_python(told: _Told) -> Finding | None:
    held = told.size(Component.PYTHON_RETAINED, Component.PYTHON_SLACK)
    if not told.is_worth_saying(held):
        return None
    used = told.size(Component.PYTHON_USED)
    if held >= used:
        said = f"is held by half-empty pymalloc arenas: {format_bytes(used)} of objects keep them."
    else:
        said = (
            f"is free inside pymalloc arenas that are {format_share(used / (used + held))} full of objects."
        )
    return told.finding(f"{format_bytes(held)} {said}", held)


def _pool(told: _Told) -> Finding | None:
    kept = told.size(Component.POOL_USED, Component.POOL_KEPT)
    if not told.is_worth_saying(kept):
        return None
    own = told.pools.filter(pl.col("backend") != "system")
    held = int(own["held_bytes"].sum())
    names = (
        " and ".join(sorted(set(own.filter(pl.col("peak_bytes").fill_null(1) > 0)["backend"]))) or "pyarrow"
    )
    most = "at most " if told.size(Component.POOL_KEPT) else ""
    return told.finding(
        f"The pool of pyarrow ({names}) holds {format_bytes(held)}, the process keeps {most}{format_bytes(kept)} "
        "for it.",
        kept,
    )


def _file_data(told: _Told) -> Finding | None:
    size = told.size(Component.FILE_DATA)
    unwritten = told.size(Component.FILE_UNWRITTEN)
    if not told.is_worth_saying(size + unwritten):
        return None
    if not told.is_worth_saying(size):
        sentence = f"{format_bytes(unwritten)} is file pages the kernel can drop once they are written."
        return told.finding(sentence, unwritten)
    more = f", and {format_bytes(unwritten)} once that is written" if told.is_worth_saying(unwritten) else ""
    return told.finding(f"{format_bytes(size)} is file pages the kernel can drop{more}.", size)


def _shared(told: _Told) -> Finding | None:
    size = told.size(Component.SHARED)
    if not told.is_worth_saying(size):
        return None
    return told.finding(
        f"{format_bytes(size)} is shared memory, which each process that maps it counts in full.", size
    )


def _stacks(told: _Told) -> Finding | None:
    size = told.size(Component.STACKS)
    if not told.is_worth_saying(size):
        return None
    return told.finding(f"{format_bytes(size)} is stacks of threads.", size)


def _polars(told: _Told) -> Finding | None:
    size = told.size(Component.POLARS)
    if not told.is_worth_saying(size):
        return None
    return told.finding(
        f"polars' allocator keeps at most {format_bytes(size)}: it does not say what of that is in use.", size
    )


def _onnxruntime(told: _Told) -> Finding | None:
    size = told.size(Component.C_MMAPPED)
    if "onnxruntime" not in told.snapshot["libraries"] or not told.is_worth_saying(size):
        return None
    return told.finding(
        f"onnxruntime's arena is among the {format_bytes(size)} of large blocks of C: what it holds it does not say.",
        size,
    )


def _other(told: _Told) -> Finding | None:
    size = told.size(Component.OTHER)
    if not told.is_worth_saying(size):
        return None
    malloc = told.snapshot["malloc"]
    whose = (
        f", among them the malloc of {malloc}" if told.snapshot["c_system_bytes"] is None and malloc else ""
    )
    return told.finding(f"At most {format_bytes(size)} is held by other allocators{whose}.", size)


def _unexplained(told: _Told) -> Finding | None:
    size = told.size(Component.UNEXPLAINED)
    if not told.is_worth_saying(size):
        return None
    share = format_share(size / told.rss)
    return told.finding(f"{format_bytes(size)}, {share} of the RSS, is unexplained: {_UNEXPLAINED}.", size)
