"""Where in the tree of calls did two captures part?"""

from __future__ import annotations

import polars as pl

from diagtools import frames
from diagtools.analyse.profiles import places
from diagtools.analyse.profiles.matching import matched, places_of
from diagtools.analyse.profiles.tree import ALL, below, by_path, lefts, path_names, rooted, under_root
from diagtools.errors import UsageError
from diagtools.profile import Profile

_NAMES = ("name", "function", "file", "package", "origin")
_SIZES = ("before_size", "after_size", "width")


def difference_icicle(before: Profile, after: Profile, *, least_share: float = 0.001) -> pl.DataFrame:
    """Which part of the whole does each stack of either side take, and how much did it change by?

    The result is DIFFERENCE_ICICLE, from the root down and from the left.  Stacks are one where all their frames match
    (``matching``).  A node's own width is the larger of its two own parts, and its width that and those of its
    children: so children fit in their parent exactly, nothing is narrower than either side's size, and what grew in one
    place is not hidden by what shrank in another.  Nodes narrower than ``least_share`` of the root are left out: a
    change is never larger than the width, so all larger changes are there.  ``delta_size`` of the root is the change of
    the total.  Raises ``UsageError`` for different units.
    """
    if before.unit is not after.unit:
        raise UsageError(f"Sizes in {before.unit} and {after.unit} cannot be compared.")
    matches = matched([before], [after])
    nodes = _merged(before, after, matches)
    least = max(1.0, least_share * int(nodes.filter(pl.col("parent").is_null())["width"].sum()))
    whole = nodes.filter(pl.col("parent").is_null()).select(pl.col(_SIZES).sum()).row(0, named=True)
    tree = under_root(nodes, nodes["width"] >= least).with_columns(
        pl.col(name).fill_null(whole[name]) for name in _SIZES
    )
    tree = _labelled(tree, matches)
    left = lefts(tree["parent_id"], tree["width"], [tree["name"], tree["node_id"]])
    return frames.DIFFERENCE_ICICLE.check(
        tree.with_columns(
            pl.col("node_id", "parent_id").cast(pl.Int64),
            left=left,
            right=left + tree["width"],
            delta_size=pl.col("after_size") - pl.col("before_size"),
            unit=pl.lit(str(before.unit)),
        )
        .sort("depth", "left", "node_id")
        .select(list(frames.DIFFERENCE_ICICLE.columns))
    )


def _merged(before: Profile, after: Profile, matches: pl.DataFrame) -> pl.DataFrame:
    """One row a stack of either side: ``place_id``, the totals of both, and its width."""
    old, new = _side(before, matches, "before"), _side(after, matches, "after")
    nodes = pl.concat([old, new.with_columns(pl.col("parent") + old.height)], how="diagonal")
    nodes = nodes.with_columns(path_names(nodes["parent"], nodes["place_id"]).alias("path"))
    nodes = nodes.with_columns(nodes["path"].gather(nodes["parent"]).alias("path_above"))
    sizes = pl.col("before_size", "after_size").sum()
    stacks = by_path(nodes, [pl.col("place_id").first(), sizes])
    own = stacks.select("before_size", "after_size", width=pl.max_horizontal("before_size", "after_size"))
    return pl.concat(
        [stacks.select("node", "parent", "place_id"), below(stacks["parent"], own)], how="horizontal"
    )


def _side(profile: Profile, matches: pl.DataFrame, side: str) -> pl.DataFrame:
    other = "after_size" if side == "before" else "before_size"
    return (
        rooted(profile)
        .join(
            places_of(profile.locations, matches, side), on="location_id", how="left", maintain_order="left"
        )
        .select(
            "parent",
            "place_id",
            pl.col("self_size").alias(f"{side}_size"),
            pl.lit(0, dtype=pl.Int64).alias(other),
        )
    )


def _labelled(tree: pl.DataFrame, matches: pl.DataFrame) -> pl.DataFrame:
    line = pl.coalesce("line_after", "line_before").alias("line")
    named = matches.with_columns(line).select("place_id", *_NAMES[1:], name=places.key("line"))
    root = dict.fromkeys(_NAMES, "") | {"name": ALL, "function": ALL}
    return tree.join(named, on="place_id", how="left", maintain_order="left").with_columns(
        pl.when(pl.col("parent_id").is_null()).then(pl.lit(of)).otherwise(name).alias(name)
        for name, of in root.items()
    )
