"""Which of what was measured is the program's, and which that of the snapshots that were taken of it?"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import polars as pl

from diagtools.analyse.tree import living
from diagtools.frames import MARKERS, TIMELINE

_HOLDERS = "holders"
#: A sample bears the time of its tick; on a machine that has other work its RSS is read so much later.
_READ_LATE_S = 0.01
#: A sample's high-water mark may be so much older than the sample (see ``levels``).
_MARK_LAG_S = 0.12


@dataclass(frozen=True, slots=True, kw_only=True)
class Undisturbed:
    """TIMELINE and MARKERS of a program as they would be without the snapshots of it, as far as that is known."""

    timeline: pl.DataFrame
    markers: pl.DataFrame


def outside_snapshots(timeline: pl.DataFrame, taken: pl.DataFrame) -> pl.DataFrame:
    """What was sampled while no snapshot was taken of the process?

    ``timeline`` is TIMELINE, and so is the result; ``taken`` SNAPSHOT_TIMES.  A high-water mark that may be of a
    snapshot is the last from before it: what rose above the first mark from after it is the program's again.
    """
    if taken.is_empty() or timeline.is_empty():
        return timeline
    parts = [
        _outside(samples, _Snapshots(of)) if (of := taken.filter(pl.col("pid") == pid)).height else samples
        for (pid,), samples in timeline.partition_by("pid", as_dict=True, maintain_order=True).items()
    ]
    return TIMELINE.check(pl.concat(parts).sort("t_s", maintain_order=True))


def undisturbed(timeline: pl.DataFrame, markers: pl.DataFrame, taken: pl.DataFrame) -> Undisturbed:
    """What would the program have held without snapshots?  For what its items asked for and kept.

    ``timeline`` is TIMELINE, ``markers`` MARKERS and ``taken`` SNAPSHOT_TIMES.  What was measured within a snapshot is
    left out.  What the process holds more after one of its objects than before it is taken away from all that follows:
    the program stood still meanwhile, so it is what the snapshot left behind, free inside the C library as a rule.
    """
    outside = outside_snapshots(timeline, taken)
    told = _silenced(markers, taken)
    left = _left_behind(outside, told, taken)
    if left.is_empty():
        return Undisturbed(timeline=outside, markers=told)
    sizes = ("rss_bytes", "anon_bytes", "hwm_bytes")
    return Undisturbed(
        timeline=TIMELINE.check(_without(outside, left, sizes)),
        markers=MARKERS.check(_without(told, left, ("rss_bytes",))),
    )


class _Snapshots:
    """The snapshots of one process, in order of time; some may lie within others."""

    def __init__(self, taken: pl.DataFrame) -> None:
        ordered = taken.sort("begin_s")
        self.begins: list[float] = ordered["begin_s"].to_list()
        self.ends: list[float] = [*accumulate(ordered["end_s"].to_list(), max)]

    def n_begun(self, t_s: float) -> int:
        """How many had begun when a sample of this time was read?"""
        return bisect_right(self.begins, t_s + _READ_LATE_S)

    def within(self, t_s: float, n_begun: int, *, late_s: float = 0.0) -> bool:
        """Is this within one of the first that began, or so shortly after?"""
        return n_begun > 0 and t_s <= self.ends[n_begun - 1] + late_s


def _outside(samples: pl.DataFrame, snapshots: _Snapshots) -> pl.DataFrame:
    is_program = [not snapshots.within(t_s, snapshots.n_begun(t_s)) for t_s in samples["t_s"].to_list()]
    marks = pl.Series("hwm_bytes", [*_marks(samples, snapshots)], dtype=pl.Int64)
    return samples.with_columns(marks.fill_null(strategy="forward")).filter(
        pl.Series(is_program, dtype=pl.Boolean)
    )


def _marks(samples: pl.DataFrame, snapshots: _Snapshots) -> Iterator[int | None]:
    """The high-water marks that are the program's own: null where they may be a snapshot's."""
    of_snapshots, n_known = 0, 0  # the highest mark that may be one's, after so many of them
    for t_s, mark in samples.select("t_s", "hwm_bytes").iter_rows():
        n_begun = snapshots.n_begun(t_s)
        is_unsure = snapshots.within(t_s, n_begun, late_s=_MARK_LAG_S)
        if n_begun > n_known and not is_unsure and mark is not None:
            of_snapshots, n_known = max(of_snapshots, mark), n_begun
        yield None if is_unsure or mark is None or mark <= of_snapshots else mark


def _silenced(markers: pl.DataFrame, taken: pl.DataFrame) -> pl.DataFrame:
    """Markers without what they read within a snapshot of their process: another thread may have set them."""
    known = {int(pid): _Snapshots(of) for (pid,), of in taken.partition_by("pid", as_dict=True).items()}
    if not known:
        return markers
    read = [
        None if pid in known and known[pid].within(t_s, bisect_right(known[pid].begins, t_s)) else rss
        for t_s, pid, rss in markers.select("t_s", "pid", "rss_bytes").iter_rows()
    ]
    return markers.with_columns(rss_bytes=pl.Series(read, dtype=pl.Int64))


def _left_behind(timeline: pl.DataFrame, markers: pl.DataFrame, taken: pl.DataFrame) -> pl.DataFrame:
    """By how much more than before any was taken does each process hold since ``t_s``?  A row a snapshot of objects."""
    columns = ("t_s", "pid", "rss_bytes")
    known = pl.concat([living(timeline).select(columns), markers.select(columns).drop_nulls()])
    rows: list[tuple[float, int, int]] = []
    for (pid,), of in (
        taken.filter(pl.col("instrument") == _HOLDERS).partition_by("pid", as_dict=True).items()
    ):
        own = known.filter(pl.col("pid") == pid).sort("t_s", maintain_order=True)
        rows += [(t_s, int(pid), left) for t_s, left in _steps(own, of.sort("begin_s"))]
    schema = {"t_s": pl.Float64, "pid": pl.Int64, "left_bytes": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row").sort("t_s")


def _steps(known: pl.DataFrame, taken: pl.DataFrame) -> Iterator[tuple[float, int]]:
    """When did each of these end, and what did they leave behind so far, from one reading to the next?"""
    times: Sequence[float] = known["t_s"].to_list()
    sizes: Sequence[int] = known["rss_bytes"].to_list()
    left, counted = 0, 0
    for begin_s, end_s in taken.select("begin_s", "end_s").iter_rows():
        before, after = bisect_right(times, begin_s) - 1, bisect_left(times, end_s)
        if counted <= after < len(times) and before >= 0:  # no reading between two of them: one step for both
            left += max(0, sizes[after] - sizes[before])
            counted = after + 1
            yield end_s, left


def _without(frame: pl.DataFrame, left: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    ordered = frame.with_row_index("place").sort("t_s", maintain_order=True)
    joined = ordered.join_asof(left, on="t_s", by="pid", strategy="backward", check_sortedness=False)
    less = pl.col("left_bytes").fill_null(0)
    taken_off = [
        (pl.col(name) - less).clip(lower_bound=pl.min_horizontal(pl.col(name), 1)) for name in columns
    ]
    return joined.with_columns(taken_off).sort("place").select(frame.columns)
