"""Are there objects with more references than exist?  Then C code took one and never gave it back.

The count of references of an object is compared with the references to it that can be seen.  C code has reasons of its
own for some: what it keeps in variables of C, what an expression works on just now.  A leak differs: there are many
objects of a type with one too many, which nothing visible leads to; or one object has very many.
"""

from __future__ import annotations

import polars as pl

from diagtools import frames
from diagtools.analyse.holders.reach import HIDDEN, OURS, excess_references, flags, subclass_dicts
from diagtools.analyse.holders.tree import tree_of
from diagtools.errors import NoDataError
from diagtools.frames import ObjectGraph

#: C code of a program keeps some dozens of its objects for itself.
MOST_HELD = 500
#: One object, and what of it can be seen: more than this, and more than twice what is seen.
MOST_EXCESS = 1_000
#: Of what C code refers to from many places (constants, classes, what others are made of) one has thousands.
_CONTAINERS = ("dict", "list", "set", "collections.deque", "bytearray")


def over_referenced(graph: ObjectGraph) -> pl.DataFrame:
    """Objects of which types have more references than exist, and is that suspect?

    The result is OVER_REFERENCED, suspects first, then most references too many.  Not seen is an untracked object
    (a text, a number) that nothing but C code refers to.  Raises ``NoDataError`` where references were not counted.
    """
    if not graph.counts_references:
        raise NoDataError(
            "This interpreter has no single count of references for an object: leaks of them cannot be told.",
            hint="record the program under a CPython with a global interpreter lock.",
        )
    rows = _rows(graph).filter(pl.col("excess") > 0)
    types = rows.group_by("type_id").agg(
        n_objects=pl.len().cast(pl.Int64),
        n_excess=pl.col("excess").sum(),
        n_held=pl.col("is_held").sum().cast(pl.Int64),
        most_excess=pl.col("excess").max(),
        retained_bytes=pl.col("retained").filter("is_held").sum(),
        is_odd=pl.col("is_odd").any(),
    )
    named = types.join(graph.types.select("type_id", "type"), on="type_id")
    is_odd = pl.col("is_odd") & pl.col("type").is_in(_CONTAINERS)
    named = named.with_columns(is_suspect=(pl.col("n_held") > MOST_HELD) | is_odd)
    order = ["is_suspect", "n_held", "n_excess", "type"]
    found = named.sort(order, descending=[True, True, True, False]).select(
        list(frames.OVER_REFERENCED.columns)
    )
    return frames.OVER_REFERENCED.check(found)


def _rows(graph: ObjectGraph) -> pl.DataFrame:
    tree, n = tree_of(graph), graph.nodes.height
    excess = excess_references(graph)
    seen = graph.nodes["n_references"] - excess
    rows = pl.DataFrame(
        {
            "type_id": graph.nodes["type_id"],
            "excess": excess,
            "seen": seen,
            "is_held": (tree.above.head(n) == n + HIDDEN) & ~flags(n, subclass_dicts(graph)),
            "retained": tree.sums(graph.nodes["size_bytes"]).head(n),
            "source": tree.source_of.head(n),
        }
    )
    is_odd = pl.col("excess") > MOST_EXCESS + 2 * pl.col("seen")
    return rows.filter(pl.col("source") != OURS).with_columns(is_odd=is_odd)
