"""The table of an indexing job as it was and with each mend."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath

import polars as pl

from diagtools.analyse.items import success
from diagtools.analyse.marked import event_value, total_of
from diagtools.present.tables import Table
from diagtools.run import Run
from diagtools.units import format_bytes, format_seconds, format_share
from diagtools.values import Limit

_UNKNOWN = "—"


def comparison_table(runs: Mapping[str, Sequence[Run]], limit: Limit) -> Table:
    """One row a figure, one column a variant: the range over its runs.  What a killed run never said is ``—``."""
    figures: dict[str, Callable[[Run], str]] = {
        "exit status": lambda run: _UNKNOWN if run.exit_status is None else str(run.exit_status),
        "files to index": lambda run: _count(event_value(run.markers, "selected", "files")),
        "files indexed": lambda run: str(success(run.items).n_ok),
        "success rate": _success_rate,
        "peak RSS": lambda run: _bytes(run.peak_rss_bytes),
        "share of the limit": lambda run: _share(run.peak_rss_bytes, limit.memory_bytes),
        "final RSS": lambda run: _bytes(run.final_rss_bytes) if run.death is None else _UNKNOWN,
        "chunks": lambda run: _count(total_of(run.items, "chunks")),
        "graph nodes": lambda run: _count(event_value(run.markers, "indexed", "graph_nodes")),
        "died in": _died_in,
        "duration": lambda run: _UNKNOWN if run.duration_s is None else format_seconds(run.duration_s),
    }
    rows = {"": list(figures)}
    for name, made in runs.items():
        rows[name] = [_over(figure, made) for figure in figures.values()]
    return Table(pl.DataFrame(rows))


def _over(figure: Callable[[Run], str], runs: Sequence[Run]) -> str:
    seen = list(dict.fromkeys(figure(run) for run in runs))
    return " / ".join(seen) or _UNKNOWN


def _success_rate(run: Run) -> str:
    wanted = event_value(run.markers, "selected", "files")
    return format_share(success(run.items).n_ok / wanted) if wanted else _UNKNOWN


def _died_in(run: Run) -> str:
    item = run.item_in_flight if run.death is not None else None
    return _UNKNOWN if item is None else PurePosixPath(item).name


def _count(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:,.0f}"


def _bytes(value: int | None) -> str:
    return _UNKNOWN if value is None else format_bytes(value)


def _share(value: int | None, limit_bytes: int) -> str:
    return _UNKNOWN if value is None else format_share(value / limit_bytes)
