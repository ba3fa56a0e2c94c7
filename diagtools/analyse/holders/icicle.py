"""What lies below each holder: a picture of types that hold types, as wide as what they retain."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from diagtools import frames
from diagtools.analyse.holders.holding import holding_of
from diagtools.analyse.holders.reach import flags
from diagtools.analyse.holders.tree import Tree
from diagtools.analyse.profiles.tree import lefts
from diagtools.frames import ObjectGraph
from diagtools.profile import Unit

ALL = "all objects"
_DEEPEST = 8
_MOST_STEPS = 30  # down, by columns


def holder_icicle(graph: ObjectGraph, *, least_share: float = 0.001) -> pl.DataFrame:
    """Which holders have how much, and objects of which types is that, from the holder down?

    The result is ICICLE: the whole, then a node a holder, with its kind as ``package``.  Below it stand, as types, what
    it refers to, what that refers to, and so on down the tree of dominators, all objects of a type below the same node
    together.  A node's own size is that of its own objects, what lies too deep, and what is below ``least_share`` of
    the whole.
    """
    holding = holding_of(graph)
    objects = pl.DataFrame(
        {
            "node": pl.int_range(graph.nodes.height, dtype=pl.Int64, eager=True),
            "up": holding.tree.above.head(graph.nodes.height),
            "holder": holding.holder_of,
            "type_id": graph.nodes["type_id"],
            "size": graph.nodes["size_bytes"],
        }
    ).filter(pl.col("holder") >= 0)
    whole = int(objects["size"].sum())
    groups = _Groups()
    groups.add(None, 0, ALL, "", whole, objects.height)
    least = max(1.0, least_share * whole)
    of_holder = objects.group_by("holder").agg(pl.col("size").sum(), n=pl.len())
    for holder, size, n in of_holder.sort("size", "holder", descending=[True, False]).iter_rows():
        if size >= least:
            label = holding.labels[holder]
            together = " + ".join([label.root, *holding.shared_with[holder]])
            top = groups.add(0, 1, together, label.kind, size, n)
            _types_below(groups, top, objects.filter(pl.col("holder") == holder), graph, holding.tree, least)
    return groups.frame()


@dataclass(slots=True)
class _Groups:
    """The nodes of the picture."""

    rows: list[tuple[int, int | None, int, str, str, int, int]] = field(default_factory=list)

    def add(self, parent: int | None, depth: int, name: str, kind: str, size: int, n: int) -> int:
        """One more node, and its number."""
        self.rows.append((len(self.rows), parent, depth, name, kind, size, n))
        return len(self.rows) - 1

    def frame(self) -> pl.DataFrame:
        """As ICICLE."""
        names = ["node_id", "parent_id", "depth", "name", "kind", "total_size", "total_n"]
        nodes = pl.DataFrame(self.rows, schema=names, orient="row").with_columns(
            pl.col("node_id", "parent_id", "depth", "total_size", "total_n").cast(pl.Int64)
        )
        below = nodes.group_by(node_id="parent_id").agg(below=pl.col("total_size").sum()).drop_nulls()
        nodes = nodes.join(below, on="node_id", how="left", maintain_order="left")
        left = lefts(nodes["parent_id"], nodes["total_size"], [nodes["name"], nodes["node_id"]])
        found = nodes.with_columns(
            self_size=pl.col("total_size") - pl.col("below").fill_null(0),
            left=left,
            right=left + nodes["total_size"],
            function="name",
            package="kind",
            file=pl.lit(""),
            line=pl.lit(0, dtype=pl.Int64),
            origin=pl.lit(""),
            unit=pl.lit(str(Unit.BYTES)),
        )
        return frames.ICICLE.check(found.sort("depth", "left", "node_id").select(list(frames.ICICLE.columns)))


def _types_below(
    groups: _Groups, top: int, inside: pl.DataFrame, graph: ObjectGraph, tree: Tree, least: float
) -> None:
    """Adds the types below a holder, level by level; ``inside`` are its objects."""
    names, kind = graph.types["type"], groups.rows[top][4]
    group_of = pl.DataFrame({"node": [], "group": []}, schema={"node": pl.Int64, "group": pl.Int64})
    here = inside.join(inside.select(up="node"), on="up", how="anti").with_columns(
        group=pl.lit(top, dtype=pl.Int64)
    )
    levels = [here.select("node", "group")]
    keys: dict[tuple[int, int], int] = {}
    parents: dict[int, tuple[int, int]] = {}
    for _ in range(_DEEPEST):
        below = inside.join(here.select(up="node", outer="group"), on="up")
        if below.is_empty():
            break
        for outer, type_id in below.select("outer", "type_id").unique(maintain_order=True).iter_rows():
            number = keys.setdefault((outer, type_id), -len(keys) - 1)
            parents[number] = (outer, type_id)
        mapping = pl.DataFrame(
            [(*key, number) for key, number in keys.items()],
            schema={"outer": pl.Int64, "type_id": pl.Int64, "group": pl.Int64},
            orient="row",
        )
        here = below.join(mapping, on=["outer", "type_id"])
        levels.append(here.select("node", "group"))
    group_of = pl.concat([group_of, *levels])
    _add_sums(groups, parents, _own_sums(inside, group_of, tree), names, kind, least, top)


def _own_sums(inside: pl.DataFrame, group_of: pl.DataFrame, tree: Tree) -> dict[int, tuple[int, int]]:
    """Size and number of the objects in each group itself; what lies deeper belongs to the last one above it."""
    known = inside.join(group_of, on="node", how="left")
    deeper = known.filter(pl.col("group").is_null()).drop("group")
    found = [known.drop_nulls("group").select("group", "size")]
    last = group_of
    for _ in range(_MOST_STEPS):
        reached = deeper.join(last.select(up="node", group="group"), on="up")
        if reached.is_empty():
            break
        found.append(reached.select("group", "size"))
        last = reached.select("node", "group")
        deeper = deeper.join(reached.select("node"), on="node", how="anti")
    if deeper.height:  # a long chain: what is left is found by the tree
        nearest = tree.nearest(flags(len(tree.above), group_of["node"]))
        left = deeper.with_columns(top=nearest.gather(deeper["node"]))
        found.append(left.join(group_of, left_on="top", right_on="node").select("group", "size"))
    sums = pl.concat(found).group_by("group").agg(pl.col("size").sum(), n=pl.len())
    return {group: (size, n) for group, size, n in sums.iter_rows()}


def _add_sums(
    groups: _Groups,
    parents: dict[int, tuple[int, int]],
    own: dict[int, tuple[int, int]],
    names: pl.Series,
    kind: str,
    least: float,
    top: int,
) -> None:
    total = {group: list(own.get(group, (0, 0))) for group in [top, *parents]}
    for group in sorted(parents):  # the newest, deepest ones have the lowest numbers
        size, n = total[group]
        total[parents[group][0]][0] += size
        total[parents[group][0]][1] += n
    placed = {top: top}
    for group in sorted(parents, reverse=True):
        outer, type_id = parents[group]
        size, n = total[group]
        if outer in placed and size >= least:
            depth = groups.rows[placed[outer]][2] + 1
            placed[group] = groups.add(placed[outer], depth, names[type_id], kind, size, n)
