"""Immediate dominators, node by node: the Semi-NCA algorithm.

L. Georgiadis, "Linear-time algorithms for dominators and related problems", 2005; it needs no order of edges and no
second pass, and a deep graph costs no more than a flat one.  What can be done for all edges at once is done by columns;
only those that lead back, to a node that was met before, are looked at one by one.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


def successors(n: int, edges: pl.DataFrame) -> tuple[list[int], list[int]]:
    """The edges (``from``, ``to``) by where they begin: those of ``i`` are ``targets[first[i]:first[i + 1]]``."""
    rows = edges.sort("from")
    return _begins(n, rows["from"]), rows["to"].to_list()


def _begins(n: int, sorted_nodes: pl.Series) -> list[int]:
    """Where in this column does each of ``n`` nodes begin?  The last number is where it ends."""
    counts = pl.DataFrame({"node": sorted_nodes}).group_by("node").agg(times=pl.len().cast(pl.Int64))
    times = pl.repeat(0, n, dtype=pl.Int64, eager=True).scatter(counts["node"], counts["times"])
    return [0, *times.cum_sum().to_list()]


def preorder(first: Sequence[int], targets: Sequence[int], root: int) -> tuple[list[int], list[int]]:
    """The nodes that can be reached, as a walk into the depth meets them; and the place of each one's parent in it."""
    n = len(first) - 1
    number, parent_of = [-1] * n, [0] * n
    order: list[int] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if number[node] >= 0:
            continue
        place = number[node] = len(order)
        order.append(node)
        for target in targets[first[node] : first[node + 1]]:
            if number[target] < 0:
                parent_of[target] = place  # of all that refer to it, the last one is walked from first
                waiting.append(target)
    return order, [parent_of[node] for node in order]


def dominators(n: int, edges: pl.DataFrame, root: int) -> tuple[list[int], list[int]]:
    """The nodes in preorder, and for each place in it the place of its immediate dominator (the root's is 0)."""
    order, parents = preorder(*successors(n, edges), root)
    number = pl.repeat(-1, n, dtype=pl.Int64, eager=True)
    number = number.scatter(order, pl.int_range(len(order), dtype=pl.Int64, eager=True))
    places = edges.select(
        pl.lit(number).gather(pl.col("from")).alias("from"), pl.lit(number).gather(pl.col("to")).alias("to")
    ).filter((pl.col("from") >= 0) & (pl.col("to") > 0))
    semi = _semi_dominators(places, parents)
    above = parents
    for place in range(1, len(order)):
        candidate, least = above[place], semi[place]
        while candidate > least:
            candidate = above[candidate]
        above[place] = candidate
    return order, above


def _semi_dominators(places: pl.DataFrame, parents: Sequence[int]) -> list[int]:
    """Of each place the least from which a way leads there over greater places alone.

    Places from the present one on up are linked to their parents, so that ``ancestor`` needs no mark for it; ``low``
    has the least one met on the way up so far.
    """
    n = len(parents)
    forward = places.filter(pl.col("from") < pl.col("to")).group_by("to").agg(pl.col("from").min())
    back = places.filter(pl.col("from") > pl.col("to")).sort("to", descending=True)
    semi = pl.repeat(0, n, dtype=pl.Int64, eager=True).scatter(forward["to"], forward["from"]).to_list()
    ancestor, low = list(parents), list(semi)
    for source, place in zip(back["from"].to_list(), back["to"].to_list(), strict=True):
        if ancestor[source] > place:
            _compress(source, place, ancestor, low)
        if low[source] < semi[place]:
            semi[place] = low[place] = low[source]
    return semi


def _compress(start: int, place: int, ancestor: list[int], low: list[int]) -> None:
    """Link all on the way up from there to where it leaves what is greater than the place."""
    path = [start]
    node = ancestor[start]
    while ancestor[node] > place:
        path.append(node)
        node = ancestor[node]
    end, least = ancestor[node], low[node]
    for each in reversed(path):
        if low[each] > least:
            low[each] = least
        else:
            least = low[each]
        ancestor[each] = end
