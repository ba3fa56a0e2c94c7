"""Do the pictures of a test run show its figures?"""

from __future__ import annotations

import polars as pl
import pytest

from diagtools.analyse.worker_baseline import BASELINE_PARTS
from diagtools.errors import NoDataError
from diagtools.frames import TREE
from diagtools.present.charts.pytest_worker import baseline_chart, processes_chart

MIB = 2**20


def parts(*rows: tuple[str, str, int]) -> pl.DataFrame:
    return BASELINE_PARTS.from_columns(
        {
            "part": [row[0] for row in rows],
            "name": [row[1] for row in rows],
            "n_modules": [1] * len(rows),
            "bytes": [row[2] * MIB for row in rows],
        }
    )


BASELINE = parts(
    ("interpreter", "the interpreter", 5),
    ("conftest and fixtures", "polars", 60),
    ("no import", "collecting tests, and what else is no import", -5),
    ("pages of files", "pages of files (shared, can be dropped)", 40),
)


def test_each_bar_begins_where_the_one_above_ends_and_the_last_is_the_sum(rows_of, drawn, words) -> None:
    chart = baseline_chart(BASELINE)
    drawn(chart)
    rows = {row["name"]: (row["begin_mib"], row["end_mib"]) for row in rows_of(chart) if "begin_mib" in row}
    assert list(rows.values()) == [(0, 5), (5, 65), (65, 60), (60, 100), (0, 100)]
    assert "Before the first test the worker holds 100 MiB, 60 % of it by conftest and fixtures" in words(
        chart
    )


def test_without_parts_there_is_no_picture() -> None:
    with pytest.raises(NoDataError, match="no baseline"):
        baseline_chart(parts())


def test_each_process_has_its_curve_and_its_peak(drawn, words) -> None:
    def tree(*rows: tuple[float, int]) -> pl.DataFrame:
        return TREE.from_columns(
            {
                "t_s": [row[0] for row in rows],
                "rss_bytes": [row[1] * MIB for row in rows],
                "used_bytes": [row[1] * MIB for row in rows],
                "n_processes": [1] * len(rows),
            }
        )

    trees = {"gw0 (worker)": tree((1.0, 20), (4.0, 230)), "main": tree((0.0, 10), (5.0, 170))}
    chart = processes_chart(trees, title="The worker is heavy", first_test_s=3.25)
    drawn(chart)
    text = "\n".join(words(chart))
    assert "The worker is heavy" in text
    assert "one curve a process · its first test began after 3.2 s" in text
    assert "gw0 (worker): peak 230 MiB" in text
    assert "main: peak 170 MiB" in text
