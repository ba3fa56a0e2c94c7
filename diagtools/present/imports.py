"""What imports cost, for a terminal and for scripts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from diagtools.present import tables
from diagtools.present.names import printable, shortened
from diagtools.redact import redact_text
from diagtools.units import format_bytes, format_seconds
from diagtools.values import State, Validity

_N_PACKAGES, _N_STATEMENTS, _N_TREE = 8, 8, 16
_NAME_LENGTH = 44
_WORTH_SHOWING = 0.02  # of the total
_INDENT = "  "


def process_summary(processes: Sequence[tuple[int, str, float, int, float]]) -> str:
    """Which processes of a command imported how much?  Of each: pid, command, anonymous bytes, modules, seconds."""
    rows = [
        (
            f"  {pid}",
            format_bytes(int(anon)),
            f"{n_modules:,}",
            format_seconds(wall_s),
            shortened(place(command), 56),
        )
        for pid, command, anon, n_modules, wall_s in processes
    ]
    return "\n".join(_aligned(("Process", "of its own", "modules", "until its end", "command"), rows))


def import_summary(
    *,
    target: str,
    python: str,
    total: Mapping[str, float],
    spread: Mapping[str, tuple[float, float]],
    imports: pl.DataFrame,
    packages: pl.DataFrame,
    statements: pl.DataFrame,
    error: str = "",
    last_words: Sequence[str] = (),
    validity: Sequence[Validity] = (),
) -> str:
    """What did this import cost, who pays for what, and which statement holds it?

    ``imports`` is IMPORTS, ``packages`` IMPORT_PACKAGES, ``statements`` STATEMENTS.  What a statement retains is called
    predicted: no experiment has shown it yet.
    """
    blocks = [
        _headline(target, python, total, spread, imports, error),
        [f"  | {printable(redact_text(line))}" for line in last_words],
        _steps(imports),
        _tree(imports, total["anon_bytes"]),
        _packages(packages),
        _statements(statements),
        [f"• {one}" for one in validity if one.state is not State.COMPLETE],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def imports_json(
    *,
    target: str,
    python: str,
    total: Mapping[str, float],
    spread: Mapping[str, tuple[float, float]],
    imports: pl.DataFrame,
    packages: pl.DataFrame,
    statements: pl.DataFrame,
    error: str = "",
    last_words: Sequence[str] = (),
    validity: Sequence[Validity] = (),
) -> dict[str, Any]:
    """What did this import cost, in the shape of the contract in DESIGN?"""
    names = ("module", "importer", "status", "self_anon_bytes", "self_rss_bytes")
    more = ("total_anon_bytes", "total_rss_bytes", "self_wall_s")
    return {
        "target": redact_text(target),
        "python": python,
        "total": {
            **total,
            "file_bytes": total["rss_bytes"] - total["anon_bytes"],
            "modules": imports.height - 1,
        },
        "spread": {name: {"low": low, "high": high} for name, (low, high) in spread.items()},
        "modules": imports.select(*names, *more).to_dicts(),
        "packages": packages.to_dicts(),
        "statements": [
            {
                "file": place(row["file"]),
                "line": row["line"],
                "importer": row["importer"],
                "imports": row["imports"],
                "retained_anon_bytes": row["retained_anon_bytes"],
                "retained_rss_bytes": row["retained_rss_bytes"],
                "modules": row["n_modules"],
            }
            for row in statements.iter_rows(named=True)
        ],
        "verified": [],
        "error": error or None,
        "last_words": [redact_text(line) for line in last_words],
        "validity": [{"what": v.what, "state": str(v.state), "note": redact_text(v.note)} for v in validity],
    }


def place(file: str) -> str:
    """A file as it is shown: packages from their own folder on, no home folder, no secret."""
    return printable(redact_text(file))


def verified_table(rows: Sequence[tuple[str, int, float, str, str]]) -> str:
    """What became of predicted savings?  Of each: place, predicted and measured bytes, verdict, who forced it."""
    columns = [
        (
            f"  {shortened(place(where), 52)}",
            format_bytes(predicted),
            "—" if measured != measured else format_bytes(int(measured)),
            verdict,
            shortened(place(forced), 60),
        )
        for where, predicted, measured, verdict, forced in rows
    ]
    heading = ("Made lazy, each alone (saved while unused)", "predicted", "measured", "verdict", "forced by")
    return "\n".join(line.rstrip() for line in _aligned(heading, columns))


def _headline(
    target: str,
    python: str,
    total: Mapping[str, float],
    spread: Mapping[str, tuple[float, float]],
    imports: pl.DataFrame,
    error: str,
) -> list[str]:
    n_failed = imports.filter(pl.col("status") == "failed").height
    ended = f" It ended with {error}." if error else ""
    low, high = spread["anon_bytes"]
    wall = " to ".join(format_seconds(value) for value in dict.fromkeys(spread["wall_s"]))
    file_backed = max(0, int(total["rss_bytes"] - total["anon_bytes"]))
    return [
        f"{printable(redact_text(target))} on CPython {python}.{ended}",
        "",
        f"memory    {format_bytes(int(total['anon_bytes']))} of its own"
        + (f" (runs: {format_bytes(int(low))} to {format_bytes(int(high))})" if low != high else ""),
        f"          and {format_bytes(file_backed)} of files, shared and evictable",
        f"time      {format_seconds(total['wall_s'])} ({format_seconds(total['cpu_s'])} CPU; runs: {wall})",
        f"modules   {imports.height - 1:,}" + (f", {n_failed:,} imports failed" if n_failed else ""),
    ]


def _steps(imports: pl.DataFrame) -> list[str]:
    """The cumulative table, where several statements were executed one after the other."""
    if imports["step"].max() in (None, 0, 1):
        return []
    steps = (
        imports.filter(pl.col("step") > 0).group_by("step").agg(pl.col("self_anon_bytes").sum()).sort("step")
    )
    sums = steps.with_columns(pl.col("self_anon_bytes").cum_sum().alias("so_far"))
    return ["After each statement, memory of its own so far"] + [
        f"  {step:>3}  {format_bytes(so_far):>10}  (+{format_bytes(own)})"
        for step, own, so_far in sums.iter_rows()
    ]


def _tree(imports: pl.DataFrame, total_bytes: float) -> list[str]:
    """Who imported whom, as far as it is worth showing: with everything that came with it."""
    below: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in imports.iter_rows(named=True):
        if row["importer"] is not None:
            below[row["importer"]].append(row)
    rows = list(_branch(below, str(imports["module"][0]), 0, total_bytes * _WORTH_SHOWING))
    if not rows:
        return []
    shown = sorted(sorted(rows, key=lambda each: -each[1]["total_anon_bytes"])[:_N_TREE], key=rows.index)
    columns = [
        (
            f"{_INDENT * (depth + 1)}{shortened(row['module'], _NAME_LENGTH)}",
            format_bytes(row["total_anon_bytes"]),
            format_bytes(row["self_anon_bytes"]),
            format_seconds(row["total_wall_s"]),
        )
        for depth, row in shown
    ]
    return _aligned(("Who imported it", "with all", "itself", "time"), columns)


def _branch(
    below: Mapping[str, list[dict[str, Any]]], module: str, depth: int, least: float
) -> Iterator[tuple[int, dict[str, Any]]]:
    for row in sorted(below.get(module, ()), key=lambda each: -each["total_anon_bytes"]):
        if row["total_anon_bytes"] >= max(least, 1):
            yield depth, row
            if row["module"] != module:
                yield from _branch({**below, module: []}, row["module"], depth + 1, least)


def _packages(packages: pl.DataFrame) -> list[str]:
    columns = {
        "package": tables.Column(
            heading="By package", words=lambda name: f"  {shortened(name, _NAME_LENGTH)}", is_number=False
        ),
        "n_modules": tables.count("modules"),
        "self_anon_bytes": tables.size("of its own"),
        "self_rss_bytes": tables.size("with files"),
        "self_wall_s": tables.Column(heading="time", words=format_seconds),
    }
    rest = packages.height - _N_PACKAGES
    more = [f"  and {rest:,} more"] if rest > 0 else []
    return [*tables.Table(packages.head(_N_PACKAGES), columns).lines(), *more]


def _statements(statements: pl.DataFrame) -> list[str]:
    held = statements.filter(pl.col("retained_anon_bytes") > 0).head(_N_STATEMENTS)
    columns = [
        (
            f"  {shortened(place(row['file']), 52)}:{row['line']}",
            _names(row["imports"]),
            format_bytes(row["retained_anon_bytes"]),
            f"{row['n_modules']:,}",
        )
        for row in held.iter_rows(named=True)
    ]
    heading = ("Only through this statement (predicted, not verified)", "imports", "memory", "modules")
    return _aligned(heading, columns) if columns else []


def _names(modules: Sequence[str]) -> str:
    shown = ", ".join(printable(name.rpartition(".")[2]) for name in modules[:2])
    return shown + ("…" if len(modules) > 2 else "")


def _aligned(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[n]) for row in (heading, *rows)) for n in range(len(heading))]
    return [
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
        )
        for row in (heading, *rows)
    ]
