"""What tests cost, file by file and folder by folder: worked out by hand."""

from __future__ import annotations

import polars as pl
import pytest

from diagtools.frames import TESTS
from diagtools.investigations.model_suite_costs import SuiteCost, cost_of, folder_of, shared_folder
from diagtools.investigations.model_suite_story import (
    WayFigures,
    change_told,
    file_s,
    folders_of_one_told,
    folders_told,
    peak_told,
    ran_told,
)
from diagtools.investigations.model_suite_table import figures_table, files_table

MIB = 2**20


def made_tests(*rows: tuple[str, str, float, int], outcome: str = "passed") -> pl.DataFrame:
    """TESTS from rows of (file, test, seconds, peak in MiB), one after the other; each began at 50 MiB."""
    begin = 0.0
    columns: dict[str, list[object]] = {name: [] for name in TESTS.columns}
    for file, name, seconds, peak in rows:
        row = {
            "test": f"{file}::{name}",
            "file": file,
            "pid": 7,
            "worker": "main",
            "outcome": "skipped" if name.startswith("skipped") else outcome,
            "begin_s": begin,
            "end_s": begin + seconds,
            "begin_rss_bytes": 50 * MIB,
            "end_rss_bytes": 50 * MIB,
            "kept_bytes": 0,
            "peak_bytes": peak * MIB,
            "demand_bytes": (peak - 50) * MIB,
        }
        for column, values in columns.items():
            values.append(row.get(column))
        begin += seconds
    return TESTS.from_columns(columns)


@pytest.fixture
def cost() -> SuiteCost:
    """Two files of unit tests and one of integration tests, one of whose three tests is skipped."""
    return cost_of(
        made_tests(
            ("tests/unit/test_a.py", "one", 1.0, 60),
            ("tests/unit/test_a.py", "two", 0.5, 70),
            ("tests/unit/test_b.py", "one", 2.0, 65),
            ("tests/integration/deep/test_c.py", "one", 4.0, 250),
            ("tests/integration/deep/test_c.py", "two", 0.25, 200),
            ("tests/integration/deep/test_c.py", "skipped", 0.0, 50),
        )
    )


def test_a_folder_has_the_mean_of_its_files(cost: SuiteCost) -> None:
    """Unit: 1.5 s and 2 s."""
    unit = cost.folder("unit")
    assert unit is not None
    assert (unit.n_files, unit.n_tests, unit.n_skipped) == (2, 3, 0)
    assert unit.file_s == pytest.approx(1.75)
    assert (unit.first_s, unit.later_s) == (pytest.approx(1.5), pytest.approx(0.5))
    assert (unit.peak_bytes, unit.demand_bytes) == (70 * MIB, 20 * MIB)


def test_a_test_that_was_skipped_took_nothing(cost: SuiteCost) -> None:
    integration = cost.folder("integration")
    assert integration is not None
    assert (integration.n_tests, integration.n_skipped) == (2, 1)
    assert (integration.file_s, integration.later_s) == (pytest.approx(4.25), pytest.approx(0.25))
    assert (cost.n_ran, cost.n_skipped, cost.n_tests, cost.n_failed) == (5, 1, 6, 0)
    assert cost.highest == "tests/integration/deep/test_c.py::one"


def test_a_folder_none_of_whose_tests_ran_has_no_times() -> None:
    cost = cost_of(made_tests(("a/test_a.py", "skipped", 0.1, 60), ("b/test_b.py", "one", 1.0, 70)))
    skipped = cost.folder("a")
    assert skipped is not None
    assert (skipped.n_tests, skipped.file_s, skipped.first_s, skipped.peak_bytes) == (0, None, None, None)
    assert cost.folder("c") is None


def test_a_test_that_failed_ran() -> None:
    cost = cost_of(made_tests(("test_a.py", "one", 1.0, 60), outcome="error"))
    assert (cost.n_ran, cost.n_failed) == (1, 1)


@pytest.mark.parametrize(
    ("files", "shared", "folders"),
    [
        (["a/unit/x.py", "a/integration/y.py"], "a", ["unit", "integration"]),
        (["unit/x.py", "test_y.py"], "", ["unit", "tests"]),
        (["a/b/x.py", "a/b/y.py"], "a/b", ["b", "b"]),
        (["x.py"], "", ["tests"]),
        (["/else/x.py", "a/y.py"], "", ["/", "a"]),
        ([], "", []),
    ],
)
def test_folders_are_those_below_the_one_that_all_share(
    files: list[str], shared: str, folders: list[str]
) -> None:
    assert shared_folder(files) == shared
    assert [folder_of(file, shared) for file in files] == folders


