"""``diagtools runs``: what is in the store; ``--keep`` and ``--older-than`` prune it."""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

from diagtools.capture.folder import store
from diagtools.errors import UsageError
from diagtools.read.store import RunSummary, list_runs
from diagtools.units import format_bytes, format_seconds, parse_seconds


def run(chosen: argparse.Namespace) -> int:
    """Lists the store, after removing what was asked to go.  A run that is being recorded always stays."""
    place = chosen.store or store()
    found = list_runs(place)
    going = _going(found, chosen.keep, chosen.older_than)
    if not chosen.dry_run:
        for summary in going:
            shutil.rmtree(summary.path)
    staying = [summary for summary in found if summary not in going]
    if chosen.json:
        print(json.dumps({"store": str(place), "runs": _plain(staying), "removed": _plain(going)}))
        return 0
    if not found:
        fact = f"No runs in '{place}'" if place.is_dir() else f"There is no store at '{place}'"
        print(f"{fact}. Record one: diagtools record -- python app.py")
    for summary in staying:
        print(_line(summary))
    for summary in going:
        print(f"{'would remove' if chosen.dry_run else 'removed'} {summary.path}")
    return 0


def _going(found: list[RunSummary], keep: int | None, older_than: str | None) -> list[RunSummary]:
    if keep is not None and keep < 0:
        raise UsageError(f"--keep {keep} makes no sense.", hint="--keep 0 removes all.")
    closed = [summary for summary in found if summary.state != "recording"]
    going = closed[keep:] if keep is not None else []
    if older_than is not None:
        oldest = datetime.now(UTC).timestamp() - parse_seconds(older_than)
        going += [summary for summary in closed if summary not in going and _started(summary) < oldest]
    return going


def _started(summary: RunSummary) -> float:
    try:
        return datetime.fromisoformat(summary.started_at).timestamp()
    except ValueError:
        return summary.path.stat().st_mtime


def _line(summary: RunSummary) -> str:
    status = "?" if summary.exit_status is None else str(summary.exit_status)
    duration = "" if summary.duration_s is None else format_seconds(summary.duration_s)
    size = format_bytes(summary.size_bytes)
    command = " ".join(summary.argv)[:60]
    return f"{summary.path}  exit {status:>3}  {duration:>12}  {size:>9}  {command}"


def _plain(summaries: list[RunSummary]) -> list[dict[str, object]]:
    rows = []
    for summary in summaries:
        row = dataclasses.asdict(summary)
        row["path"] = str(Path(summary.path))
        rows.append(row)
    return rows
