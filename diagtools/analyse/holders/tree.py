"""Who holds whom: the tree of dominators over all objects of a program.

An object hangs below the last one through which every way from the root to it leads.  Most objects (texts, numbers,
records that hold nothing else) are peeled off first, layer by layer, by columns; what refers to each other in circles
is left, usually a small part, and goes through `semi_nca`.  A peeled object hangs below the nearest one that all that
refer to it hang below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from diagtools.analyse.holders.nearest_common import nearest_common
from diagtools.analyse.holders.reach import GARBAGE, N_SOURCES, OURS, Starts, flags, source_order, starts_of
from diagtools.analyse.holders.semi_nca import dominators, successors
from diagtools.frames import ObjectGraph

_MOST_LAYERS = 12
_WORTH_PEELING = 0.02  # of the nodes that are left


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tree:
    """The tree.  Nodes are those of the graph, then the sources of `reach`, then the root.

    ``above`` is the node right above each (the root's is itself), ``depth`` the way up to the root; ``source_of`` says
    from which source a node can be reached.  ``layers`` are the peeled nodes, outermost first; ``core`` are all others,
    each after the one above it.
    """

    n_objects: int
    above: pl.Series
    depth: pl.Series
    source_of: pl.Series
    layers: Sequence[pl.Series]
    core: Sequence[int]
    edges: pl.DataFrame  #: each once, without those that hold nothing, and with those of the sources

    @property
    def root(self) -> int:
        """The node above all others."""
        return self.n_objects + N_SOURCES

    def sums(self, values: pl.Series) -> pl.Series:
        """What each node and all below it have together; ``values`` are of the objects."""
        total = pl.concat([values.cast(pl.Int64), pl.Series([0] * (N_SOURCES + 1), dtype=pl.Int64)])
        for layer in self.layers:
            total = _added(total, self.above.gather(layer), total.gather(layer))
        sums, above = total.to_list(), self.above.to_list()
        for node in reversed(self.core[1:]):
            sums[above[node]] += sums[node]
        return pl.Series(sums, dtype=pl.Int64)

    def nearest(self, is_chosen: pl.Series) -> pl.Series:
        """Which chosen node is each one, or hangs below?  The root is always chosen."""
        chosen, above = is_chosen.to_list(), self.above.to_list()
        found = list(range(len(above)))
        for node in self.core[1:]:
            if not chosen[node]:
                found[node] = found[above[node]]
        nearest = pl.Series(found, dtype=pl.Int64)
        for layer in reversed(self.layers):
            here = pl.DataFrame({"node": layer, "up": nearest.gather(self.above.gather(layer))})
            own = is_chosen.gather(layer)
            values = here.select(pl.when(own).then("node").otherwise("up"))["node"]
            nearest = _replaced(nearest, layer, values)
        return nearest

    def is_outermost(self, kinds: pl.Series) -> pl.Series:
        """Is there none of the same kind above a node?  ``kinds`` are numbers, -1 for the sources and the root."""
        table = _KindSets()
        kind_of, above = kinds.to_list(), self.above.to_list()
        sets = [0] * len(above)
        outermost = [True] * len(above)
        for node in self.core[1:]:
            up = above[node]
            sets[node] = table.with_kind(sets[up], kind_of[up])
            outermost[node] = kind_of[node] not in table.members[sets[node]]
        set_of, result = pl.Series(sets, dtype=pl.Int64), pl.Series(outermost)
        for layer in reversed(self.layers):
            up = self.above.gather(layer)
            rows = pl.DataFrame(
                {"set": set_of.gather(up), "up": kinds.gather(up), "kind": kinds.gather(layer)}
            )
            known = rows.unique()
            mapped = [table.with_kind(one, kind) for one, kind in known.select("set", "up").iter_rows()]
            is_new = [
                kind not in table.members[one]
                for one, kind in zip(mapped, known["kind"].to_list(), strict=True)
            ]
            known = known.with_columns(below=pl.Series(mapped, dtype=pl.Int64), is_new=pl.Series(is_new))
            joined = rows.join(known, on=["set", "up", "kind"], how="left", maintain_order="left")
            set_of = _replaced(set_of, layer, joined["below"])
            result = _replaced(result, layer, joined["is_new"])
        return result


class _KindSets:
    """Sets of kinds, each with a number; there are few, however many nodes."""

    def __init__(self) -> None:
        self.members: list[frozenset[int]] = [frozenset()]
        self._numbers = {frozenset[int](): 0}
        self._with: dict[tuple[int, int], int] = {}

    def with_kind(self, number: int, kind: int) -> int:
        """The number of the set with one kind more."""
        found = self._with.get((number, kind))
        if found is None:
            members = self.members[number] | {kind}
            found = self._numbers.setdefault(members, len(self.members))
            if found == len(self.members):
                self.members.append(members)
            self._with[number, kind] = found
        return found


@lru_cache(maxsize=2)
def tree_of(graph: ObjectGraph) -> Tree:
    """The tree of the objects of this snapshot."""
    starts = starts_of(graph)
    return tree(graph.nodes.height, _plain_edges(graph, starts), starts)


def tree(n: int, edges: pl.DataFrame, starts: Starts) -> Tree:
    """The tree of ``n`` objects and the references between them, each once."""
    n_all = n + N_SOURCES + 1
    edges = pl.concat([edges, starts.edges(n)])
    layers, inner, outer = _peeled(n_all, n, edges)
    is_core = ~flags(n_all, pl.concat(layers) if layers else pl.Series([], dtype=pl.Int64))
    nodes = is_core.arg_true().cast(pl.Int64)
    inner, source_of = _core_edges(n, nodes, inner, starts)
    order, above, depth = _core_tree(nodes, inner)
    return _with_layers(
        Tree(
            n_objects=n,
            above=_replaced(pl.repeat(-1, n_all, dtype=pl.Int64, eager=True), order, above),
            depth=_replaced(pl.repeat(0, n_all, dtype=pl.Int64, eager=True), order, depth),
            source_of=_replaced(pl.repeat(GARBAGE, n_all, dtype=pl.Int64, eager=True), nodes, source_of),
            layers=layers,
            core=order.to_list(),
            edges=inner,
        ),
        outer,
    )


def _plain_edges(graph: ObjectGraph, starts: Starts) -> pl.DataFrame:
    """Each reference once, none of an object to itself, none into what is held directly or the recording brought."""
    is_start = flags(graph.nodes.height, pl.concat([starts.known, starts.ours])).gather(graph.edges["target"])
    edges = graph.edges.filter((pl.col("source") != pl.col("target")) & ~is_start)
    return _once(edges, graph.nodes.height)


def _peeled(
    n_all: int, n: int, edges: pl.DataFrame
) -> tuple[list[pl.Series], pl.DataFrame, list[pl.DataFrame]]:
    """The layers of what refers to nothing but earlier layers; the edges among the rest, and into each layer."""
    layers: list[pl.Series] = []
    outer: list[pl.DataFrame] = []
    is_left = flags(n_all, pl.int_range(n, dtype=pl.Int64, eager=True))
    while len(layers) < _MOST_LAYERS:
        layer = (is_left & ~flags(n_all, edges["source"])).arg_true().cast(pl.Int64)
        if len(layer) <= _WORTH_PEELING * int(is_left.sum()):
            break
        is_layer = flags(n_all, layer)
        is_outer = is_layer.gather(edges["target"])
        outer.append(edges.filter(is_outer))
        edges = edges.filter(~is_outer)
        is_left = is_left & ~is_layer
        layers.append(layer)
    return layers, edges, outer


def _core_edges(
    n: int, nodes: pl.Series, inner: pl.DataFrame, starts: Starts
) -> tuple[pl.DataFrame, pl.Series]:
    """The edges that hold something, with those of the sources; and to which source each of ``nodes`` belongs."""
    rows = _placed(nodes, inner, n + N_SOURCES + 1)
    first, targets = successors(len(nodes), rows)
    excess = pl.concat([starts.excess, pl.repeat(0, N_SOURCES + 1, dtype=pl.Int64, eager=True)])
    found, below = source_order(first, targets, excess.gather(nodes).to_list())
    source_of = pl.Series(found, dtype=pl.Int64)
    ranks = inner.with_columns(of=source_of.gather(rows["from"]), at=source_of.gather(rows["to"]))
    holding = ranks.filter((pl.col("of") < OURS) | (pl.col("of") <= pl.col("at"))).select("source", "target")
    added = pl.DataFrame(
        {"source": [n + source for source, _ in below], "target": nodes.gather([at for _, at in below])},
        schema_overrides={"source": pl.Int64, "target": pl.Int64},
    )
    root = pl.DataFrame(
        {"source": [n + N_SOURCES] * N_SOURCES, "target": [n + at for at in range(N_SOURCES)]}
    )
    return _once(pl.concat([holding, added, root]), n + N_SOURCES + 1), source_of


def _core_tree(nodes: pl.Series, edges: pl.DataFrame) -> tuple[pl.Series, pl.Series, pl.Series]:
    """The nodes of the core from the root on, the one above each, and how far down it is."""
    rows = _placed(nodes, edges, int(nodes[-1]) + 1)
    order, above = dominators(len(nodes), rows, len(nodes) - 1)
    depth = [0] * len(order)
    for at in range(1, len(order)):
        depth[at] = depth[above[at]] + 1
    in_order = nodes.gather(order)
    return in_order, in_order.gather(above), pl.Series(depth, dtype=pl.Int64)


def _placed(nodes: pl.Series, edges: pl.DataFrame, n_all: int) -> pl.DataFrame:
    """The same edges, between places among these nodes."""
    numbers = pl.int_range(len(nodes), dtype=pl.Int64, eager=True)
    place = _replaced(pl.repeat(-1, n_all, dtype=pl.Int64, eager=True), nodes, numbers)
    return pl.DataFrame({"from": place.gather(edges["source"]), "to": place.gather(edges["target"])})


def _once(edges: pl.DataFrame, n_all: int) -> pl.DataFrame:
    """Each edge once; as one number each that takes a third of the time."""
    numbers = edges.select(number=pl.col("source") * n_all + pl.col("target")).unique()
    return numbers.select(source=pl.col("number") // n_all, target=pl.col("number") % n_all)


def _with_layers(core: Tree, outer: Sequence[pl.DataFrame]) -> Tree:
    """The same tree, with the peeled layers below it, from the inside."""
    above, depth, source_of, edges = core.above, core.depth, core.source_of, [core.edges]
    for layer, pairs in zip(reversed(core.layers), reversed(outer), strict=True):
        ranked = pairs.with_columns(of=source_of.gather(pairs["source"]))
        least = ranked.group_by("target").agg(at=pl.col("of").min())
        ranked = ranked.join(least, on="target", how="left")
        holding = ranked.filter((pl.col("of") < OURS) | (pl.col("of") == pl.col("at"))).select(
            "source", "target"
        )
        found = nearest_common(holding, above, depth)
        above = _replaced(above, found["node"], found["above"])
        depth = _replaced(depth, found["node"], depth.gather(found["above"]) + 1)
        source_of = _replaced(source_of, least["target"], least["at"])
        edges.append(holding)
        del layer
    return Tree(
        n_objects=core.n_objects,
        above=above,
        depth=depth,
        source_of=source_of,
        layers=core.layers,
        core=core.core,
        edges=pl.concat(edges),
    )


def _added(total: pl.Series, nodes: pl.Series, values: pl.Series) -> pl.Series:
    sums = pl.DataFrame({"node": nodes, "value": values}).group_by("node").agg(pl.col("value").sum())
    return _replaced(total, sums["node"], total.gather(sums["node"]) + sums["value"])


def _replaced(series: pl.Series, nodes: pl.Series, values: pl.Series) -> pl.Series:
    """A copy with other values there: polars itself would change the series that it is given."""
    return series.clone().scatter(nodes, values)
