"""What grew from one capture to another, where, and how sure is that?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from diagtools import frames
from diagtools.analyse.profiles import places
from diagtools.analyse.profiles.certainty import certainty, ranges
from diagtools.analyse.profiles.matching import matched, places_of
from diagtools.analyse.profiles.places import By
from diagtools.errors import UsageError
from diagtools.profile import Profile, Unit
from diagtools.values import Validity

#: Below this share of common places two captures are hardly of one program.
LEAST_MATCHED = 0.2

_Side = Literal["before", "after"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What changed between two sides: DIFFERENCE, whose ``delta_size`` sum to the change of the totals exactly.

    The totals are those of one run a side, the one whose total is the (lower) median: ``typical`` counts it from 0.
    ``matched_share`` is how many
    places of the side that has fewer the other has too, null where a side has none; ``doubts`` are sentences on why the
    two should perhaps not be compared.
    """

    frame: pl.DataFrame
    before_total: int
    after_total: int
    n_before: int
    n_after: int
    typical_before: int
    typical_after: int
    unit: Unit
    matched_share: float | None
    doubts: tuple[str, ...] = ()
    validity: tuple[Validity, ...] = ()

    @property
    def delta(self) -> int:
        """By how much did the total change?"""
        return self.after_total - self.before_total

    @property
    def is_one_program(self) -> bool:
        """Have the two sides enough places in common to be compared place by place?"""
        return self.matched_share is None or self.matched_share >= LEAST_MATCHED


def difference(before: Sequence[Profile], after: Sequence[Profile], by: By = "line") -> Difference:
    """Which places hold more or less than they did, and how sure is it?  One or several runs of each side.

    The rows are the places whose own part changed, the largest change first; what they changed by sums to the change of
    the total exactly.  For that the sizes of each side are those of one run, whose total is the (lower) median; the
    other runs say how much of a change may be noise (``certainty``).  The difference of a run and itself has no rows,
    and with the sides exchanged all signs are.  Raises ``UsageError`` for a side without runs and for different units.
    """
    unit = _one_unit(before, after)
    matches = matched(before, after)
    held = pl.concat([_held(before, matches, "before"), _held(after, matches, "after")])
    rows = _rows(_summed(held, _grouped(matches, by)), len(before), len(after))
    named = rows.join(_names(matches, by), on="group", how="left", maintain_order="left")
    typical = (_typical(before), _typical(after))
    share = _matched_share(matches)
    return Difference(
        frame=frames.DIFFERENCE.check(
            named.with_columns(unit=pl.lit(str(unit)))
            .sort(-pl.col("delta_size").abs(), "order", "group")
            .select(list(frames.DIFFERENCE.columns))
        ),
        before_total=before[typical[0]].total,
        after_total=after[typical[1]].total,
        n_before=len(before),
        n_after=len(after),
        typical_before=typical[0],
        typical_after=typical[1],
        unit=unit,
        matched_share=share,
        doubts=_doubts(before, after, share),
        validity=tuple(dict.fromkeys(one for profile in (*before, *after) for one in profile.validity)),
    )


def _one_unit(before: Sequence[Profile], after: Sequence[Profile]) -> Unit:
    if not before or not after:
        raise UsageError("A difference needs at least one run before and one after.")
    units = sorted({str(profile.unit) for profile in (*before, *after)})
    if len(units) > 1:
        raise UsageError(
            f"Sizes in {' and '.join(units)} cannot be compared.",
            hint="compare two captures of the same kind; --unit says what folded stacks count.",
        )
    return before[0].unit


