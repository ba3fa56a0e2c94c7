"""What imports cost, for a terminal and for scripts."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import polars as pl

from diagtools.present import tables
from diagtools.present.names import printable, shortened
from diagtools.redact import redact_text
from diagtools.units import format_bytes, format_seconds
from diagtools.values import State, Validity

_N_PACKAGES, _N_STATEMENTS, _N_TREE, _N_ALONG = 8, 8, 16, 3
_NAME_LENGTH, _PLACE_LENGTH = 44, 48
_WIDTH = 100
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
            _cut(place(command), 52),
        )
        for pid, command, anon, n_modules, wall_s in processes
    ]
    return "\n".join(_aligned(("Process", "of its own", "modules", "until its end", "command"), rows))


class Cost(Protocol):
    """The measured imports of one interpreter."""

    @property
    def target(self) -> str:
        """What was imported, or the command."""

    @property
    def python(self) -> str:
        """The version of the interpreter."""

    @property
    def total(self) -> Mapping[str, float]:
        """What all did cost together: ``wall_s``, ``cpu_s``, ``rss_bytes``, ``anon_bytes``."""

    @property
    def spread(self) -> Mapping[str, tuple[float, float]]:
        """Between which values each of them lay."""

    @property
    def interpreter_bytes(self) -> int:
        """What the interpreter held of its own before the first import."""

    @property
    def events(self) -> pl.DataFrame:
        """IMPORT_EVENTS."""

    @property
    def imports(self) -> pl.DataFrame:
        """IMPORTS."""

    @property
    def packages(self) -> pl.DataFrame:
        """IMPORT_PACKAGES."""

    @property
    def statements(self) -> pl.DataFrame:
        """STATEMENTS."""

    @property
    def packages_run_along(self) -> pl.DataFrame:
        """PACKAGES_RUN_ALONG."""

    @property
    def error(self) -> str:
        """How it ended, empty for well."""

    @property
    def last_words(self) -> Sequence[str]:
        """What it printed last."""

    @property
    def validity(self) -> Sequence[Validity]:
        """How far to trust it."""


def _cut(text: str, n_characters: int) -> str:
    """A command line says most at its beginning."""
    return text if len(text) <= n_characters else f"{text[: n_characters - 1]}…"


def import_summary(cost: Cost) -> str:
    """What did this import cost, who pays for what, and which statement holds it?

    What a statement retains is called predicted: no experiment has shown it yet.
    """
    blocks = [
        _headline(cost),
        [f"  | {printable(redact_text(line))}" for line in cost.last_words],
        _steps(cost),
        _tree(cost.imports, cost.total["anon_bytes"]),
        _packages(cost.packages),
        _along(cost.packages_run_along, cost.total["anon_bytes"]),
        _statements(cost.statements),
        [f"• {one}" for one in cost.validity if one.state not in (State.COMPLETE, State.TRUNCATED)],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def imports_json(cost: Cost) -> dict[str, Any]:
    """What did this import cost, in the shape of the contract in DESIGN?"""
    total = cost.total
    names = ("module", "importer", "status", "self_anon_bytes", "self_rss_bytes")
    more = ("total_anon_bytes", "total_rss_bytes", "self_wall_s")
    return {
        "target": redact_text(cost.target),
        "python": cost.python,
        "total": {
            **total,
            "file_bytes": total["rss_bytes"] - total["anon_bytes"],
            "modules": cost.imports.height - 1,
        },
        "spread": {name: {"low": low, "high": high} for name, (low, high) in cost.spread.items()},
        "modules": cost.imports.select(*names, *more).to_dicts(),
        "packages": cost.packages.to_dicts(),
        "packages_run_along": [
            {
                "package": row["package"],
                "wanted": row["wanted"],
                "file": place(row["file"]),
                "lines": row["lines"],
                "retained_anon_bytes": row["retained_anon_bytes"],
                "retained_rss_bytes": row["retained_rss_bytes"],
                "modules": row["n_modules"],
            }
            for row in cost.packages_run_along.iter_rows(named=True)
        ],
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
            for row in cost.statements.iter_rows(named=True)
        ],
        "verified": [],
        "error": cost.error or None,
        "last_words": [redact_text(line) for line in cost.last_words],
        "validity": [
            {"what": v.what, "state": str(v.state), "note": redact_text(v.note)} for v in cost.validity
        ],
    }


def place(file: str) -> str:
    """A file as it is shown: packages from their own folder on, no home folder, no secret."""
    return printable(redact_text(file))


#: What a table of predicted and measured savings is of.
LAZY_STATEMENTS = "Made lazy, each alone (saved while unused)"
LAZY_IN_COMMAND = "Made lazy, each alone (exit status and output compared)"
NOT_INSTALLED = "Not installed (the same ran both ways)"


def savings_table(heading: str, rows: Sequence[tuple[str, int, float, str, str]]) -> str:
    """What became of predicted savings?  Of each: what, predicted and measured bytes, verdict, and below it why."""
    columns = [
        (
            f"  {shortened(place(where), _PLACE_LENGTH)}",
            format_bytes(predicted),
            "—" if measured != measured else format_bytes(int(measured)),
            verdict,
        )
        for where, predicted, measured, verdict, _ in rows
    ]
    head, *lines = _aligned((heading, "predicted", "measured", "verdict"), columns)
    whys = [place(why) for _, _, _, _, why in rows]
    told = [[line, *_below(why)] for line, why in zip(lines, whys, strict=True)]
    return "\n".join([head, *(line for each in told for line in each)])


def _below(why: str) -> list[str]:
    return textwrap.wrap(
        why, _WIDTH, initial_indent="      ", subsequent_indent="      ", break_on_hyphens=False
    )


def _headline(cost: Cost) -> list[str]:
    total, spread = cost.total, cost.spread
    n_failed = cost.imports.filter(pl.col("status") == "failed").height
    failed = f", {n_failed:,} {'import' if n_failed == 1 else 'imports'} failed"
    ended = f" It ended with {cost.error}." if cost.error else ""
    cut = [one.note for one in cost.validity if one.what == "imports" and one.state is State.TRUNCATED]
    notes = [f"Not whole: {'; '.join(cut)}. These are the figures until then."] if cut else []
    low, high = spread["anon_bytes"]
    wall = " to ".join(dict.fromkeys(format_seconds(value) for value in spread["wall_s"]))
    runs = " to ".join(dict.fromkeys((format_bytes(int(low)), format_bytes(int(high)))))
    file_backed = max(0, int(total["rss_bytes"] - total["anon_bytes"]))
    return [
        f"{printable(redact_text(cost.target))} on CPython {cost.python}.{ended}",
        *notes,
        "",
        f"memory    {format_bytes(int(total['anon_bytes']))} of its own"
        + (f" (runs: {runs})" if " to " in runs else ""),
        f"          and {format_bytes(file_backed)} of files, shared and evictable",
        f"time      {format_seconds(total['wall_s'])} ({format_seconds(total['cpu_s'])} CPU; runs: {wall})",
        f"modules   {cost.imports.height - 1:,}" + (failed if n_failed else ""),
    ]


def _steps(cost: Cost) -> list[str]:
    """The cumulative table, where several statements were executed one after the other."""
    names = cost.events.filter(pl.col("kind") == "step")["name"].to_list()
    if len(names) < 2:
        return []
    before = cost.interpreter_bytes
    own = cost.imports.filter(pl.col("step") > 0).group_by("step").agg(pl.col("self_anon_bytes").sum())
    sums = own.sort("step").with_columns(so_far=pl.col("self_anon_bytes").cum_sum() + before)
    added = {step: (format_bytes(so_far), f"+{format_bytes(own)}") for step, own, so_far in sums.iter_rows()}
    rows = [
        (f"  {shortened(printable(redact_text(name)), _NAME_LENGTH)}", *added.get(number, ("—", "—")))
        for number, name in enumerate(names, 1)
    ]
    heading = ("After each statement, memory of its own", "so far", "with this one")
    return _aligned(heading, [("  the interpreter itself", format_bytes(before), ""), *rows])


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
            f"  {shortened(place(row['file']), _PLACE_LENGTH - 6)}:{row['line']}",
            shortened(_names(row["imports"]), 26),
            format_bytes(row["retained_anon_bytes"]),
            f"{row['n_modules']:,}",
        )
        for row in held.iter_rows(named=True)
    ]
    heading = ("Only through this statement (predicted, not verified)", "imports", "memory", "modules")
    return _aligned(heading, columns) if columns else []


def _along(packages: pl.DataFrame, total_bytes: float) -> list[str]:
    """What hangs on the file of a package that runs only for a module in it."""
    least = max(_WORTH_SHOWING * total_bytes, 1)
    held = packages.filter((pl.col("retained_anon_bytes") >= least) & (pl.col("lines").list.len() > 1))
    columns = [
        (
            f"  {shortened(place(row['file']), _PLACE_LENGTH)}",
            shortened(row["wanted"], 26),
            format_bytes(row["retained_anon_bytes"]),
            f"{row['n_modules']:,}",
        )
        for row in held.head(_N_ALONG).iter_rows(named=True)
    ]
    heading = ("All imports of this file (predicted, not verified)", "runs only for", "memory", "modules")
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
        ).rstrip()
        for row in (heading, *rows)
    ]
