"""Which places asked for memory, themselves and with all that they called?"""

from __future__ import annotations

import polars as pl

from diagtools import frames
from diagtools.analyse.profiles.places import By, keyed, unnamed
from diagtools.analyse.profiles.tree import rooted, topmost, walk
from diagtools.profile import Profile, Source

_OWN = ("self_size", "self_n")
_WITH_CALLS = ("total_size", "total_n")


def sites(profile: Profile, by: By = "line", *, origin: str | None = None) -> pl.DataFrame:
    """Which lines, functions, modules or packages held how much?  SITES, the largest own part first.

    ``self_size`` sums to the profile's total exactly; ``total_size`` counts a stack once for each place that stands in
    it, however often; ``share`` is the own part's, of the whole.  cProfile's statistics know who called whom but no
    stacks: their totals are null; so are counts where the source has none.  With ``origin`` only the places of that
    origin are rows: they sum to their part.
    """
    locations = keyed(profile.locations, by)
    summed = (
        locations.join(_held(profile, locations), on="location_id", how="left", maintain_order="left")
        .group_by("key", maintain_order=True)
        .agg(
            pl.col(*_OWN, *_WITH_CALLS).sum(),
            *(_shared(name, by) for name in ("function", "file", "line", "module")),
            pl.col("package").first(),
            pl.col("origin").sort_by("self_size", descending=True, maintain_order=True).first(),
        )
        .filter((pl.col("total_size") != 0) | (pl.col("total_n") != 0))
        .sort("self_size", "total_size", "key", descending=[True, True, False])
    )
    chosen = summed if origin is None else summed.filter(pl.col("origin") == origin)
    share = pl.col("self_size") / profile.total if profile.total else pl.lit(None, dtype=pl.Float64)
    return frames.SITES.check(
        chosen.with_columns(
            *(pl.col(name) if _is_known(name, profile) else _unknown(name) for name in (*_OWN, *_WITH_CALLS)),
            share=share,
            unit=pl.lit(str(profile.unit)),
        ).select(list(frames.SITES.columns))
    )


def _held(profile: Profile, locations: pl.DataFrame) -> pl.DataFrame:
    """A row a location: its own part, and the totals of the nodes that have no node of the same key above them."""
    nodes = rooted(profile).join(
        locations.select("location_id", key=pl.col("key").rank("dense")),
        on="location_id",
        how="left",
        maintain_order="left",
    )
    is_topmost = topmost(walk(nodes["parent"], nodes["total_size"]), nodes["key"])
    counted = (pl.when(is_topmost).then(name).otherwise(0).alias(name) for name in _WITH_CALLS)
    return nodes.with_columns(counted).group_by("location_id").agg(pl.col(*_OWN, *_WITH_CALLS).sum())


def _shared(name: str, by: By) -> pl.Expr:
    """The value that all locations of a place share; null for what a place of this kind has several of."""
    return _unknown(name) if name in unnamed(by) else pl.col(name).first()


def _unknown(name: str) -> pl.Expr:
    return pl.lit(None, dtype=frames.SITES.columns[name]).alias(name)


def _is_known(name: str, profile: Profile) -> bool:
    """Statistics of cProfile know no stacks, files of sizes alone no counts."""
    if name.startswith("total") and profile.source is Source.PSTATS:
        return False
    return profile.knows_counts or not name.endswith("_n")