# --------------------------------------------------------------------------------------------------- in words


def test_a_change_is_said_with_both_values() -> None:
    was = WayFigures(time_s=20.0, peak_bytes=400.0 * MIB)
    told = change_told("mocked", was, WayFigures(time_s=5.0, peak_bytes=100.0 * MIB), "; 4 of 6 tests ran")
    assert str(told) == (
        "mocked: time −75 % (20.0 s to 5.0 s), peak −75 % (400 MiB to 100 MiB); 4 of 6 tests ran."
    )
    assert told.value == -0.75


def test_what_is_not_known_is_not_compared() -> None:
    was = WayFigures(time_s=20.0, peak_bytes=None)
    told = change_told("mocked", was, WayFigures(time_s=None, peak_bytes=1.0), "")
    assert str(told) == "mocked: time not known, peak not known."
    assert told.value is None


def test_what_a_killed_run_reached_is_a_lower_bound() -> None:
    was, now = (WayFigures(time_s=1.0, peak_bytes=100.0 * MIB, is_killed=killed) for killed in (False, True))
    assert "peak ±0 % (100 MiB to ≥ 100 MiB)" in str(change_told("more", was, now, ""))


def test_only_a_way_that_keeps_the_peak_is_said_to(cost: SuiteCost) -> None:
    was, kept, lower = (WayFigures(time_s=1.0, peak_bytes=peak) for peak in (400.0, 404.0, 100.0))
    costs = {"per test": [cost], "cached": [cost], "mocked": []}
    (told,) = peak_told("cached", "per test", was, kept, costs)
    assert str(told) == (
        "cached does not lower the peak by much (+1.0 %). "
        "It is highest in tests/integration/deep/test_c.py::one, as it was."
    )
    assert peak_told("mocked", "per test", was, lower, costs) == []


def test_a_file_of_each_folder_is_said_in_each_way(cost: SuiteCost) -> None:
    light = cost_of(
        made_tests(
            ("tests/unit/test_a.py", "one", 0.5, 60), ("tests/integration/test_c.py", "skipped", 0.0, 60)
        )
    )
    assert [str(one) for one in folders_told({"per test": [cost], "mocked": [light], "other": []})] == [
        "A file of unit tests: 1.8 s per test, 500 ms mocked.",
        "A file of integration tests: 4.2 s per test, none runs mocked.",
    ]


def test_times_of_files_are_medians_over_runs(cost: SuiteCost) -> None:
    light = cost_of(made_tests(("a/unit/test_a.py", "one", 0.75, 60), ("a/b/test_b.py", "one", 0.75, 60)))
    assert file_s("unit", [cost, light]) == pytest.approx(1.25)
    assert file_s("unit", []) is None


def test_one_run_is_told_in_sentences(cost: SuiteCost) -> None:
    assert [str(one) for one in ran_told(cost)] == [
        "5 tests ran, 1 was skipped; the highest was tests/integration/deep/test_c.py::one."
    ]
    assert [str(one) for one in folders_of_one_told(cost)] == [
        "unit: a file takes 1.8 s, its first test 1.5 s, each later one 500 ms; one test needed 20.0 MiB.",
        "integration: a file takes 4.2 s, its first test 4.0 s, each later one 250 ms; one test needed 200 MiB.",
    ]


def test_a_run_that_was_not_measured_says_so() -> None:
    assert [str(one) for one in ran_told(None)] == [
        "What each test cost is not known: pytest --diag did not run."
    ]
    assert folders_of_one_told(None) == []


def test_the_tables_have_every_folder_and_way(cost: SuiteCost) -> None:
    costs = {"per test": [cost], "mocked": []}
    figures = figures_table({"per test": [], "mocked": []}, costs)
    assert figures.rows[0] == ["time", "—", "—"]
    assert figures.rows[3] == ["tests run", "5", "—"]
    assert figures.rows[5] == ["unit: a file", "1.8 s", "—"]
    files = files_table(costs)
    assert files.headings[4:7] == ["a file", "its first test", "a later test"]
    assert [row[:2] for row in files.rows] == [
        ["unit", "per test"],
        ["unit", "mocked"],
        ["integration", "per test"],
        ["integration", "mocked"],
    ]
    assert files.rows[2][2:] == ["1", "2", "4.2 s", "4.0 s", "250 ms", "200", "250"]
