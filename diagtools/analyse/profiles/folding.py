"""The same profile without frames that nobody asks about, or with a part of its memory only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import polars as pl

from diagtools import frames
from diagtools.analyse.profiles.tree import along, by_path, nearest, numbered, path_names
from diagtools.profile import Profile

#: Where that goes which frames held above which no other frame stands, by the role of the frame that held it.
ROOTS = {"import": "[import system]", "runner": "[runner]", "": "[elsewhere]"}

#: The functions of the system that map memory: what they asked for need not ever have been touched.
MAPPINGS = frozenset({"mmap", "mremap"})


def folded(profile: Profile, roles: Collection[str] = ("import", "runner")) -> Profile:
    """What does a profile say without the frames that import, and those that only start a program?

    What such a frame held goes to the innermost frame above it that is kept, or to a root of its own
    (``[import system]``, ``[runner]``) where none is: the total stays the same exactly.
    """
    return _without(profile, pl.col("role").is_in(list(roles)))


def held_for(profile: Profile, origin: str = "own") -> Profile:
    """Which places of one origin is memory held for, whoever asked for it on their behalf?

    Only frames of this origin are left: what libraries asked for goes to the line that called them, and what has no
    such frame above it to the root ``[elsewhere]``.  The total stays the same exactly.
    """
    return _without(profile, pl.col("origin") != origin)


def only(profile: Profile, *, package: str) -> Profile:
    """What was held by a package, itself or through what it called?  The profile of the stacks it stands in."""
    chosen = profile.locations.filter(pl.col("package") == package).select("location_id")
    nodes = numbered(profile.stacks)
    is_chosen = nodes["location_id"].is_in(chosen["location_id"].implode())
    below_it = nodes.filter(nearest(nodes["parent"], is_chosen).is_not_null()).select("stack_id")
    return _part(profile, below_it, ["stack_id"])


def by_allocator(profile: Profile, allocator: str) -> Profile:
    """What did this allocator hand out?"""
    return _part(profile, pl.DataFrame({"allocator": [allocator]}), ["allocator"])


def without_mappings(profile: Profile) -> Profile:
    """What is left without memory that was mapped, of which nobody knows whether it was ever touched?"""
    kept = profile.allocations.select("allocator").unique().filter(~_is_mapping())
    return _part(profile, kept, ["allocator"])


def allocators(profile: Profile) -> pl.DataFrame:
    """Which allocators handed out how much?  ALLOCATORS, the largest first; the sizes sum to the profile's total."""
    total = profile.total
    return frames.ALLOCATORS.check(
        profile.allocations.group_by("allocator", maintain_order=True)
        .agg(pl.col("size", "n_allocations").sum())
        .with_columns(
            share=pl.col("size") / total if total else pl.lit(None, dtype=pl.Float64),
            is_mapping=_is_mapping(),
            unit=pl.lit(str(profile.unit)),
        )
        .sort("size", "allocator", descending=[True, False])
        .select(list(frames.ALLOCATORS.columns))
    )


def _is_mapping() -> pl.Expr:
    return pl.col("allocator").str.to_lowercase().is_in(list(MAPPINGS))


def _part(profile: Profile, kept: pl.DataFrame, on: list[str]) -> Profile:
    """The allocations and lifetimes of these stacks or allocators; the tree stays as it is."""
    lifetimes = profile.lifetimes
    return replace(
        profile,
        allocations=profile.allocations.join(kept, on=on, how="semi", maintain_order="left"),
        lifetimes=None
        if lifetimes is None
        else lifetimes.join(kept, on=on, how="semi", maintain_order="left"),
    )


