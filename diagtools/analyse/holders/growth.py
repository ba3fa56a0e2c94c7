"""Who holds what a program has more of than before?"""

from __future__ import annotations

import polars as pl

from diagtools import frames
from diagtools.analyse.holders.by_type import objects
from diagtools.analyse.holders.holding import holders
from diagtools.frames import ObjectGraph

#: How full a cache is changes between two snapshots; it is the same cache.
_FILLING = r": lru_cache, .*$"
_BY = "\x1f"


def holder_growth(before: ObjectGraph, after: ObjectGraph) -> pl.DataFrame:
    """Which holders keep more alive than before, or less?

    The result is HOLDER_GROWTH, what changed most first: by name, each holder of either snapshot.  The rows sum to the
    change of all objects of the program.
    """
    sides = [_named(holders(graph), side) for graph, side in ((before, "before"), (after, "after"))]
    joined = sides[0].join(sides[1], on="key", how="full", coalesce=True)
    sizes = [pl.col(name).fill_null(0) for name in ("before_bytes", "after_bytes", "before_n", "after_n")]
    words = [
        pl.coalesce(f"{name}_after", f"{name}_before").alias(name)
        for name in ("root", "kind", "path", "type", "shared_with")
    ]
    found = joined.with_columns(*sizes, *words).with_columns(
        delta_bytes=pl.col("after_bytes") - pl.col("before_bytes")
    )
    found = found.sort(pl.col("delta_bytes").abs(), "key", descending=[True, False])
    return frames.HOLDER_GROWTH.check(found.select(list(frames.HOLDER_GROWTH.columns)))


def object_growth(before: ObjectGraph, after: ObjectGraph) -> pl.DataFrame:
    """Of which types are there more objects than before, or fewer?

    The result is OBJECT_GROWTH, by the size of the objects themselves; the rows sum to the change of the whole.
    """
    columns = {"n_objects": "n", "shallow_bytes": "bytes"}
    sides = [
        objects(graph).select(
            "type", *(pl.col(name).alias(f"{side}_{short}") for name, short in columns.items())
        )
        for graph, side in ((before, "before"), (after, "after"))
    ]
    joined = sides[0].join(sides[1], on="type", how="full", coalesce=True)
    found = joined.with_columns(pl.exclude("type").fill_null(0)).with_columns(
        delta_bytes=pl.col("after_bytes") - pl.col("before_bytes")
    )
    found = found.sort(pl.col("delta_bytes").abs(), "type", descending=[True, False])
    return frames.OBJECT_GROWTH.check(found.select(list(frames.OBJECT_GROWTH.columns)))


def _named(rows: pl.DataFrame, side: str) -> pl.DataFrame:
    """The holders of one side, one row a name; the rows come largest first."""
    key = pl.concat_list(pl.concat_list("root"), "shared_with").list.eval(
        pl.element().str.replace(_FILLING, ": lru_cache")
    )
    return (
        rows.with_columns(key=key.list.join(_BY))
        .group_by("key", maintain_order=True)
        .agg(
            pl.col("root", "kind", "path", "type", "shared_with").first().name.suffix(f"_{side}"),
            pl.col("retained_bytes").sum().alias(f"{side}_bytes"),
            pl.col("n_objects").sum().alias(f"{side}_n"),
        )
    )
