"""Where in the tree does a holder begin, and what else refers to the objects there?"""

from __future__ import annotations

import polars as pl

from diagtools.analyse.holders.reach import HIDDEN, N_SOURCES, flags, subclass_dicts
from diagtools.analyse.holders.tree import Tree
from diagtools.analyse.holders.words import FRAMEWORK, SPECIAL, Words
from diagtools.frames import ObjectGraph

_MOST_ROUNDS = 20
#: Objects of these types are a part of the code, wherever a name leads to one.
_CODE_TYPES = (
    "function builtin_function_or_method method_descriptor wrapper_descriptor getset_descriptor member_descriptor "
    "classmethod classmethod_descriptor staticmethod property cell code mappingproxy module type method-wrapper "
    "types.GenericAlias weakref weakref.ReferenceType"
).split()


class Cuts:
    """The nodes that the tree is cut at: ``tops``, where holders begin, and the framework between them."""

    def __init__(self, graph: ObjectGraph, tree: Tree, words: Words) -> None:
        self._graph, self._tree, self._words = graph, tree, words
        self._n = tree.n_objects
        self._n_all = self._n + N_SOURCES + 1
        framework = self._framework()
        self._is_framework = flags(self._n_all, framework)
        self.tops = self._tops()
        self._is_top = flags(self._n_all, self.tops)
        self.cut_of = tree.nearest(self._is_top | self._is_framework)

    def sizes(self, sizes: pl.Series) -> dict[int, int]:
        """What hangs on each cut, down to the next ones."""
        rows = pl.DataFrame({"cut": self.cut_of.head(self._n), "size": sizes})
        return dict(rows.group_by("cut").agg(pl.col("size").sum()).iter_rows())

    def owners(self) -> dict[int, list[int]]:
        """Below which other cuts do the objects lie that refer to each top?

        Where such a cut has no name itself, those that refer to it stand for it.
        """
        edges = self._tree.edges.filter(self._is_top.gather(self._tree.edges["target"]))
        edges = edges.filter(~self._is_framework.gather(edges["source"]))
        pairs = edges.select("target", owner=self.cut_of.gather(edges["source"]))
        pairs = pairs.filter(pl.col("target") != pl.col("owner")).unique()
        is_end = flags(self._n_all, self._named()) | ~self._is_top
        for _ in range(_MOST_ROUNDS):
            ends = is_end.gather(pairs["owner"])
            if ends.all():
                break
            through = pairs.filter(~ends).join(pairs, left_on="owner", right_on="target", suffix="_next")
            through = through.select("target", owner="owner_next").filter(pl.col("target") != pl.col("owner"))
            pairs = pl.concat([pairs.filter(ends), through]).unique()
        pairs = pairs.filter(is_end.gather(pairs["owner"])).sort("target", "owner")
        return dict(pairs.group_by("target", maintain_order=True).agg("owner").iter_rows())

    def _named(self) -> pl.Series:
        """The tops that are at the end of a question for the holder: those with a name, and those nothing leads to."""
        known = pl.Series(list(self._words.known), dtype=pl.Int64)
        named = list(filter(self._words.is_named, self.tops.filter(self.tops.is_in(known.implode()))))
        is_hidden = self._tree.above.gather(self.tops) == self._n + HIDDEN
        return pl.concat([pl.Series(named, dtype=pl.Int64), self.tops.filter(is_hidden)])

    def _framework(self) -> pl.Series:
        """Modules, classes, functions, frames that are executed: variables and objects hang below them."""
        marks = self._graph.marks.filter(pl.col("kind").is_in(FRAMEWORK))
        running = marks.filter((pl.col("kind") != "frame") | (pl.col("detail") != "finished"))["node"]
        apart = pl.Series([*self._words.class_dicts, *self._words.kept_apart], dtype=pl.Int64)
        named = self._graph.names.filter(pl.col("owner").is_null())["target"]
        code = self._graph.types.filter(pl.col("type").is_in(_CODE_TYPES))["type_id"]
        of_code = self._graph.nodes["type_id"].is_in(code.implode()).arg_true().cast(pl.Int64)
        weak = subclass_dicts(self._graph)
        hidden = weak.filter(self._tree.above.gather(weak) == self._n + HIDDEN)
        above = pl.int_range(self._n, self._n_all, dtype=pl.Int64, eager=True)
        return pl.concat([running, apart, named, of_code, hidden, above]).unique().sort()

    def _tops(self) -> pl.Series:
        """What hangs directly below a source or an owner of variables, or is a holder by itself."""
        marks = self._words.marks
        owners = [*marks["module dict"], *marks["frame"], *self._words.class_dicts, *self._words.kept_apart]
        owners += range(self._n, self._n_all)
        is_owner = flags(self._n_all, pl.Series(owners, dtype=pl.Int64)) & self._is_framework
        special = self._graph.marks.filter(pl.col("kind").is_in(SPECIAL))["node"]
        is_below = is_owner.gather(self._tree.above.head(self._n)) & ~self._is_framework.head(self._n)
        return (is_below | flags(self._n, special)).arg_true().cast(pl.Int64)
