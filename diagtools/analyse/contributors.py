"""Who made the memory grow, and who asked for most of it?"""

from __future__ import annotations

from typing import Literal

import polars as pl

from diagtools import frames
from diagtools.analyse.tree import living

By = Literal["item", "folder", "kind"]


def growth_bytes(timeline: pl.DataFrame, markers: pl.DataFrame) -> int:
    """How much did memory grow over the run: last minus first sample, summed over the processes?

    ``timeline`` is TIMELINE, ``markers`` MARKERS; a dying process's samples with RSS 0 are left out, and where a
    program marked its exit the last is what it held then: Python takes it apart afterwards, and gives back in pieces
    what the program held to its end.  A process that has ended stays in the sum with what it held last: this is what
    items are compared with, not what is held now.
    """
    exits = (
        markers.filter(pl.col("kind") == "exit")
        .drop_nulls("rss_bytes")
        .sort("t_s")
        .group_by("pid")
        .agg(pl.col("rss_bytes").last())
    )
    rss = pl.col("rss_bytes")
    ends = living(timeline).group_by("pid").agg(first=rss.first(), last=rss.last())
    known = ends.join(exits, on="pid", how="left")
    return int(known.select((pl.coalesce("rss_bytes", "last") - pl.col("first")).sum()).item())


def rise_bytes(timeline: pl.DataFrame) -> int:
    """How far did memory rise: highest minus first sample, summed over the processes?

    ``timeline`` is TIMELINE.  Items are given as shares of it: of the growth they could be many times the whole
    where a program gives its memory back before it ends.
    """
    rss = pl.col("rss_bytes")
    return int(living(timeline).group_by("pid").agg(risen=rss.max() - rss.first())["risen"].sum())


def contributors(
    items: pl.DataFrame, rise: int, *, by: By, kinds: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Which items, folders or kinds of file asked for memory, and what share of its rise did they keep?

    ``items`` is ITEMS, ``rise`` the bytes of ``rise_bytes``, ``kinds`` a CORPUS whose paths are item names
    (what is not in it is ``unknown``); the result is CONTRIBUTORS, the highest own demand first: what is kept
    misleads where an allocator keeps the largest request so far.  Items of one name are one contributor; the
    folder is the direct parent of the name, "." where it has none.  ``n_failed`` counts failures and timeouts.
    ``delta_bytes`` and ``unattributed_bytes`` together sum to ``growth_bytes``; ``share`` is null where ``rise`` ≤ 0.
    """
    keyed = _with_key(items, by, kinds)
    delta = pl.col("delta_bytes")
    share = delta / rise if rise > 0 else pl.lit(None, dtype=pl.Float64)
    found = (
        keyed.group_by("key")
        .agg(
            pl.len().cast(pl.Int64).alias("n_items"),
            pl.col("status").is_in(["failed", "timeout"]).sum().cast(pl.Int64).alias("n_failed"),
            pl.when(delta.count() > 0).then(delta.sum()).alias("delta_bytes"),
            pl.col("peak_bytes").max(),
            pl.col("demand_bytes").max(),
        )
        .with_columns(share=share)
        .sort("demand_bytes", "delta_bytes", "key", descending=[True, True, False], nulls_last=True)
    )
    return frames.CONTRIBUTORS.check(found.select(*frames.CONTRIBUTORS.columns))


def unattributed_bytes(items: pl.DataFrame, growth: int) -> int:
    """How much of the growth fell while no item was in flight?  ``items`` is ITEMS; negative: it was given back."""
    return growth - int(items["delta_bytes"].sum())


def top_by_demand(items: pl.DataFrame, n: int) -> pl.DataFrame:
    """Which ``n`` items asked for most memory on top of what was held when they began?  ITEMS in, ITEMS out."""
    order = ("demand_bytes", "begin_s", "pid", "index")
    return items.drop_nulls("demand_bytes").sort(*order, descending=[True, False, False, False]).head(n)


def _with_key(items: pl.DataFrame, by: By, kinds: pl.DataFrame | None) -> pl.DataFrame:
    if by == "folder":
        return items.with_columns(key=_folder(pl.col("item")))
    if by == "kind":
        known = kinds if kinds is not None else frames.CORPUS.empty()
        named = known.select(item="path", key="kind").unique("item", keep="first", maintain_order=True)
        return items.join(named, on="item", how="left").with_columns(pl.col("key").fill_null("unknown"))
    return items.with_columns(key=pl.col("item"))


def _folder(name: pl.Expr) -> pl.Expr:
    parent = name.str.strip_chars_end("/").str.extract(r"(?s)^(.*)/")
    return pl.when(parent == "").then(pl.lit("/")).otherwise(parent).fill_null(".")
