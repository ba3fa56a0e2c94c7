"""What of each stack was live in each slice of the time, for an icicle that follows a brush over the timeline?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import polars as pl

from diagtools import frames
from diagtools.analyse.profiles.icicle import labelled
from diagtools.analyse.profiles.lifetimes import lifetimes, overlap_s
from diagtools.analyse.profiles.tree import below, nearest, numbered, under_root, walk
from diagtools.errors import UsageError
from diagtools.profile import Profile


def live_slices(profile: Profile, *, n_slices: int = 40, least_share: float = 0.005) -> pl.DataFrame:
    """How much of each stack was live on average in each of ``n_slices`` equal slices of the time?  LIVE.

    A row a node and slice.  What a stack itself held is rounded to whole units a slice; all else are sums of that, so
    in each slice the ``self_size`` of all nodes sum to the root's ``total_size``, and a node's own part and the totals
    of its children to its own total, exactly.  A node is left out where it is below ``least_share`` of the whole's
    maximum in every slice: its part is then in the own part of the one above it, which ``is_cut`` marks.

    ``order`` is a walk that meets parents first and the larger before the smaller: where the own part of a node stands
    left of its children, it begins at the sum of the own parts of all nodes before it, in one slice and on average over
    any.  Raises ``NoDataError`` where the capture knows no time.
    """
    if n_slices < 1:
        raise UsageError(f"{n_slices} slices of the time are none.", hint="ask for 40.")
    edges = _edges(profile, n_slices)
    own = _own(profile, edges)
    slices = own.columns[1:]
    least = max(1.0, least_share * max(own.select(pl.col(slices).sum()).row(0)))
    tree = _totals(_possible(profile, own, slices, least), slices)
    kept = tree.filter((pl.max_horizontal(slices) >= least) & pl.col("parent").is_not_null())
    small = under_root(kept, pl.repeat(value=True, n=kept.height, eager=True))
    root = tree.select(slices).row(0, named=True)
    small = labelled(small, profile.locations).with_columns(pl.col(at).fill_null(root[at]) for at in slices)
    return _rows(_with_own(small, own, slices), edges)


def _edges(profile: Profile, n_slices: int) -> list[float]:
    """Where slices begin and end: from the first to the last moment that the capture knows of."""
    rows = lifetimes(profile)
    known = [rows["begin_s"], rows["end_s"].drop_nulls()]
    if profile.tracked is not None:
        known.append(profile.tracked["t_s"])
    moments = pl.concat([column.rename("t_s") for column in known])
    first, last = (moments.min(), moments.max()) if len(moments) else (0.0, 0.0)
    begin_s, end_s = float(first), float(last)  # type: ignore[arg-type]  # seconds
    if begin_s == end_s:
        end_s = begin_s + 1.0  # one snapshot: what lived then
    return [begin_s + (end_s - begin_s) * at / n_slices for at in range(n_slices)] + [end_s]


def _own(profile: Profile, edges: Sequence[float]) -> pl.DataFrame:
    """What each stack held itself on average in each slice: ``stack_id`` and a column a slice."""
    means = {
        str(at): (pl.col("size") * overlap_s(begin_s, end_s)).sum() / (end_s - begin_s)
        for at, (begin_s, end_s) in enumerate(pairwise(edges))
    }
    held = lifetimes(profile).group_by("stack_id", maintain_order=True).agg(**means)
    return held.select("stack_id", pl.col(list(means)).round().cast(pl.Int64))


def _possible(profile: Profile, own: pl.DataFrame, slices: list[str], least: float) -> pl.DataFrame:
    """The tree without nodes that can reach ``least`` in no slice: what they held goes to those above them.

    Nobody's largest total is above the sum of the largest own parts, which is one column instead of one a slice.
    """
    nodes = numbered(profile.stacks)
    most = own.select("stack_id", most=pl.max_horizontal(slices))
    bound = nodes.join(most, on="stack_id", how="left", maintain_order="left").select(
        pl.col("most").fill_null(0)
    )
    is_possible = below(nodes["parent"], bound)["most"] >= least
    tree = under_root(nodes, is_possible)
    homes = nodes.select("stack_id", node=nearest(nodes["parent"], is_possible)).join(
        tree.select("node", "node_id").drop_nulls(), on="node", how="left", maintain_order="left"
    )
    held = (
        own.join(homes, on="stack_id", how="left", maintain_order="left")
        .group_by(pl.col("node_id").fill_null(0))
        .agg(pl.col(slices).sum())
    )
    return tree.join(held, on="node_id", how="left", maintain_order="left").with_columns(
        pl.col(slices).fill_null(0)
    )


def _totals(tree: pl.DataFrame, slices: list[str]) -> pl.DataFrame:
    """The same nodes as ``node`` and ``parent``, each slice with all below it."""
    nodes = tree.select(
        pl.col("node_id").alias("node"), pl.col("parent_id").alias("parent"), "stack_id", "location_id"
    )
    return pl.concat([nodes, below(nodes["parent"], tree.select(slices))], how="horizontal")


def _with_own(tree: pl.DataFrame, own: pl.DataFrame, slices: list[str]) -> pl.DataFrame:
    """The tree with ``order``, the own part of each slice, and ``is_cut``: it is more than the stack held itself."""
    mean = tree.select(pl.sum_horizontal(slices)).to_series()
    order = walk(tree["parent_id"], mean, [tree["name"], tree["location_id"]])["enter"]
    children = (
        tree.filter(pl.col("parent_id").is_not_null())
        .group_by(pl.col("parent_id").alias("node_id"))
        .agg(pl.col(slices).sum().name.prefix("below "))
    )
    rest = ((pl.col(at) - pl.col(f"below {at}").fill_null(0)).alias(f"own {at}") for at in slices)
    return (
        tree.with_columns(order.alias("order"))
        .join(children, on="node_id", how="left", maintain_order="left")
        .join(own, on="stack_id", how="left", maintain_order="left", suffix=" held")
        .with_columns(rest)
        .with_columns(
            is_cut=pl.any_horizontal(pl.col(f"own {at}") > pl.col(f"{at} held").fill_null(0) for at in slices)
        )
    )


def _rows(tree: pl.DataFrame, edges: Sequence[float]) -> pl.DataFrame:
    """LIVE: a row a node and slice."""
    each = [
        tree.select(
            pl.col("node_id").cast(pl.Int64),
            *("order", "depth", "name", "package", "is_cut"),
            slice=pl.lit(at, dtype=pl.Int64),
            begin_s=pl.lit(begin_s),
            end_s=pl.lit(end_s),
            self_size=pl.col(f"own {at}"),
            total_size=pl.col(f"{at}"),
        )
        for at, (begin_s, end_s) in enumerate(pairwise(edges))
    ]
    return frames.LIVE.check(pl.concat(each).sort("order", "slice").select(list(frames.LIVE.columns)))
