"""The tree of calls as columns: what lies below a node, what led to it, and which nodes have the same path.

A tree is a column of parents: row numbers, null for a root.  Sums and names go from a node to its parent, then to its
ancestor two, four, eight … levels up, until every node has reached its root: as many rounds as the depth has binary
digits, whatever the number of nodes (pointer jumping: J. Wyllie, "The complexity of parallel computations", 1979).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from diagtools.errors import DamagedError
from diagtools.profile import Profile

#: What the synthetic root above all stacks is called.
ALL = "all"


def rooted(profile: Profile) -> pl.DataFrame:
    """What does each node of the call tree hold, itself and with all that it called?

    One row a stack of STACKS, in their order: ``node`` (row number), ``parent`` (row number, null for an outermost
    frame), ``stack_id``, ``location_id``, ``self_size``, ``self_n``, ``total_size``, ``total_n``.  The own parts sum to
    the profile's total exactly.  Raises ``DamagedError`` where an allocation has a stack that the tree has not.
    """
    held = profile.allocations.group_by("stack_id").agg(
        self_size=pl.col("size").sum(), self_n=pl.col("n_allocations").sum()
    )
    nodes = (
        numbered(profile.stacks)
        .join(held, on="stack_id", how="left", maintain_order="left")
        .with_columns(pl.col("self_size", "self_n").fill_null(0))
    )
    if int(nodes["self_size"].sum()) != profile.total:
        raise DamagedError(f"Profile {profile.name!r} has allocations whose stacks are not in its call tree.")
    own = nodes.select(total_size="self_size", total_n="self_n")
    columns = ("node", "parent", "stack_id", "location_id", "self_size", "self_n", "total_size", "total_n")
    return pl.concat([nodes, below(nodes["parent"], own)], how="horizontal").select(columns)


def numbered(stacks: pl.DataFrame) -> pl.DataFrame:
    """STACKS with the row number of each node (``node``) and of its parent (``parent``, null for a root)."""
    rows = stacks.with_row_index("node").select("node", "stack_id", "parent_id", "location_id")
    parents = rows.select(pl.col("stack_id").alias("parent_id"), pl.col("node").alias("parent"))
    return rows.join(parents, on="parent_id", how="left", maintain_order="left").drop("parent_id")


def below(parents: pl.Series, values: pl.DataFrame) -> pl.DataFrame:
    """What do a node and all below it hold together?  One row a node, each column of ``values`` summed."""
    names = values.columns
    summed = values.with_row_index("node")
    for up in _upwards(parents):
        risen = (
            summed.select(names)
            .with_columns(up.alias("node"))
            .filter(pl.col("node").is_not_null() & pl.any_horizontal(pl.col(names) != 0))
            .group_by("node")
            .agg(pl.col(names).sum().name.suffix(" risen"))
        )
        summed = summed.join(risen, on="node", how="left", maintain_order="left").select(
            "node", *(pl.col(name) + pl.col(f"{name} risen").fill_null(0) for name in names)
        )
    return summed.select(names)


def along(parents: pl.Series, values: pl.Series) -> pl.Series:
    """What do a node and all above it hold together?  One value a node."""
    summed = values
    for up in _upwards(parents):
        summed = summed + summed.gather(up).fill_null(0)
    return summed


def nearest(parents: pl.Series, stops: pl.Series) -> pl.Series:
    """Which is the innermost of a node and its ancestors that ``stops`` is true for?  Null where none is."""
    rows = pl.int_range(len(parents), dtype=pl.UInt32, eager=True)
    at = pl.select(pl.when(stops).then(rows).otherwise(parents)).to_series()
    while not (further := at.gather(at)).equals(at):
        at = further
    return at


def path_names(parents: pl.Series, labels: pl.Series) -> pl.Series:
    """Which nodes have the same labels from their root down?  A number a node: equal if and only if all of them are.

    Nothing is hashed: the last 2, 4, 8 … labels get a name each (R. Karp, R. Miller and A. Rosenberg, "Rapid
    identification of repeated patterns", 1972).
    """
    names = labels.rank("dense").cast(pl.Int64)
    for up in _upwards(parents):
        width = int(names.max() or 0) + 1  # type: ignore[arg-type]  # whole numbers
        names = (names * width + names.gather(up).fill_null(0)).rank("dense").cast(pl.Int64)
    return names


def by_path(nodes: pl.DataFrame, parts: Sequence[pl.Expr]) -> pl.DataFrame:
    """One row a path, in the order in which they come first: ``node``, ``parent``, ``path`` and the parts, aggregated.

    ``nodes`` has ``path`` (see ``path_names``) and ``path_above``, the path of the parent, null for a root.
    """
    rows = (
        nodes.group_by("path", maintain_order=True)
        .agg(pl.col("path_above").first(), *parts)
        .with_row_index("node")
    )
    ids = rows.select(pl.col("path").alias("path_above"), pl.col("node").alias("parent"))
    return rows.join(ids, on="path_above", how="left", maintain_order="left")


def under_root(nodes: pl.DataFrame, is_kept: pl.Series) -> pl.DataFrame:
    """The kept nodes, numbered anew as ``node_id`` and ``parent_id``, ``depth`` levels below a root that is row 0.

    ``nodes`` has ``node`` and ``parent``; a node may be kept only where its parent is.  The root's other columns are
    null.
    """
    kept = nodes.filter(is_kept).with_row_index("node_id", offset=1)
    ids = kept.select(pl.col("node").alias("parent"), pl.col("node_id").alias("parent_id"))
    below_root = kept.join(ids, on="parent", how="left", maintain_order="left").with_columns(
        pl.col("parent_id").fill_null(0)
    )
    root = pl.DataFrame({"node_id": [0]}, schema={"node_id": pl.UInt32})
    tree = pl.concat([root, below_root], how="diagonal")
    one = pl.repeat(1, tree.height, dtype=pl.Int64, eager=True)
    return tree.with_columns((along(tree["parent_id"], one) - 1).alias("depth"))


def lefts(parents: pl.Series, widths: pl.Series, ties: Sequence[pl.Series] = ()) -> pl.Series:
    """Where does each node begin, if children lie side by side from the left of their parent, the widest first?"""
    return along(parents, _beside(parents, widths, _order(widths, ties)))


def walk(parents: pl.Series, widths: pl.Series, ties: Sequence[pl.Series] = ()) -> pl.DataFrame:
    """When does a walk meet each node, parents first and the widest child first, and when has it left?

    One row a node: ``enter`` counts from 0, ``leave`` is the first ``enter`` that is no longer below the node.
    """
    one = pl.repeat(1, len(parents), dtype=pl.Int64, eager=True).alias("n")
    n_below = below(parents, one.to_frame())["n"]
    after_parent = parents.is_not_null().cast(pl.Int64)
    enter = along(parents, _beside(parents, n_below, _order(widths, ties)) + after_parent)
    return pl.DataFrame({"enter": enter, "leave": enter + n_below})


def _order(widths: pl.Series, ties: Sequence[pl.Series]) -> pl.DataFrame:
    """By what siblings are sorted: minus their width, then the ties."""
    return pl.DataFrame([(-widths).alias("0"), *(tie.alias(f"{1 + at}") for at, tie in enumerate(ties))])


def _beside(parents: pl.Series, spans: pl.Series, order: pl.DataFrame) -> pl.Series:
    """What the siblings before a node span together.  Roots are siblings."""
    is_first = pl.col("parent").ne_missing(pl.col("parent").shift())
    return (
        order.with_columns(parents.alias("parent"), spans.alias("span"))
        .with_row_index("node")
        .sort("parent", *order.columns, "node")
        .with_columns(before=pl.col("span").cum_sum() - pl.col("span"))
        .with_columns(first=pl.when(is_first).then("before").forward_fill().fill_null(0))
        .select("node", offset=pl.col("before") - pl.col("first"))
        .sort("node")["offset"]
    )


def topmost(spans: pl.DataFrame, keys: pl.Series) -> pl.Series:
    """Does a node have no ancestor with the same key?  ``spans`` is a ``walk``; one flag a node, in its order."""
    reached = (
        spans.with_columns(keys.alias("key"))
        .with_row_index("node")
        .sort("key", "enter")
        .with_columns(until=pl.col("leave").cum_max().shift(1).over("key"))
    )
    return reached.sort("node").select((pl.col("until") <= pl.col("enter")).fill_null(value=True)).to_series()


def _upwards(parents: pl.Series) -> Iterator[pl.Series]:
    """The ancestors one, two, four, eight … levels up, until nobody has one."""
    up = parents
    while up.null_count() < len(up):
        yield up
        up = up.gather(up)
