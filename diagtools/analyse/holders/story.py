"""What do snapshots of a program's objects say in a sentence?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from diagtools.analyse.holders.classes import n_classes, new_class_holders
from diagtools.analyse.holders.growth import holder_growth
from diagtools.analyse.holders.holding import CODE, SMALLER, holders
from diagtools.analyse.holders.over_referenced import MOST_HELD, over_referenced
from diagtools.frames import ObjectGraph
from diagtools.redact import redact_text
from diagtools.units import format_bytes, format_share
from diagtools.values import Finding

_WORTH_SAYING = 0.05  # of the whole, or of the change
_WORTH_CODE, _LEAST_CODE_BYTES = 0.25, 8 << 20
_LEAST_CLASSES, _N_OF_CLASSES = 20, 3
_LEAST_GROWTH_BYTES = 64 << 10


def holder_findings(graph: ObjectGraph, *, n: int = 3) -> list[Finding]:
    """Who holds most of what the program's objects take?  Then what nobody visible holds."""
    rows = holders(graph)
    whole = int(rows["retained_bytes"].sum())
    large = rows.filter(_is_holder() & (pl.col("retained_bytes") >= _WORTH_SAYING * whole)).head(n)
    found = [
        Finding(
            sentence=redact_text(_sentence(row, whole)),
            value=row["retained_bytes"],
            unit="bytes",
            evidence=rows,
            validity=graph.validity,
        )
        for row in large.to_dicts()
    ]
    return [*found, *_code(rows, whole), *leak_findings(graph)]


def _code(rows: pl.DataFrame, whole: int) -> list[Finding]:
    """Where functions, classes and modules are much of it, that is said too: they are no holder, but no nothing."""
    size = int(rows.filter(pl.col("kind") == CODE)["retained_bytes"].sum())
    if size < max(_WORTH_CODE * whole, _LEAST_CODE_BYTES):
        return []
    sentence = (
        f"Functions, classes and modules take {format_bytes(size)}, {format_share(size / whole)} of all objects, "
        "with what only they refer to: `diagtools imports` says what each import brings."
    )
    return [Finding(sentence=sentence, value=size, unit="bytes", evidence=rows)]


def leak_findings(graph: ObjectGraph, *, n: int = 2) -> list[Finding]:
    """Which types have objects with references that nobody visible has?"""
    if not graph.counts_references:
        return []
    rows = over_referenced(graph)
    return [
        Finding(
            sentence=redact_text(_leak(row)),
            value=row["n_excess"],
            unit="references",
            evidence=rows,
            validity=graph.validity,
        )
        for row in rows.filter("is_suspect").head(n).to_dicts()
    ]


def growth_findings(before: ObjectGraph, after: ObjectGraph, *, n: int = 3) -> list[Finding]:
    """Who holds what the program's objects take more than before?  The change of all first."""
    rows = holder_growth(before, after)
    delta = int(rows["delta_bytes"].sum())
    sums = [int(rows[name].sum()) for name in ("before_bytes", "after_bytes")]
    validity = tuple(dict.fromkeys([*before.validity, *after.validity]))
    told = [
        (delta, f"The program's objects {_verb(delta)} by {format_bytes(abs(delta))} ({_from_to(*sums)}).")
    ]
    if abs(delta) >= _LEAST_GROWTH_BYTES:
        share = pl.col("delta_bytes") / delta
        large = rows.filter(_is_holder() & (share >= _WORTH_SAYING)).head(n)
        told += [(row["delta_bytes"], _change(row, delta)) for row in large.to_dicts()]
        told += _classes(before, after, rows, delta)
    return [
        Finding(sentence=redact_text(said), value=value, unit="bytes", evidence=rows, validity=validity)
        for value, said in told
    ]


def _classes(
    before: ObjectGraph, after: ObjectGraph, rows: pl.DataFrame, delta: int
) -> list[tuple[int, str]]:
    """Classes that are made again and again: nobody thinks of them as memory."""
    of_code = rows.filter(pl.col("kind") == CODE)
    grown = int(of_code["delta_bytes"].sum())
    n = n_classes(after) - n_classes(before)
    if grown / delta < _WORTH_SAYING or n < _LEAST_CLASSES:
        return []
    sizes = _from_to(int(of_code["before_bytes"].sum()), int(of_code["after_bytes"].sum()))
    refer = [f"{root} to {more:,}" for root, more in new_class_holders(before, after)[:_N_OF_CLASSES]]
    who = f": {_listed(refer)}" if refer else ""
    share = format_share(grown / delta)
    made = f"Classes and other code hold more by {format_bytes(grown)} ({sizes}), {share} of the change"
    return [(grown, f"{made}: {n:,} classes more. Who refers to more of them{who}.")]


def _is_holder() -> pl.Expr:
    return (pl.col("kind") != CODE) & ~pl.col("root").str.starts_with(SMALLER)


def _sentence(row: dict[str, Any], whole: int) -> str:
    size = format_bytes(row["retained_bytes"])
    share = f"{format_share(row['retained_bytes'] / whole)} of all objects"
    n = _objects(row["n_objects"])
    if row["kind"] == "garbage":
        return f"{size} in {n} ({share}) lie in cycles that nobody holds: gc.collect() would free them."
    if row["kind"] == "unseen":
        kind = row["root"].partition(": ")[2]
        return (
            f"{size} in {n} ({share}), {kind} above all, have no visible holder: "
            "C code holds them, or an expression that was being executed."
        )
    if row["shared_with"]:
        together = _listed([row["root"], *row["shared_with"]])
        all_of = "both" if len(row["shared_with"]) == 1 else "all of them"
        return (
            f"{together} hold the same {n}, {size} ({share}): {all_of} must go, dropping one frees nothing."
        )
    if row["kind"] == "shared":
        return f"{size} in {n} ({share}) are held by more than four holders each."
    way = f": {row['path']}" if row["path"] != row["root"] else ""
    return f"{row['root']} ({row['kind']}) holds {size} in {n}, {share}{way}."


def _leak(row: dict[str, Any]) -> str:
    if row["n_held"] <= MOST_HELD:
        return (
            f"An object of type {row['type']} has {row['most_excess']:,} references more than exist: "
            "C code took them and did not give them back."
        )
    kept = f" and keep {format_bytes(row['retained_bytes'])} alive" if row["retained_bytes"] else ""
    return (
        f"{_objects(row['n_held'])} of type {row['type']} have more references than exist{kept}: nothing visible "
        "holds them. C code took references and did not give them back."
    )


def _change(row: dict[str, Any], delta: int) -> str:
    by, share = format_bytes(abs(row["delta_bytes"])), row["delta_bytes"] / delta
    of_change = f", {format_share(share)} of the change" if share <= 1 else ""
    together = _listed([row["root"], *row["shared_with"]])
    verb = ("hold" if row["shared_with"] else "holds") + (" more" if row["delta_bytes"] > 0 else " less")
    grown = _from_to(row["before_bytes"], row["after_bytes"])
    n = row["after_n"] - row["before_n"]
    return f"{together} {verb} by {by} ({grown}; {n:+,} objects){of_change}."


def _from_to(before: int, after: int) -> str:
    return f"{format_bytes(before)} → {format_bytes(after)}"


def _verb(delta: int) -> str:
    return "grew" if delta >= 0 else "shrank"


def _objects(n: int) -> str:
    return f"{n:,} object{'' if n == 1 else 's'}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
