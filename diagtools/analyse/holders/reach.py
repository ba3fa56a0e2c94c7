"""From where can each object be reached: a root of the program, C code, the recording, or nowhere?

Four *sources* stand above all objects, below the one root: what the interpreter is known to hold; what has more
references than can be seen, so that C code, or an expression that is being executed, holds it; the recording; and
garbage, cycles that nobody holds and the collector has not met yet.  An object belongs to the first of them that it
can be reached from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from diagtools.frames import ObjectGraph

#: The sources, in their order: the nodes after the last object; the root is one after them.
KNOWN, HIDDEN, OURS, GARBAGE = range(4)
N_SOURCES = 4


_WEAK = ("weakref", "weakref.ReferenceType", "ReferenceType")
#: What stands in the marks of a frame that is not executed any more.
FINISHED = "finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Starts:
    """Which nodes stand directly below a source, and how many references more than seen each node has."""

    known: pl.Series
    hidden: pl.Series
    ours: pl.Series
    excess: pl.Series

    def edges(self, n: int) -> pl.DataFrame:
        """From the sources to these nodes; a source is a node after the ``n`` objects."""
        parts = ((KNOWN, self.known), (HIDDEN, self.hidden), (OURS, self.ours))
        return pl.concat(
            [
                pl.DataFrame(
                    {"source": pl.repeat(n + at, len(nodes), dtype=pl.Int64, eager=True), "target": nodes}
                )
                for at, nodes in parts
            ]
        )


def starts_of(graph: ObjectGraph) -> Starts:
    """Where is the program held from?"""
    n = graph.nodes.height
    ours = our_seeds(graph)
    known = known_roots(graph)
    known = known.filter(~known.is_in(ours.implode()))
    is_held = flags(n, pl.concat([graph.edges["target"], known, ours]))
    return Starts(
        known=known,
        hidden=(~is_held).arg_true().cast(pl.Int64),
        ours=ours,
        excess=excess_references(graph).fill_null(0),
    )


def known_roots(graph: ObjectGraph) -> pl.Series:
    """Nodes that the interpreter is known to hold: modules, their variables' dicts, frames that are executed.

    And classes that are a variable of a module: each instance refers to its class, and the class by its methods to
    all that their modules have.  With that, everything would refer to each other in circles.
    """
    classes = graph.marks.filter(pl.col("kind") == "class")["node"]
    of_modules = graph.names.filter(pl.col("how") == "global")["target"].unique()
    marks = graph.marks.filter(pl.col("kind").is_in(["module", "module dict", "frame"]))
    running = marks.filter((pl.col("kind") != "frame") | (pl.col("detail") != FINISHED))
    named = graph.names.filter(pl.col("owner").is_null())["target"]
    return (
        pl.concat([running["node"], named, of_modules.filter(of_modules.is_in(classes.implode()))])
        .unique()
        .sort()
    )


def subclass_dicts(graph: ObjectGraph) -> pl.Series:
    """Dicts of weak references to classes: each class keeps its subclasses in one that the collector is not told of."""
    weak = _nodes_of_types(graph, graph.types.filter(pl.col("type").is_in(_WEAK))["type_id"])
    dicts = _nodes_of_types(graph, graph.types.filter(pl.col("type") == "dict")["type_id"])
    n = graph.nodes.height
    to_weak = flags(n, weak).gather(graph.edges["target"])
    return graph.edges.filter(to_weak & flags(n, dicts).gather(graph.edges["source"]))["source"].unique()


def our_seeds(graph: ObjectGraph) -> pl.Series:
    """Nodes that the recording brought: its modules, classes, functions, instances and frames."""
    marked = graph.marks.filter(pl.col("kind") == "ours")["node"]
    ours = graph.types.filter("is_ours")
    instances = _nodes_of_types(graph, ours["type_id"])
    plain = graph.types.filter(pl.col("type").is_in(["function", "module"]))["type_id"]
    functions = _nodes_of_types(graph, plain)
    of_ours = graph.edges.filter(pl.col("target").is_in(marked.implode()))["source"].unique()
    ours_functions = functions.filter(functions.is_in(of_ours.implode()))
    classes = ours["node"].drop_nulls()
    return pl.concat([marked, instances, classes, ours_functions]).unique().sort()


def _nodes_of_types(graph: ObjectGraph, type_ids: pl.Series) -> pl.Series:
    return graph.nodes["type_id"].is_in(type_ids.implode()).arg_true().cast(pl.Int64)


def excess_references(graph: ObjectGraph) -> pl.Series:
    """By how many is the reference count of each node above the references that exist?  Null where it is unknown."""
    n = graph.nodes.height
    seen = counted(graph.edges["target"], n) + counted(
        graph.names.filter(pl.col("owner").is_null())["target"], n
    )
    return graph.nodes["n_references"] - seen


def counted(nodes: pl.Series, n: int) -> pl.Series:
    """How often does each of ``n`` nodes stand there?"""
    found = pl.DataFrame({"node": nodes}).group_by("node").agg(times=pl.len().cast(pl.Int64))
    return pl.repeat(0, n, dtype=pl.Int64, eager=True).scatter(found["node"], found["times"])


def flags(n: int, nodes: pl.Series) -> pl.Series:
    """True for these of ``n`` nodes."""
    return pl.repeat(False, n, dtype=pl.Boolean, eager=True).scatter(nodes.unique(), True)


def source_order(
    first: Sequence[int], targets: Sequence[int], excess: Sequence[int]
) -> tuple[list[int], list[tuple[int, int]]]:
    """To which source does each node belong, and what stands below HIDDEN and GARBAGE that was not known to?

    The last nodes are the sources and the root.  Whatever none of the first three leads to is below HIDDEN where it
    has an ``excess`` of references, and then what is left below GARBAGE.
    """
    n = len(first) - 1 - N_SOURCES - 1
    source_of = [-1] * (len(first) - 1)
    for source in (KNOWN, HIDDEN, OURS):
        _visit(first, targets, source_of, source, n + source)
    source_of[n + GARBAGE], source_of[n + N_SOURCES] = GARBAGE, KNOWN
    left = [node for node in range(n) if source_of[node] < 0]
    below = [(HIDDEN, node) for node in left if excess[node] > 0]
    for _, node in below:
        _visit(first, targets, source_of, HIDDEN, node)
    for node in left:
        if source_of[node] < 0:
            below.append((GARBAGE, node))
            _visit(first, targets, source_of, GARBAGE, node)
    return source_of, below


def _visit(
    first: Sequence[int], targets: Sequence[int], source_of: list[int], source: int, start: int
) -> None:
    """All that can be reached from there, and from no earlier source, is of this one."""
    if source_of[start] < 0:
        source_of[start] = source
    waiting = [start]
    while waiting:
        node = waiting.pop()
        fresh = [target for target in targets[first[node] : first[node + 1]] if source_of[target] < 0]
        for target in fresh:
            source_of[target] = source
        waiting += fresh
