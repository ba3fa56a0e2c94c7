"""What lived when?  One capture as it was at a moment, or in a part of its time.

The tracker looks from time to time: what it calls the begin of an allocation is the end of the interval in which it was
made, and its end the end of that in which it was freed.  So an allocation is live from ``begin_s`` to before ``end_s``,
and was made within a part of the time if its ``begin_s`` is after that part's begin and not after its end.  What came
and went between two looks is in neither, so the most that lived may be below the peak of the same capture.  A look has
the time at which it began: on a busy machine, what was made within some ms after that may count as made before it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import polars as pl

from diagtools import frames
from diagtools.errors import NoDataError, UsageError
from diagtools.profile import Profile, View

_GROUP = ("stack_id", "allocator", "pid", "thread")


def live_at(profile: Profile, t_s: float) -> Profile:
    """What was live at this moment?  The profile, its view ``live``; its sizes sum to what LIFETIMES has live then.

    Raises ``NoDataError`` where the capture knows no time.
    """
    return _viewed(profile, lifetimes(profile).filter(_is_live(t_s)), View.LIVE)


def live_between(
    profile: Profile, begin_s: float, end_s: float, what: Literal["max", "mean"] = "max"
) -> Profile:
    """What lived in a phase, or while an item ran?  The profile, its view ``live``.

    ``max`` is the moment within the part at which most was live altogether (the first, where several are): its sizes
    sum to that.  ``mean`` is how much of each stack was live on average over the part, rounded to whole units a stack,
    allocator, process and thread; ``n_allocations`` counts all that lived within it.  Raises ``UsageError`` for a part
    that ends before it begins, ``NoDataError`` where the capture knows no time.
    """
    _check_part(begin_s, end_s)
    if what == "max" or begin_s == end_s:
        return live_at(profile, _fullest_s(profile, begin_s, end_s))
    lived = lifetimes(profile).filter(
        (pl.col("begin_s") < end_s) & (pl.col("end_s").is_null() | (pl.col("end_s") > begin_s))
    )
    part = pl.col("size") * overlap_s(begin_s, end_s) / (end_s - begin_s)
    return _viewed(profile, lived, View.LIVE, size=part.sum().round().cast(pl.Int64))


def allocated_within(profile: Profile, begin_s: float, end_s: float, *, only_kept: bool = False) -> Profile:
    """What was asked for in a phase, or while an item ran?  The profile, its view ``allocated``.

    With ``only_kept`` what of it was still live at the end of the part: what a phase left behind.  Raises as
    ``live_between``.
    """
    _check_part(begin_s, end_s)
    made = lifetimes(profile).filter((pl.col("begin_s") > begin_s) & (pl.col("begin_s") <= end_s))
    return _viewed(profile, made.filter(_is_live(end_s)) if only_kept else made, View.ALLOCATED)


def lifetimes(profile: Profile) -> pl.DataFrame:
    """LIFETIMES of a profile; raises ``NoDataError`` where its source knows no time."""
    if profile.lifetimes is None:
        raise NoDataError(
            f"Profile {profile.name!r}, a {profile.source}, does not know when anything was allocated.",
            hint="record with --memray or --tracemalloc: their captures have the time.",
        )
    return profile.lifetimes


def overlap_s(begin_s: float, end_s: float) -> pl.Expr:
    """For how long of a part of the time did a row of LIFETIMES live?"""
    until = pl.min_horizontal(pl.col("end_s").fill_null(end_s), pl.lit(end_s))
    return (until - pl.max_horizontal("begin_s", pl.lit(begin_s))).clip(lower_bound=0.0)


def _is_live(t_s: float) -> pl.Expr:
    return (pl.col("begin_s") <= t_s) & (pl.col("end_s").is_null() | (pl.col("end_s") > t_s))


def _check_part(begin_s: float, end_s: float) -> None:
    if not begin_s <= end_s:
        raise UsageError(
            f"From {begin_s} s to {end_s} s is no part of the time.", hint="begin_s comes first."
        )


def _fullest_s(profile: Profile, begin_s: float, end_s: float) -> float:
    """When within the part was most live?"""
    rows = lifetimes(profile)
    made = rows.select(t_s="begin_s", change="size")
    freed = rows.select(t_s="end_s", change=-pl.col("size")).drop_nulls()
    moments = pl.concat([made, freed, pl.DataFrame({"t_s": [float(begin_s)], "change": [0]})])
    live = (
        moments.group_by("t_s")
        .agg(pl.col("change").sum())
        .sort("t_s")
        .with_columns(live=pl.col("change").cum_sum())
        .filter(pl.col("t_s").is_between(begin_s, end_s))
        .sort("live", "t_s", descending=[True, False])
    )
    return float(live["t_s"][0])


def _viewed(profile: Profile, rows: pl.DataFrame, view: View, size: pl.Expr | None = None) -> Profile:
    """The profile with these rows of LIFETIMES as its ALLOCATIONS."""
    summed = (
        rows.group_by(_GROUP, maintain_order=True)
        .agg(size=pl.col("size").sum() if size is None else size, n_allocations=pl.col("n_allocations").sum())
        .with_columns(kind=pl.lit(str(view)), unit=pl.lit(str(profile.unit)))
        .select(list(frames.ALLOCATIONS.columns))
    )
    return replace(profile, view=view, allocations=frames.ALLOCATIONS.check(summed))
