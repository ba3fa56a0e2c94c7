"""How many objects of each type are there, what do they take, and what would go with them?"""

from __future__ import annotations

import polars as pl

from diagtools import frames
from diagtools.analyse.holders.reach import N_SOURCES, OURS
from diagtools.analyse.holders.tree import tree_of
from diagtools.frames import ObjectGraph


def objects(graph: ObjectGraph) -> pl.DataFrame:
    """Which types have the most objects, and the largest?

    The result is OBJECTS, most retained first; the shallow sizes sum to what all objects of the program take.  Types of
    one name are one row.
    """
    tree, n = tree_of(graph), graph.nodes.height
    names = graph.types.select("type_id", kind=pl.col("type").rank("dense").cast(pl.Int64))
    kinds = graph.nodes.select("type_id").join(names, on="type_id", how="left", maintain_order="left")["kind"]
    above = pl.repeat(-1, N_SOURCES + 1, dtype=pl.Int64, eager=True)
    rows = pl.DataFrame(
        {
            "kind": kinds,
            "size": graph.nodes["size_bytes"],
            "retained": tree.sums(graph.nodes["size_bytes"]).head(n),
            "is_outermost": tree.is_outermost(pl.concat([kinds, above])).head(n),
            "source": tree.source_of.head(n),
        }
    ).filter(pl.col("source") != OURS)
    sums = rows.group_by("kind").agg(
        n_objects=pl.len().cast(pl.Int64),
        shallow_bytes=pl.col("size").sum(),
        retained_bytes=pl.col("retained").filter("is_outermost").sum(),
    )
    types = graph.types.select("type", kind=pl.col("type").rank("dense").cast(pl.Int64)).unique()
    found = sums.join(types, on="kind").sort("retained_bytes", "type", descending=[True, False])
    return frames.OBJECTS.check(found.select(list(frames.OBJECTS.columns)))