def _typical(profiles: Sequence[Profile]) -> int:
    """Which run stands for its side?  The one with the (lower) median of the totals."""
    order = sorted(range(len(profiles)), key=lambda run: profiles[run].total)
    return order[(len(profiles) - 1) // 2]


def _held(profiles: Sequence[Profile], matches: pl.DataFrame, side: _Side) -> pl.DataFrame:
    """What each place held itself in each run of a side; the sizes of a run sum to its total."""
    typical = _typical(profiles)
    runs = [
        profile.allocations.join(profile.stacks.select("stack_id", "location_id"), on="stack_id")
        .join(places_of(profile.locations, matches, side), on="location_id")
        .group_by("place_id")
        .agg(pl.col("size").sum(), n=pl.col("n_allocations").sum())
        .with_columns(side=pl.lit(side), run=pl.lit(run), is_typical=pl.lit(run == typical))
        for run, profile in enumerate(profiles)
    ]
    return pl.concat(runs)


def _grouped(matches: pl.DataFrame, by: By) -> pl.DataFrame:
    """MATCHES with ``key``, and ``group``: equal for all that is one row by this."""
    line = pl.coalesce("line_after", "line_before").alias("line")
    keyed = matches.with_columns(line).with_columns(key=places.key(by))
    if by == "line":
        return keyed.with_columns(group=pl.col("place_id").cast(pl.String))
    if by == "function":
        return keyed.with_columns(group=pl.format("{} {}", "file_id", "function"))
    return keyed.with_columns(group="key")


def _summed(held: pl.DataFrame, grouped: pl.DataFrame) -> pl.DataFrame:
    return (
        held.join(grouped.select("place_id", "group"), on="place_id", how="left", maintain_order="left")
        .group_by("group", "side", "run", "is_typical", maintain_order=True)
        .agg(pl.col("size", "n").sum())
    )


def _rows(held: pl.DataFrame, n_before: int, n_after: int) -> pl.DataFrame:
    """One row a group whose size changed.  A run that has not got a place has 0 of it."""
    parts: list[pl.Expr] = []
    sides: tuple[tuple[_Side, int], ...] = (("before", n_before), ("after", n_after))
    for side, n_runs in sides:
        of_side = pl.col("side") == side
        size = pl.col("size").filter(of_side)
        absent = pl.when(of_side.sum() < n_runs).then(0)
        parts += [
            size.filter(pl.col("is_typical").filter(of_side)).sum().alias(f"{side}_size"),
            pl.col("n").filter(of_side & pl.col("is_typical")).sum().alias(f"{side}_n"),
            pl.min_horizontal(size.min(), absent).alias(f"{side}_min"),
            pl.max_horizontal(size.max(), absent).alias(f"{side}_max"),
        ]
    return (
        held.group_by("group", maintain_order=True)
        .agg(parts)
        .with_columns(
            *ranges(n_before, n_after),
            delta_size=pl.col("after_size") - pl.col("before_size"),
            certainty=certainty(n_before, n_after),
        )
        .filter(pl.col("delta_size") != 0)
    )


def _names(matches: pl.DataFrame, by: By) -> pl.DataFrame:
    """What each group is called; ``order`` puts them in an order that is the same with the sides exchanged."""
    hidden = places.unnamed(by)
    columns = {name: "line" if name.startswith("line_") else name for name in frames.DIFFERENCE.columns}
    kept = ("function", "file", "line_before", "line_after", "module", "package", "origin")
    first_line = pl.min_horizontal("line_before", "line_after").cast(pl.String).str.zfill(9)
    return (
        _grouped(matches, by)
        .with_columns(order=pl.concat_str("path", "function", first_line, separator=" "))
        .group_by("group", maintain_order=True)
        .agg(
            pl.col("key").first(),
            pl.col("order").min(),
            *(
                pl.lit(None, dtype=frames.DIFFERENCE.columns[name]).alias(name)
                if columns[name] in hidden
                else pl.col(name).first()
                for name in kept
            ),
        )
    )


def _matched_share(matches: pl.DataFrame) -> float | None:
    """How many places of the side that has fewer has the other too?  Those that are not Python's own, if any."""
    told = matches.filter(pl.col("origin").is_in(["own", "third-party", "native"]))
    ranked = told if told.height else matches
    old, new = (ranked[f"path_{side}"].is_not_null() for side in ("before", "after"))
    n_both, fewer = int((old & new).sum()), min(int(old.sum()), int(new.sum()))
    return n_both / fewer if fewer else None


def _doubts(before: Sequence[Profile], after: Sequence[Profile], share: float | None) -> tuple[str, ...]:
    doubts = []
    if share is not None and share < LEAST_MATCHED:
        doubts.append(f"The two sides have only {share:.0%} of their places in common: hardly one program.")
    for what in ("view", "source"):
        kinds = [sorted({str(getattr(one, what)) for one in side}) for side in (before, after)]
        if kinds[0] != kinds[1] or len(kinds[0]) > 1:
            doubts.append(f"The {what}s differ: {', '.join(kinds[0])} before, {', '.join(kinds[1])} after.")
    return tuple(doubts)
