"""memray's flamegraph over time: which stack's allocations were made and freed between which of its snapshots?"""

from __future__ import annotations

from itertools import accumulate

import polars as pl

from diagtools import frames
from diagtools.errors import DamagedError, UsageError
from diagtools.profile import Profile, Source, Unit, View
from diagtools.read.profiles import export_json
from diagtools.read.profiles.assemble import Gathered
from diagtools.read.profiles.export_file import LARGEST, check_sums
from diagtools.read.profiles.memray_nodes import Nodes, nodes_of
from diagtools.read.profiles.memray_page import Page
from diagtools.read.profiles.memray_time import ends_of, records_of, tracked
from diagtools.values import State, Validity

_FIELDS = ("begin", "end", "node", "n", "size")


def temporal(page: Page, view: View | None) -> Profile:
    """What does this flamegraph over time say?

    The allocations are those that were live at the highest peak (PEAK), or that were never freed (LEAKED); what was
    live in each interval must sum to the high-water mark that the report states for it, to the byte.
    """
    n_snapshots = len(records_of(page))
    nodes = nodes_of(page)
    intervals = _intervals(page, len(nodes.parents), n_snapshots)
    peaks = _peaks(page, n_snapshots)
    live = _live(intervals, n_snapshots + 1)
    if peaks and peaks != live:
        raise DamagedError(
            f"The intervals of '{page.name}' do not sum to the high-water marks that it states.",
            hint="the report was changed after it was written: write it again.",
        )
    shown = view or (View.PEAK if peaks else View.LEAKED)
    if shown not in ((View.PEAK, View.LEAKED) if peaks else (View.LEAKED,)):
        raise UsageError(
            f"'{page.name}' does not say which allocations were {shown}.",
            hint="for the peak write it without --leaks; one over time has no temporary allocations.",
        )
    return _profile(page, nodes, intervals, shown, live)


def _intervals(page: Page, n_nodes: int, n_snapshots: int) -> pl.DataFrame:
    """Rows of begin, end (null: never freed), node, n, size."""
    what = f"The intervals of '{page.name}'"
    rows = export_json.listed(export_json.member(page.data, "intervals", what), what)
    if not all(isinstance(row, list) and len(row) == len(_FIELDS) for row in rows):
        raise DamagedError(f"{what} are not as memray writes them.")
    begins, ends, owners, counts, sizes = ([row[at] for row in rows] for at in range(len(_FIELDS)))
    export_json.wholes(begins, what, below=n_snapshots + 2)
    export_json.wholes([end for end in ends if end is not None], what, below=n_snapshots + 2)
    export_json.wholes(owners, what, below=n_nodes)
    export_json.wholes(counts, what)
    if sum(export_json.wholes(sizes, what)) > LARGEST or sum(counts) > LARGEST:
        raise DamagedError(f"{what} sum to more than 2⁶³: no program asked for that.")
    if any(size and not n for size, n in zip(sizes, counts, strict=True)):
        raise DamagedError(f"{what} do not agree: one holds bytes that nothing allocated.")
    if any(end is not None and end <= begin for begin, end in zip(begins, ends, strict=True)):
        raise DamagedError(f"{what} do not agree: one was freed before it was allocated.")
    columns = dict(zip(_FIELDS, (begins, ends, owners, counts, sizes), strict=True))
    return pl.DataFrame(columns, schema=dict.fromkeys(_FIELDS, pl.Int64))


def _peaks(page: Page, n_snapshots: int) -> list[int]:
    """The high-water mark of each interval; none in a report of leaks."""
    what = f"The high-water marks of '{page.name}'"
    value = export_json.member(page.data, "high_water_mark_by_snapshot", what)
    peaks = [] if value is None else export_json.wholes(value, what)
    if (value is not None and len(peaks) != n_snapshots + 1) or page.is_of_leaks == bool(peaks):
        raise DamagedError(f"{what} are not as many as its snapshots, or as its title says.")
    return peaks


def _live(intervals: pl.DataFrame, n: int) -> list[int]:
    """How many bytes were live at each index?"""
    change = [0] * (n + 2)
    for begin, end, size in intervals.select("begin", "end", "size").iter_rows():
        change[begin] += size
        if end is not None:
            change[end] -= size
    return list(accumulate(change))[:n]


def _profile(page: Page, nodes: Nodes, intervals: pl.DataFrame, view: View, live: list[int]) -> Profile:
    gathered = Gathered()
    used = [False] * len(nodes.parents)
    for node in intervals["node"].unique().to_list():
        used[node] = True
    stacks = nodes.stacks_in(gathered.tree, used, is_inverted=page.is_inverted)
    at = live.index(max(live))
    is_shown = pl.col("end").is_null()
    if view is View.PEAK:
        is_shown = (pl.col("begin") <= at) & (is_shown | (pl.col("end") > at))
    for node, n, size in (
        intervals.filter(is_shown & (pl.col("n") > 0)).select("node", "n", "size").iter_rows()
    ):
        gathered.add_to(stacks[node], size, n=n, thread=nodes.threads[node])
    seen, odd_clock = tracked(page)
    return check_sums(gathered).profile(
        name=page.name,
        source=Source.MEMRAY_FLAMEGRAPH,
        view=view,
        unit=Unit.BYTES,
        lifetimes=_lifetimes(page, nodes, intervals, stacks),
        tracked=seen,
        validity=(*_against_heap(page, live), *nodes.validity(), *odd_clock),
    )


def _lifetimes(page: Page, nodes: Nodes, intervals: pl.DataFrame, stacks: list[int]) -> pl.DataFrame:
    rows = records_of(page)
    ends = pl.Series("end_s", ends_of(page, rows, len(rows) + 2), dtype=pl.Float64)
    of_node = pl.DataFrame(
        {
            "stack_id": pl.Series(stacks, dtype=pl.Int64),
            "thread": pl.Series(nodes.threads, dtype=pl.String),
        }
    )
    named = pl.concat(
        [intervals.filter(pl.col("n") > 0), of_node[intervals.filter(pl.col("n") > 0)["node"]]],
        how="horizontal",
    )
    timed = named.with_columns(
        begin_s=ends.gather(named["begin"]),
        end_s=pl.Series(
            [None if end is None else float(ends[end]) for end in named["end"].to_list()], dtype=pl.Float64
        ),
    )
    summed = (
        timed.group_by("stack_id", "begin_s", "end_s", "thread", maintain_order=True)
        .agg(pl.col("size").sum(), n_allocations=pl.col("n").sum())
        .with_columns(allocator=pl.lit(""), pid=pl.lit(None, dtype=pl.Int64))
    )
    return frames.LIFETIMES.check(summed.select(list(frames.LIFETIMES.columns)))


def _against_heap(page: Page, live: list[int]) -> tuple[Validity, ...]:
    """A report of leaks states what was allocated at each snapshot: its intervals are to sum to that."""
    rows = records_of(page)
    n_odd = sum(row[2] != size for row, size in zip(rows, live, strict=False)) if page.is_of_leaks else 0
    if not n_odd:
        return ()
    note = f"at {n_odd} of {len(rows)} snapshots the intervals do not sum to the heap that the report states"
    return (Validity(what="bytes over time", state=State.TRUNCATED, note=note),)
