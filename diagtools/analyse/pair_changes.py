"""What did each pair of runs change?"""

from __future__ import annotations

import polars as pl

from diagtools import frames
from diagtools.analyse.conditions import without_cold_times
from diagtools.frames.experiments import PAIR_CHANGES
from diagtools.values import Outcome

_LARGEST = 1e100


def pair_changes(pairs: pl.DataFrame, *, variant: str, metric: str, baseline: str) -> pl.DataFrame:
    """What did each pair of runs change, in order of time?

    ``pairs`` is PAIRS; PAIR_CHANGES, one row a pair in which both variants ran.  A run that was killed is an
    outcome: its pair stays, without a change.  So does one that never printed the metric, and for times one that had
    to read from disk what later ones found in the page cache.
    """
    known = without_cold_times(frames.PAIRS.check(pairs))
    base, other = _runs(known, baseline, metric), _runs(known, variant, metric)
    both = base.join(other, on="pair", how="inner", suffix="_other")
    is_whole = (pl.col("outcome") == Outcome.FINISHED) & (pl.col("outcome_other") == Outcome.FINISHED)
    before, after = pl.col("value"), pl.col("value_other")
    change = pl.when(is_whole).then(after - before)
    found = both.select(
        "pair",
        order=pl.max_horizontal("order", "order_other"),
        baseline_value=before,
        variant_value=after,
        baseline_outcome="outcome",
        variant_outcome="outcome_other",
        change=change,
        change_share=pl.when(before > 0).then(change / before),
    )
    return PAIR_CHANGES.check(found.sort("order", "pair"))


def is_number(column: str) -> pl.Expr:
    """Is this a value that can be reckoned with?  A program may print any number; squares of larger ones are none."""
    return pl.col(column).is_finite() & (pl.col(column).abs() < _LARGEST)


def _runs(pairs: pl.DataFrame, variant: str, metric: str) -> pl.DataFrame:
    """One row a pair that has a run of this variant: how it ended, and the metric where it is known and finite."""
    mine = pairs.filter(pl.col("variant") == variant).sort("pair", "order")
    ends = mine.group_by("pair", maintain_order=True).agg(pl.col("order", "outcome").first())
    known = mine.filter((pl.col("metric") == metric) & is_number("value"))
    values = known.group_by("pair").agg(pl.col("value").first())
    return ends.join(values, on="pair", how="left")
