"""What ``--json`` prints: plain values for scripts and CI.  Bytes are integers, absent knowledge is null."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import polars as pl

from diagtools.redact import redact_path, redact_text
from diagtools.values import Death, Finding, Validity


def show_json(
    *,
    run: str,
    death: Death | None = None,
    exit_status: int | None = None,
    peak_bytes: int | None = None,
    limit_bytes: int | None = None,
    duration_s: float | None = None,
    item_in_flight: str | None = None,
    by_item: pl.DataFrame | None = None,
    by_folder: pl.DataFrame | None = None,
    unattributed_bytes: int | None = None,
    growth: dict[str, Any] | None = None,
    ledger: pl.DataFrame | None = None,
    ledger_snapshot: dict[str, Any] | None = None,
    holders: pl.DataFrame | None = None,
    holders_snapshot: dict[str, Any] | None = None,
    last_log_lines: Sequence[str] = (),
    findings: Sequence[Finding] = (),
    validity: Sequence[Validity] = (),
) -> dict[str, Any]:
    r"""What is known of one run, in the shape of the contract in DESIGN?

    ``by_item`` and ``by_folder`` are CONTRIBUTORS: all of them, so that the parts sum to the growth.  The
    ``_snapshot`` say of which process and moment ``ledger`` and ``holders`` are (see ``snapshot_json``).  Texts are
    redacted; bytes that are no text stand as escapes (``\udcff``).
    """
    return {
        "run": _text(redact_path(run)),
        "exit_status": exit_status,
        "duration_s": _number(duration_s),
        "peak_rss_bytes": peak_bytes,
        "limit_bytes": limit_bytes,
        "death": None if death is None else _death(death),
        "item_in_flight": None if item_in_flight is None else _text(redact_text(item_in_flight)),
        "items": _contributors(by_item, "item"),
        "folders": _contributors(by_folder, "folder"),
        "unattributed_bytes": unattributed_bytes,
        "growth": growth,
        "last_log_lines": [_text(redact_text(line)) for line in last_log_lines],
        "ledger": None if ledger is None else _rows(ledger, ["component", "bytes"]),
        "ledger_snapshot": ledger_snapshot,
        "holders": None
        if holders is None
        else _rows(holders, ["root", "path", "type", "n_objects", "retained_bytes"]),
        "holders_snapshot": holders_snapshot,
        "validity": [
            {"what": v.what, "state": str(v.state), "note": _text(redact_text(v.note))} for v in validity
        ],
        "findings": [_text(redact_text(str(finding))) for finding in findings],
    }


def snapshot_json(
    *, pid: int, index: int, t_s: float | None, moment: str, label: str, pause_s: float | None
) -> dict[str, Any]:
    """Of which process is a snapshot, when was it taken, and for how long did the program stand still for it?"""
    return {
        "pid": pid,
        "index": index,
        "t_s": _number(t_s),
        "moment": _text(moment),
        "label": _text(redact_text(label)),
        "pause_s": _number(pause_s),
    }


def _death(death: Death) -> dict[str, Any]:
    return {
        "grade": str(death.grade),
        "cause": str(death.cause),
        "evidence": [_text(redact_text(line)) for line in death.evidence],
        "t_s": _number(death.t_s),
        "last_sample_age_s": _number(death.last_sample_age_s),
    }


def _contributors(frame: pl.DataFrame | None, name: str) -> list[dict[str, Any]]:
    if frame is None:
        return []
    return [
        {
            name: _text(redact_text(row["key"])),
            "delta_bytes": row["delta_bytes"],
            "share": _number(row["share"]),
            "demand_bytes": row["demand_bytes"],
            "peak_bytes": row["peak_bytes"],
            "n_items": row["n_items"],
            "n_failed": row["n_failed"],
        }
        for row in frame.iter_rows(named=True)
    ]


def _rows(frame: pl.DataFrame, columns: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {name: _text(redact_text(value)) if isinstance(value, str) else value for name, value in row.items()}
        for row in frame.select(columns).iter_rows(named=True)
    ]


def _number(value: float | None) -> float | None:
    """JSON knows neither NaN nor infinity: they are not known."""
    return value if value is not None and math.isfinite(value) else None


def _text(value: str) -> str:
    return value.encode("utf-8", "backslashreplace").decode("utf-8")
