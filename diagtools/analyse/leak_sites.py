"""Which lines asked for what the calls of a function left behind?"""

from __future__ import annotations

import dataclasses
from typing import Any

import polars as pl

from diagtools import frames
from diagtools.analyse.profiles.folding import ROOTS, folded
from diagtools.analyse.profiles.places import named
from diagtools.analyse.profiles.tree import numbered
from diagtools.profile import Profile

#: What calls the function is no part of it.
_OURS = r"/diagtools/(?:probes/|mark\.py$)"
#: What was counted and no tracker saw: where it is more than a tracker's own sizes differ by, it has a row.
UNSEEN = "[not seen by the tracker]"
OURS = "[the check itself]"
_LEAST_UNSEEN = 0.25
_NEAR = 0.7  #: of a line and what is unseen: as logarithms, so half or twice as much
#: Whose line a reader can do something about, the best first: a line of the interpreter or of C is the last choice.
_ORIGINS = ("own", "third-party", "standard library", "unknown")


def leak_sites(
    kept: Profile, n_calls: int, *, left_bytes: float, lines: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Who asked for what so many calls have left behind?

    ``kept`` is what was made while the function was called and still there at the end, ``left_bytes`` what should be
    there as it was counted.  The result is LEAK_SITES, a row a place, the most first: its stack is the one of its
    stacks that left most.  The bytes sum to the whole; what the tracker did not see is a row of its own, without a
    file.  memray does not see a ``malloc`` that is called by its address, as ctypes does: where ``lines`` (LEAK_LINES)
    has a line that takes about as much a call, the row has its name.
    """
    profile = folded(_without_ours(kept))
    chains = _chains(profile)
    held = profile.allocations.group_by("stack_id", maintain_order=True).agg(
        pl.col("size", "n_allocations").sum()
    )
    rows = [
        {**_place(chains[stack_id]), "bytes": size, "n_allocations": n, "stack": _words(chains[stack_id])}
        for stack_id, size, n in held.iter_rows()
    ]
    paths = dict(named(profile.locations).select("file", "path").iter_rows())
    return _by_place([*rows, *_unseen(rows, left_bytes, n_calls, lines, paths)], n_calls)


def traced_sites(
    traced: pl.DataFrame, *, left_per_call: float, lines: pl.DataFrame | None = None
) -> pl.DataFrame:
    """The same without a profile: ``traced`` (LEAK_LINES) is what tracemalloc held more of after the calls."""
    n_calls = 0 if traced.is_empty() else int(traced["n_calls"][0])
    rows = [
        {**_only(row), "place": f"{row['file']}:{row['line']}", "bytes": row["bytes"], "stack": row["stack"]}
        for row in traced.iter_rows(named=True)
    ]
    return _by_place([*rows, *_unseen(rows, left_per_call * n_calls, n_calls, lines, {})], n_calls)


def _by_place(rows: list[dict[str, Any]], n_calls: int) -> pl.DataFrame:
    """LEAK_SITES of (place, bytes, stack): a place is one row, with the stack that left most."""
    total = sum(int(row["bytes"]) for row in rows)
    key = ["function", "file", "line", "place"]
    schema = {name: frames.LEAK_SITES.columns[name] for name in [*key, "bytes", "n_allocations", "stack"]}
    found = (
        pl.DataFrame(rows, schema=schema)
        .sort("bytes", descending=True, maintain_order=True)
        .group_by(key, maintain_order=True)
        .agg(
            pl.col("bytes").sum(),
            pl.when(pl.col("n_allocations").count() > 0).then(pl.col("n_allocations").sum()),
            pl.col("stack").first(),
        )
        .sort("bytes", "place", descending=[True, False])
        .with_columns(
            bytes_per_call=pl.col("bytes") / n_calls if n_calls else pl.lit(None, dtype=pl.Float64),
            share=pl.col("bytes") / total if total else pl.lit(None, dtype=pl.Float64),
        )
    )
    return frames.LEAK_SITES.check(found.select(list(frames.LEAK_SITES.columns)))


def is_unseen(sites: pl.DataFrame) -> bool:
    """Is there much in LEAK_SITES that no tracker saw?"""
    return UNSEEN in sites["place"]


def _unseen(
    rows: list[dict[str, Any]],
    left_bytes: float,
    n_calls: int,
    lines: pl.DataFrame | None,
    paths: dict[str, str],
) -> list[dict[str, Any]]:
    """The row of what is missing, where that is much: by the name of the line that takes as much, if there is one."""
    unseen = max(0, round(left_bytes) - sum(int(row["bytes"]) for row in rows))
    if unseen <= _LEAST_UNSEEN * left_bytes:
        return []
    found = None if lines is None else _nearest(lines, unseen / max(n_calls, 1))
    if found is None:
        names = {"function": UNSEEN, "file": "", "line": 0, "place": UNSEEN, "stack": [UNSEEN]}
        return [{**names, "bytes": unseen}]
    place = f"{paths.get(found['file'], found['file'])}:{found['line']}"
    return [{**_only(found), "place": place, "stack": found["stack"], "bytes": unseen}]


def _nearest(lines: pl.DataFrame, per_call: float) -> dict[str, Any] | None:
    """The line that takes about as much a call: others take what other lines give back."""
    taking = lines.filter((pl.col("bytes") > 0) & (pl.col("n_calls") > 0))
    far = (pl.col("bytes") / pl.col("n_calls") / per_call).log().abs()
    near = taking.with_columns(far=far).filter(pl.col("far") < _NEAR).sort("far")
    return None if near.is_empty() else near.row(0, named=True)


def _without_ours(profile: Profile) -> Profile:
    """The same profile, in which what calls the function only starts a program, wherever diagtools lies."""
    is_ours = pl.col("file").str.replace_all("\\", "/", literal=True).str.contains(_OURS)
    role = pl.when(is_ours).then(pl.lit("runner")).otherwise("role")
    return dataclasses.replace(profile, locations=profile.locations.with_columns(role=role))


def _chains(profile: Profile) -> dict[int, list[dict[str, Any]]]:
    """The frames of each stack that holds something, outermost first."""
    nodes = numbered(profile.stacks)
    parents, places = nodes["parent"].to_list(), nodes["location_id"].to_list()
    rows = dict(zip(nodes["stack_id"], nodes["node"], strict=True))
    known = {row["location_id"]: row for row in named(profile.locations).iter_rows(named=True)}
    found: dict[int, list[dict[str, Any]]] = {}
    for stack_id in profile.allocations["stack_id"].unique():
        at, chain = rows.get(stack_id), []
        while at is not None:
            chain.append(known[places[at]])
            at = parents[at]
        found[stack_id] = chain[::-1]
    return found


def _place(chain: list[dict[str, Any]]) -> dict[str, object]:
    """The innermost frame of the program's or of a library, or the nearest there is to one."""
    if chain[-1]["function"] == ROOTS["runner"]:
        return {**_only(chain[-1]), "function": OURS, "place": OURS}
    for origins in (_ORIGINS[:2], _ORIGINS[2:]):
        for frame in reversed(chain):
            if frame["origin"] in origins:
                return {**_only(frame), "place": _shown(frame)}
    return {**_only(chain[-1]), "place": _shown(chain[-1])}


def _only(frame: dict[str, Any]) -> dict[str, object]:
    return {name: frame[name] for name in ("function", "file", "line")}


def _words(chain: list[dict[str, Any]]) -> list[str]:
    return [
        f"{frame['function']} ({_shown(frame)})" if frame["path"] else frame["function"] for frame in chain
    ]


def _shown(frame: dict[str, Any]) -> str:
    if not frame["path"]:
        return str(frame["function"])
    return f"{frame['path']}:{frame['line']}" if frame["line"] else str(frame["path"])
