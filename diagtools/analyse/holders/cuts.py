"""Where in the tree does a holder begin, and what else refers to the objects there?"""

from __future__ import annotations

import polars as pl

from diagtools.analyse.holders.reach import FINISHED, HIDDEN, N_SOURCES, flags, subclass_dicts
from diagtools.analyse.holders.tree import Tree
from diagtools.analyse.holders.words import SPECIAL, Words
from diagtools.frames import ObjectGraph

_MOST_ROUNDS = 20
#: Kinds of what variables belong to, and what is between them.
_PLACES = ("module", "module dict", "frame", "context")
_CODE_KINDS = ("class", "function")
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
        between, code = self._between(), self._code()
        self._is_framework = between | code
        self._is_top = flags(self._n_all, self._tops())
        self._is_framework = self._is_framework & ~self._with_parts(self._held_code(between, code))
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

    def _between(self) -> pl.Series:
        """Modules, frames that are executed, and the parts of classes and functions that have their variables."""
        marks = self._graph.marks.filter(pl.col("kind").is_in(_PLACES))
        running = marks.filter((pl.col("kind") != "frame") | (pl.col("detail") != FINISHED))["node"]
        apart = pl.Series([*self._words.class_dicts, *self._words.kept_apart], dtype=pl.Int64)
        roots = pl.col("owner").is_null() & (pl.col("how") != "signal")
        named = self._graph.names.filter(roots)["target"]
        weak = subclass_dicts(self._graph)
        hidden = weak.filter(self._tree.above.gather(weak) == self._n + HIDDEN)
        above = pl.int_range(self._n, self._n_all, dtype=pl.Int64, eager=True)
        return flags(self._n_all, pl.concat([running, apart, named, hidden, above]))

    def _code(self) -> pl.Series:
        """Classes, functions and what belongs to them."""
        types = self._graph.types.filter(pl.col("type").is_in(_CODE_TYPES))["type_id"]
        of_types = self._graph.nodes["type_id"].is_in(types.implode()).arg_true().cast(pl.Int64)
        marked = self._graph.marks.filter(pl.col("kind").is_in(_CODE_KINDS))["node"]
        return flags(self._n_all, pl.concat([of_types, marked]))

    def _held_code(self, between: pl.Series, code: pl.Series) -> pl.Series:
        """Classes and functions that were put into a variable's list or dict: they are what it holds."""
        special = flags(self._n_all, self._special())
        nearest = self._tree.nearest(self._is_top | between)
        is_below = (self._is_top & ~special).gather(nearest.gather(self._tree.above))
        return code & ~between & is_below

    def _with_parts(self, held: pl.Series) -> pl.Series:
        """And their defaults and closures: tuples, and cells in these."""
        parts = flags(self._n_all, pl.Series([*self._words.kept_apart], dtype=pl.Int64))
        for _ in range(2):
            held = held | (parts & held.gather(self._tree.above))
        return held

    def _tops(self) -> pl.Series:
        """What hangs directly below a source or an owner of variables, or is a holder by itself.

        And variables that several parts of one function have: they hang on the function.
        """
        marks = self._words.marks
        owners = [*marks["module"], *marks["module dict"], *marks["frame"], *marks["context"]]
        owners += [*self._words.class_dicts, *self._words.kept_apart]
        owners += range(self._n, self._n_all)
        is_owner = flags(self._n_all, pl.Series(owners, dtype=pl.Int64)) & self._is_framework
        above = self._tree.above.head(self._n)
        is_function = (
            flags(self._n_all, pl.Series(list(marks["function"]), dtype=pl.Int64)) & self._is_framework
        )
        is_variable = flags(self._n, pl.Series(list(self._words.variables), dtype=pl.Int64))
        is_below = is_owner.gather(above) | (is_function.gather(above) & is_variable)
        is_below = is_below & ~self._is_framework.head(self._n)
        return (is_below | flags(self._n, self._special())).arg_true().cast(pl.Int64)

    def _special(self) -> pl.Series:
        return self._graph.marks.filter(pl.col("kind").is_in(SPECIAL))["node"]
