"""Where does each stack stand in a picture of who called whom, as wide as what it held?"""

from __future__ import annotations

import polars as pl

from diagtools import frames
from diagtools.analyse.profiles.places import keyed
from diagtools.analyse.profiles.tree import ALL, lefts, rooted, under_root
from diagtools.profile import Profile

_NAMES = ("name", "function", "file", "line", "package", "origin")
_HELD = ("total_size", "total_n")


def icicle(profile: Profile, *, least_share: float = 0.001) -> pl.DataFrame:
    """Which part of the whole width does each stack take, below the frame that called it?

    The result is ICICLE, from the root down and from the left; the root is as wide as the profile's total.  Children
    lie side by side within their parent, the widest on the left; what they leave free on the right is the parent's own
    part, and the children below ``least_share`` of the whole, which are left out.
    """
    nodes = rooted(profile)
    tree = under_root(nodes, nodes["total_size"] >= max(1.0, least_share * profile.total))
    whole = {
        "total_size": profile.total,
        "total_n": int(profile.allocations["n_allocations"].sum()),
        "self_size": 0,
    }
    tree = labelled(tree, profile.locations).with_columns(pl.col(n).fill_null(of) for n, of in whole.items())
    left = lefts(tree["parent_id"], tree["total_size"], [tree["name"], tree["location_id"]])
    placed = tree.with_columns(left=left, right=left + tree["total_size"], unit=pl.lit(str(profile.unit)))
    return frames.ICICLE.check(
        placed.with_columns(pl.col("node_id", "parent_id").cast(pl.Int64))
        .sort("depth", "left", "node_id")
        .select(list(frames.ICICLE.columns))
    )


def labelled(tree: pl.DataFrame, locations: pl.DataFrame) -> pl.DataFrame:
    """The nodes of a tree with the names of their places; the root's is ``all``."""
    named = keyed(locations, "line").select("location_id", *_NAMES[1:], name="key")
    root = {"name": ALL, "function": ALL, "file": "", "line": 0, "package": "", "origin": ""}
    return tree.join(named, on="location_id", how="left", maintain_order="left").with_columns(
        pl.when(pl.col("parent_id").is_null()).then(pl.lit(of)).otherwise(name).alias(name)
        for name, of in root.items()
    )
