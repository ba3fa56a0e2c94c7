"""A scanned corpus as tables, text and JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import polars as pl

from diagtools.present import tables
from diagtools.present.names import printable
from diagtools.present.tables import Table
from diagtools.redact import redact_path, redact_text
from diagtools.values import Finding, Validity

_NAME = 40
_WHY = 28
_WIDTH = 100


def totals_table(totals: pl.DataFrame, heading: str, *, n: int = 20, title: str | None = None) -> Table:
    """How many files, bytes and chunks has each kind or folder?  ``totals`` is CORPUS_TOTALS."""
    columns = {
        "key": tables.text(heading, n_characters=_NAME),
        "n_files": tables.count("files"),
        "size_bytes": tables.size("size"),
        "n_chunks": tables.count("chunks"),
        "generated_share": tables.share("generated"),
    }
    return Table(totals, columns, title=title, n=n)


def files_table(files: pl.DataFrame, *, n: int = 10, title: str | None = None) -> Table:
    """Which files are they?  ``files`` is CORPUS."""
    columns = {
        "path": tables.text("file", n_characters=_NAME),
        "size_bytes": tables.size("size"),
        "n_chunks": tables.count("chunks"),
        "longest_line": tables.count("longest line"),
        "why": tables.text("generated", n_characters=_WHY),
    }
    return Table(files, columns, title=title, n=n)


def passed_over_table(passed_over: pl.DataFrame, *, n: int = 20, title: str | None = None) -> Table:
    """What was passed over, and why?  ``passed_over`` is PASSED_OVER_TOTALS."""
    columns = {
        "reason": tables.text("passed over", n_characters=_NAME),
        "n_files": tables.count("files"),
        "n_folders": tables.count("folders"),
        "size_bytes": tables.size("size of the files"),
        "example": tables.text("for instance", n_characters=_NAME),
    }
    return Table(passed_over, columns, title=title, n=n)


def corpus_text(
    *,
    folder: str,
    findings: Sequence[Finding],
    shown: Sequence[Table],
    validity: Sequence[Validity] = (),
) -> str:
    """The scan for a terminal: what it says, the tables, what is not known."""
    told = [printable(redact_path(folder)), *(_wrapped(f"• {finding}") for finding in findings)]
    notes = [_wrapped(f"Note: {one}") for one in validity]
    return "\n\n".join(["\n".join(told), *map(str, shown), *(["\n".join(notes)] if notes else [])])


def _wrapped(line: str) -> str:
    return textwrap.fill(printable(redact_text(line)), _WIDTH, subsequent_indent="  ")


def corpus_json(
    *,
    folder: str,
    whole: dict[str, int],
    kinds: pl.DataFrame,
    folders: pl.DataFrame,
    vendored: pl.DataFrame,
    passed_over: pl.DataFrame,
    largest: pl.DataFrame,
    over_budget: pl.DataFrame | None = None,
    findings: Sequence[Finding] = (),
    validity: Sequence[Validity] = (),
    more: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The scan for scripts, in the shape of the contract in DESIGN; ``more`` stands beside it.

    ``kinds`` and ``folders`` (CORPUS_TOTALS) sum to ``files``, ``bytes`` and ``chunks`` each; ``skipped`` counts the
    files and folders that were passed over.  ``largest`` and ``over_budget`` are CORPUS; the latter is null where no
    budget was asked for.
    """
    return {
        "folder": _text(redact_path(folder)),
        "files": whole["n_files"],
        "bytes": whole["size_bytes"],
        "chunks": whole["n_chunks"],
        "skipped": int(passed_over["n_files"].sum()) + int(passed_over["n_folders"].sum()),
        "skipped_by_reason": _rows(passed_over),
        "kinds": _totals(kinds, "kind"),
        "vendored": _totals(vendored, "below"),
        "folders": _totals(folders, "folder"),
        "largest": _rows(largest.drop("space_share", "ignored")),
        "over_budget": None if over_budget is None else _rows(over_budget.drop("space_share", "ignored")),
        "predicted_peak_bytes": None,
        **(more or {}),
        "findings": [_text(redact_text(str(finding))) for finding in findings],
        "validity": [
            {"what": one.what, "state": str(one.state), "note": _text(redact_text(one.note))}
            for one in validity
        ],
    }


def _totals(totals: pl.DataFrame, name: str) -> list[dict[str, Any]]:
    return [
        {
            name: _text(redact_text(row["key"])),
            "files": row["n_files"],
            "bytes": row["size_bytes"],
            "chunks": row["n_chunks"],
            "generated_share": row["generated_share"],
        }
        for row in totals.iter_rows(named=True)
    ]


def _text(value: str) -> str:
    return value.encode("utf-8", "backslashreplace").decode("utf-8")


def _rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return [
        {name: _text(redact_text(value)) if isinstance(value, str) else value for name, value in row.items()}
        for row in frame.iter_rows(named=True)
    ]
