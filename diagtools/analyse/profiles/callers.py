"""Who called a place, and what did it call, with how much passing between the two?"""

from __future__ import annotations

import polars as pl

from diagtools import frames
from diagtools.analyse.profiles.places import By, keyed, unnamed
from diagtools.analyse.profiles.tree import nearest, rooted
from diagtools.errors import NoDataError
from diagtools.profile import Profile, Source

#: The sides of a place: who called it, whom it called, and what it asked for itself.
CALLER, CALLEE, OWN = "caller", "callee", "own"
#: Who called what stands outermost.
OUTERMOST = "[outermost]"

_NAMES = ("key", "function", "file", "line", "package")


def callers(profile: Profile, key: str, by: By = "line") -> pl.DataFrame:
    """For whom did a place ask for memory, itself or through what it called?  CALLS, the largest first.

    ``key`` is one of SITES by the same ``by``; the sizes sum to its ``total_size`` exactly.  Where a place stands in a
    stack more than once, the outermost one's caller counts.  Raises ``NoDataError`` where nothing has this key.
    """
    nodes, named = _nodes(profile, key, by)
    values = {"size": "total_size", "n_allocations": "total_n"}
    chosen = pl.col("is_place")
    if profile.source is Source.PSTATS:  # a caller, a callee: what a callee called in turn is not below it
        values = {"size": "self_size", "n_allocations": "self_n"}
    else:
        around = nearest(nodes["parent"], nodes["is_place"])
        chosen &= around.gather(nodes["parent"]).is_null()
    found = nodes.filter(chosen).select(
        pl.col("parent").alias("node"), **{k: pl.col(v) for k, v in values.items()}
    )
    rows = found.join(nodes.select("node", "code"), on="node", how="left", maintain_order="left")
    return _calls(rows.with_columns(side=pl.lit(CALLER)), named, profile)


def callees(profile: Profile, key: str, by: By = "line") -> pl.DataFrame:
    """What did a place hold itself, and what by each place that it called?  CALLS, the largest first.

    ``key`` is one of SITES by the same ``by``; the sizes, with that of the row ``own``, sum to its ``total_size``
    exactly.  Where a place stands in a stack more than once, what the innermost one called counts.  Raises
    ``NoDataError`` where nothing has this key.
    """
    nodes, named = _nodes(profile, key, by)
    is_place = nodes["is_place"]
    called = is_place.gather(nodes["parent"]).fill_null(value=False)
    entered = nearest(nodes["parent"], is_place | called)
    rows = (
        nodes.select(entered.alias("node"), size="self_size", n_allocations="self_n")
        .filter(pl.col("node").is_not_null())
        .join(nodes.select("node", "code", "is_place"), on="node", how="left", maintain_order="left")
        .with_columns(side=pl.when("is_place").then(pl.lit(OWN)).otherwise(pl.lit(CALLEE)))
    )
    return _calls(rows, named, profile)


def _nodes(profile: Profile, key: str, by: By) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The tree with a ``code`` for the place of each node, and what the codes stand for."""
    locations = keyed(profile.locations, by).with_columns(code=pl.col("key").rank("dense"))
    if key not in locations["key"]:
        raise NoDataError(
            f"Profile {profile.name!r} has no {by} {key!r}.", hint=f"keys stand in sites(profile, by={by!r})."
        )
    nodes = rooted(profile).join(
        locations.select("location_id", "code", is_place=pl.col("key") == key),
        on="location_id",
        how="left",
        maintain_order="left",
    )
    named = locations.group_by("code", maintain_order=True).agg(
        *(_unknown(name) if name in unnamed(by) else pl.col(name).first() for name in _NAMES)
    )
    return nodes, named


def _calls(rows: pl.DataFrame, named: pl.DataFrame, profile: Profile) -> pl.DataFrame:
    summed = rows.group_by("side", "code", maintain_order=True).agg(pl.col("size", "n_allocations").sum())
    return frames.CALLS.check(
        summed.filter((pl.col("size") != 0) | (pl.col("n_allocations") != 0) | (pl.col("side") == OWN))
        .join(named, on="code", how="left", maintain_order="left")
        .with_columns(
            key=pl.col("key").fill_null(OUTERMOST),
            unit=pl.lit(str(profile.unit)),
        )
        .sort("size", "n_allocations", "side", "key", descending=[True, True, False, False])
        .select(list(frames.CALLS.columns))
    )


def _unknown(name: str) -> pl.Expr:
    return pl.lit(None, dtype=frames.CALLS.columns[name]).alias(name)
