"""The tables of a test suite that ran in several ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median

import polars as pl

from diagtools.analyse.metrics import cpu_s
from diagtools.investigations.model_suite_costs import FolderCost, SuiteCost
from diagtools.investigations.model_suite_story import file_s
from diagtools.present import tables
from diagtools.present.tables import UNKNOWN, Table
from diagtools.run import Run
from diagtools.units import format_bytes, format_seconds

_NOTE = "a range is that over the runs; times of files are medians over runs"


def figures_table(runs: Mapping[str, Sequence[Run]], costs: Mapping[str, Sequence[SuiteCost]]) -> Table:
    """One row a figure, one column a way: the whole suite first, then what a file of each folder takes."""
    rows: dict[str, list[str]] = {"": ["time", "processor time", "peak RSS", "tests run", "tests skipped"]}
    folders = _folders(costs)
    rows[""] += [f"{name}: a file" for name in folders]
    for way, made in runs.items():
        of_way = costs[way]
        rows[way] = [
            _range([run.duration_s for run in made if run.duration_s is not None], format_seconds),
            _range(
                [spent for run in made if (spent := cpu_s(run.timeline, run.events)) is not None],
                format_seconds,
            ),
            _range([run.peak_rss_bytes for run in made if run.peak_rss_bytes is not None], format_bytes),
            _range([one.n_ran for one in of_way], _whole),
            _range([one.n_skipped for one in of_way], _whole),
            *(_seconds(file_s(name, of_way)) for name in folders),
        ]
    return Table(pl.DataFrame(rows), note=_NOTE)


def files_table(costs: Mapping[str, Sequence[SuiteCost]]) -> Table:
    """One row a folder and way, medians over its runs; folders none of whose tests ran have no times."""
    rows = [
        {"folder": name, "way": way, **_row([one for cost in made if (one := cost.folder(name)) is not None])}
        for name in _folders(costs)
        for way, made in costs.items()
    ]
    columns = {
        "folder": tables.text("folder", n_characters=30),
        "way": tables.text("way", n_characters=20),
        "n_files": tables.count("files"),
        "n_tests": tables.count("tests run"),
        "file_s": tables.seconds("a file"),
        "first_s": tables.seconds("its first test"),
        "later_s": tables.seconds("a later test"),
        "demand_bytes": tables.mib("most for one test"),
        "peak_bytes": tables.mib("highest"),
    }
    schema = {name: _TYPES.get(name, pl.Float64) for name in columns}
    return Table(pl.DataFrame(rows, schema=schema, orient="row"), columns)


_TYPES = {"folder": pl.String, "way": pl.String, "n_files": pl.Int64, "n_tests": pl.Int64}


def _row(folders: Sequence[FolderCost]) -> dict[str, float | int | None]:
    n_files, n_tests = (_median([one.n_files for one in folders]), _median([one.n_tests for one in folders]))
    return {
        "n_files": None if n_files is None else int(n_files),
        "n_tests": None if n_tests is None else int(n_tests),
        "file_s": _median([one.file_s for one in folders]),
        "first_s": _median([one.first_s for one in folders]),
        "later_s": _median([one.later_s for one in folders]),
        "demand_bytes": _median([one.demand_bytes for one in folders]),
        "peak_bytes": _median([one.peak_bytes for one in folders]),
    }


def _folders(costs: Mapping[str, Sequence[SuiteCost]]) -> list[str]:
    """All folders, those of the first way first."""
    return list(dict.fromkeys(one.name for made in costs.values() for cost in made for one in cost.folders))


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(median(known)) if known else None


def _range(values: Sequence[float], words: Callable[[float], str]) -> str:
    said = list(dict.fromkeys(words(value) for value in sorted(values)))
    return " – ".join([said[0], said[-1]] if len(said) > 1 else said) or UNKNOWN


def _seconds(value: float | None) -> str:
    return UNKNOWN if value is None else format_seconds(value)


def _whole(value: float) -> str:
    return f"{value:,.0f}"
