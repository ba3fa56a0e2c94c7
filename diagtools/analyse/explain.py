"""Which feature of the items explains how much memory they needed?

An allocator that keeps memory moves blame to whoever came first: peaks then follow the largest request *so
far*, not the item's own.  So peaks are compared with the running maximum of each feature too.
"""

from __future__ import annotations

import polars as pl

from diagtools import frames
from diagtools.analyse.spans import IN_FLIGHT
from diagtools.units import format_bytes, format_share
from diagtools.values import Finding

ITSELF = "itself"
RUNNING_MAXIMUM = "running maximum"
POSITION = "position"

_FEWEST_ITEMS = 8
#: Two levels of a running maximum are one step, and one step of the peaks fits any of them.
_FEWEST_LEVELS = 3
_WEAKEST_R2 = 0.5
_CLEARLY_LESS = 0.2


def explain_peaks(items: pl.DataFrame) -> pl.DataFrame:
    """How much of the items' demand and peaks does each of their features explain, and how many bytes a unit?

    ``items`` is ITEMS; the result is EXPLAINED, the best fit first: least squares of ``demand_bytes`` and of
    ``peak_bytes`` on the feature ``itself``, and of ``peak_bytes`` on its ``running maximum`` among the items
    of the process so far, in order of begin.  ``position`` (0, 1, 2 … in order of begin) stands beside the
    features.  Left out are items in flight (what they would have needed is not known, only a lower bound) and
    items without a value.  No row stands for fewer than 8 items, a feature or a measure that does not vary, or
    a running maximum of fewer than 3 levels.
    """
    long = _long(items)
    fits = pl.concat(
        [
            _fits(long, of=ITSELF, x="value", y="demand_bytes"),
            _fits(long, of=ITSELF, x="value", y="peak_bytes"),
            _fits(long, of=RUNNING_MAXIMUM, x="highest", y="peak_bytes"),
        ]
    )
    order = ("r2", "explains", "of", "feature")
    return frames.EXPLAINED.check(fits.sort(*order, descending=[True, False, False, False]))


def best_explanation(explained: pl.DataFrame) -> Finding | None:
    """Which one feature explains the memory best, in a sentence?  Null below an R² of 0.5.

    ``explained`` is EXPLAINED.  Only growing fits count.  Where a running maximum is best, the sentence says
    how little the items' own values explain: memory once taken is kept.
    """
    fitting = explained.filter((pl.col("r2") >= _WEAKEST_R2) & (pl.col("bytes_per_unit") > 0))
    if fitting.is_empty():
        return None
    best = fitting.sort("r2", descending=True, maintain_order=True).row(0, named=True)
    unit, n_units = _unit(best["feature"])
    what = "the peaks" if best["explains"] == "peak_bytes" else "what items ask for"
    is_maximum = best["of"] == RUNNING_MAXIMUM
    of = RUNNING_MAXIMUM if is_maximum else "value"
    fit = (
        f"The {of} of {best['feature']} explains {format_share(best['r2'])} of {what}: "
        f"{format_bytes(best['bytes_per_unit'] * n_units)} {unit} on top of "
        f"{format_bytes(best['intercept_bytes'])} ({best['n_items']} items)."
    )
    sentence = fit + (_own(explained, best["feature"], best["r2"]) if is_maximum else "")
    return Finding(sentence=sentence, value=best["r2"], unit="R²", evidence=explained)


def _long(items: pl.DataFrame) -> pl.DataFrame:
    """One row an item and feature, ``position`` among them; ``highest`` is the running maximum."""
    begun = items.sort("begin_s", "pid", "index").with_columns(
        position=pl.int_range(pl.len()).cast(pl.Float64)
    )
    kept = ("pid", "position", "status", "demand_bytes", "peak_bytes")
    features = (
        begun.select(*kept, "features")
        .explode("features")
        .select(*kept, feature=pl.col("features").struct["name"], value=pl.col("features").struct["value"])
    )
    positions = begun.select(*kept, feature=pl.lit(POSITION), value=pl.col("position"))
    long = pl.concat([features, positions]).filter(pl.col("value").is_finite()).sort("position")
    highest = pl.col("value").cum_max().over("pid", "feature")
    return long.with_columns(highest=highest).filter(pl.col("status") != IN_FLIGHT)


def _fits(long: pl.DataFrame, *, of: str, x: str, y: str) -> pl.DataFrame:
    enough = pl.col("n_items") >= _FEWEST_ITEMS
    if of == RUNNING_MAXIMUM:
        long = long.filter(pl.col("feature") != POSITION)
        enough &= pl.col("n_levels") >= _FEWEST_LEVELS
    measured = long.select("feature", x=pl.col(x), y=pl.col(y).cast(pl.Float64)).drop_nulls()
    centred = measured.with_columns(
        dx=pl.col("x") - pl.col("x").mean().over("feature"),
        dy=pl.col("y") - pl.col("y").mean().over("feature"),
    )
    sums = centred.group_by("feature").agg(
        xx=(pl.col("dx") ** 2).sum(),
        xy=(pl.col("dx") * pl.col("dy")).sum(),
        yy=(pl.col("dy") ** 2).sum(),
        mean_x=pl.col("x").mean(),
        mean_y=pl.col("y").mean(),
        varies=(pl.col("x").min() < pl.col("x").max()) & (pl.col("y").min() < pl.col("y").max()),
        n_levels=pl.col("x").n_unique(),
        n_items=pl.len().cast(pl.Int64),
    )
    slope = pl.col("xy") / pl.col("xx")
    return sums.filter(enough & pl.col("varies")).select(
        "feature",
        of=pl.lit(of),
        explains=pl.lit(y),
        r2=(pl.col("xy") ** 2 / (pl.col("xx") * pl.col("yy"))).clip(0.0, 1.0),
        bytes_per_unit=slope,
        intercept_bytes=pl.col("mean_y") - slope * pl.col("mean_x"),
        n_items="n_items",
    )


def _unit(feature: str) -> tuple[str, int]:
    """The words for the slope, and for how many units: ``a chunk``, ``a KiB of size_bytes``."""
    if feature == POSITION:
        return "an item", 1
    if feature.endswith("_bytes"):
        return f"a KiB of {feature}", 1024
    name = feature.removeprefix("n_")
    if not name.endswith("s") or name.endswith("ss"):
        return f"a unit of {feature}", 1
    article = "an" if name[0] in "aeiou" else "a"
    return f"{article} {name.removesuffix('s')}", 1


def _own(explained: pl.DataFrame, feature: str, r2: float) -> str:
    """What the items' own values explain, where that is clearly less."""
    is_own = (pl.col("feature") == feature) & (pl.col("of") == ITSELF) & (pl.col("explains") == "peak_bytes")
    own = explained.filter(is_own)["r2"]
    if own.is_empty() or own[0] > r2 - _CLEARLY_LESS:
        return ""
    share = format_share(own[0])
    return f" An item's own value explains {share}: memory once taken is kept, whoever asks next."