def _without(profile: Profile, dropped: pl.Expr) -> Profile:
    """The same allocations on a tree without the frames at these locations; equal stacks become one."""
    marked = profile.locations.select("location_id", "role", is_kept=~dropped)
    if marked["is_kept"].all():
        return profile
    nodes = numbered(profile.stacks).join(marked, on="location_id", how="left", maintain_order="left")
    home = nearest(nodes["parent"], nodes["is_kept"])
    above = home.gather(nodes["parent"])  # of a frame: the next one that is kept
    paths = path_names(above, nodes["location_id"])
    stacks = _merged(nodes.with_columns(paths.alias("path"), path_above=paths.gather(above)))
    moved = nodes.select("stack_id", "role", path=paths.gather(home)).join(
        stacks.select("path", new_id="stack_id"), on="path", how="left", maintain_order="left"
    )
    return _on(profile, stacks, moved)


def _merged(nodes: pl.DataFrame) -> pl.DataFrame:
    """STACKS of the kept nodes, with ``path``: equal stacks are one."""
    rows = by_path(nodes.filter("is_kept"), [pl.col("location_id").first()])
    one = pl.repeat(1, rows.height, dtype=pl.Int64, eager=True)
    return rows.select(
        "path",
        "location_id",
        stack_id=pl.col("node").cast(pl.Int64),
        parent_id=pl.col("parent").cast(pl.Int64),
        depth=along(rows["parent"], one) - 1,
    )


def _on(profile: Profile, stacks: pl.DataFrame, moved: pl.DataFrame) -> Profile:
    """The profile on another tree.  ``moved`` says where its stacks are now; what has no place gets a root."""
    holders = pl.concat(
        frame.select("stack_id") for frame in (profile.allocations, profile.lifetimes) if frame is not None
    )
    homeless = moved.filter(pl.col("new_id").is_null()).join(holders, on="stack_id", how="semi")
    roots = _roots(homeless["role"].unique().sort(), stacks, profile.locations)
    ids = (
        moved.join(roots.select("role", root_id="stack_id"), on="role", how="left", maintain_order="left")
        .select("stack_id", new_id=pl.coalesce("new_id", "root_id"))
        .filter(pl.col("new_id").is_not_null())
    )
    tree = pl.concat([stacks, roots], how="diagonal").select(list(frames.STACKS.columns))
    places = pl.concat([profile.locations, roots.with_columns(role=pl.lit(""))], how="diagonal")
    places = places.select(list(frames.LOCATIONS.columns)).join(tree, on="location_id", how="semi")
    lifetimes = profile.lifetimes
    return replace(
        profile,
        allocations=_moved(profile.allocations, ids, frames.ALLOCATIONS),
        lifetimes=None if lifetimes is None else _moved(lifetimes, ids, frames.LIFETIMES),
        stacks=frames.STACKS.check(tree),
        locations=frames.LOCATIONS.check(places.sort("location_id")),
    )


def _roots(roles: pl.Series, stacks: pl.DataFrame, locations: pl.DataFrame) -> pl.DataFrame:
    """Rows of STACKS and LOCATIONS at once: a root a role."""
    first = int(locations["location_id"].max() or 0) + 1  # type: ignore[arg-type]  # ids are whole numbers
    rows = roles.to_frame("role").with_row_index("at").with_columns(pl.col("at").cast(pl.Int64))
    empty = {name: pl.lit("") for name in ("file", "module", "package")}
    return rows.with_columns(
        stack_id=pl.col("at") + stacks.height,
        parent_id=pl.lit(None, dtype=pl.Int64),
        depth=pl.lit(0, dtype=pl.Int64),
        location_id=pl.col("at") + first,
        function=pl.col("role").replace_strict(ROOTS, default=ROOTS[""], return_dtype=pl.String),
        line=pl.lit(0, dtype=pl.Int64),
        origin=pl.lit("unknown"),
        **empty,
    )


def _moved(rows: pl.DataFrame, ids: pl.DataFrame, frame: frames.Frame) -> pl.DataFrame:
    """The rows with the new ids of their stacks; those that are alike now are summed."""
    group = [name for name in frame.columns if name not in ("size", "n_allocations")]
    return frame.check(
        rows.join(ids, on="stack_id", how="inner", maintain_order="left")
        .with_columns(stack_id="new_id")
        .group_by(group, maintain_order=True)
        .agg(pl.col("size", "n_allocations").sum())
        .select(list(frame.columns))
    )
