"""Along which references does most of what a holder has lie: ``app.rates._cache → list → Rate × 1,000``?"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from diagtools.analyse.holders.tree import Tree
from diagtools.analyse.holders.words import Words
from diagtools.frames import ObjectGraph

_DEEPEST = 7
_WORTH_A_STEP = 0.3  # of what hangs on the step before


class Paths:
    """Ways down the tree."""

    def __init__(self, graph: ObjectGraph, tree: Tree, words: Words) -> None:
        self._graph, self._tree, self._words = graph, tree, words
        self._retained = tree.sums(graph.nodes["size_bytes"])

    def below(self, region: pl.Series, tops: Sequence[int]) -> str:
        """The steps from these nodes on, to where most of what lies below is; ``region`` are the holder's nodes."""
        rows = pl.DataFrame(
            {
                "node": region,
                "up": self._tree.above.gather(region),
                "type_id": self._graph.nodes["type_id"].gather(region),
                "retained": self._retained.gather(region),
            }
        )
        here = _most(rows.filter(pl.col("node").is_in(pl.Series(tops, dtype=pl.Int64).implode())))
        said = self._first(here)
        for _ in range(_DEEPEST):
            inside = rows.join(here.select(up="node"), on="up", how="semi")
            below = _most(inside)
            if int(below["retained"].sum()) < max(1, _WORTH_A_STEP * int(here["retained"].sum())):
                break
            said += self._step(here, below)
            here = below
        return said

    def _first(self, here: pl.DataFrame) -> str:
        return "" if here.height <= 1 else f" → {self._type(here)} × {here.height:,}"

    def _step(self, before: pl.DataFrame, here: pl.DataFrame) -> str:
        if here.height == 1:
            node, up = int(here["node"][0]), int(here["up"][0])
            if node in self._words.own_dicts or node in self._words.kept_apart:
                return ""
            name = self._words.attributes.get((up, node))
            if name:
                return f": local {name}" if up in self._words.marks["frame"] else f".{name}"
            frame, _ = self._words.marks["frame"].get(node, ("", ""))
            return f" → {frame or self._type(here)}"
        if here["node"].is_in([*self._words.own_dicts, *self._words.kept_apart]).all():
            return ""
        if self._type(here) == "dict" and here.height <= before.height and "." in self._type(before):
            return ""  # the attributes of instances: a step of the interpreter, not of a person
        return f" → {self._type(here)} × {here.height:,}"

    def _type(self, rows: pl.DataFrame) -> str:
        return str(self._graph.types["type"][int(rows["type_id"][0])])


def _most(rows: pl.DataFrame) -> pl.DataFrame:
    """Those of the type of which most is retained."""
    groups = rows.group_by("type_id").agg(pl.col("retained").sum())
    groups = groups.sort("retained", "type_id", descending=[True, False])
    return rows.filter(pl.col("type_id") == groups["type_id"][0]) if groups.height else rows
