"""How sure is it that a place changed, and not only its noise?

With repeats each place has a range of sizes a side.  The rule:

===================================================  ====================
runs and ranges                                      certainty
===================================================  ====================
one run a side                                       one run each
the ranges of the two sides meet                     within noise
they do not, by more than the wider of them, and
each side has three runs or more                     certain
they do not                                          likely
===================================================  ====================

Where both sides are one distribution, three runs a side are apart in one place of ten, and by more than the wider range
in one of a hundred; five runs in one of 120 and one of 4,000 (simulated: uniform, normal and exponential noise).  A
profile has hundreds of places: look at the size of what is called certain too.
"""

from __future__ import annotations

import polars as pl

CERTAIN, LIKELY, WITHIN_NOISE, ONE_RUN_EACH = "certain", "likely", "within noise", "one run each"

_RUNS_TO_BE_SURE = 3


def ranges(n_before: int, n_after: int) -> list[pl.Expr]:
    """``low_size`` and ``high_size`` of a change, from ``before_min``, ``before_max``, ``after_min``, ``after_max``.

    The least and the most that the place can have changed by between any two runs; null without repeats.
    """
    low, high = pl.col("after_min") - pl.col("before_max"), pl.col("after_max") - pl.col("before_min")
    is_single = n_before == 1 and n_after == 1
    unknown = pl.lit(None, dtype=pl.Int64)
    return [
        (unknown if is_single else low).alias("low_size"),
        (unknown if is_single else high).alias("high_size"),
    ]


def certainty(n_before: int, n_after: int) -> pl.Expr:
    """How sure is the change of a place?  The rule at the top of this module, on the columns of ``ranges``."""
    if n_before == 1 and n_after == 1:
        return pl.lit(ONE_RUN_EACH)
    wider = pl.max_horizontal(
        pl.col("before_max") - pl.col("before_min"), pl.col("after_max") - pl.col("after_min")
    )
    apart = pl.max_horizontal(
        pl.col("after_min") - pl.col("before_max"), pl.col("before_min") - pl.col("after_max")
    )
    is_sure = (apart > wider) & (min(n_before, n_after) >= _RUNS_TO_BE_SURE)
    return (
        pl.when(apart <= 0)
        .then(pl.lit(WITHIN_NOISE))
        .when(is_sure)
        .then(pl.lit(CERTAIN))
        .otherwise(pl.lit(LIKELY))
    )
