"""Which tests needed most, and what of it stayed?"""

from __future__ import annotations

import polars as pl
import pytest

from diagtools.errors import NoDataError
from diagtools.frames import TESTS
from diagtools.present.charts.suite import suite_chart

MIB = 2**20


def sessions_tests(*rows: tuple[str, int | None, int | None, str]) -> pl.DataFrame:
    """TESTS of (test, needed MiB, kept MiB, outcome)."""
    made = [
        dict.fromkeys(TESTS.columns)
        | {
            "test": test,
            "worker": "main",
            "pid": 7,
            "outcome": outcome,
            "demand_bytes": None if demand is None else demand * MIB,
            "kept_bytes": None if kept is None else kept * MIB,
            "peak_bytes": None if demand is None else (demand + 50) * MIB,
        }
        for test, demand, kept, outcome in rows
    ]
    return TESTS.from_columns({name: [row[name] for row in made] for name in TESTS.columns})


def test_the_title_names_the_heaviest(title_of) -> None:
    chart = suite_chart(sessions_tests(("a.py::light", 30, 0, "passed"), ("a.py::heavy", 90, 10, "passed")))
    assert title_of(chart).startswith("a.py::heavy asked for 90.0 MiB, 3.0 × as much as the next")


def test_bars_are_what_was_needed_and_dots_what_stayed(rows_of) -> None:
    rows = rows_of(suite_chart(sessions_tests(("a.py::t", 64, 48, "passed"))))
    assert {(row["demand_mib"], row["kept_mib"]) for row in rows if "demand_mib" in row} == {(64, 48)}


def test_a_test_in_several_processes_is_drawn_where_it_needed_most(rows_of) -> None:
    tests = sessions_tests(
        ("a.py::t", 10, 1, "passed"), ("a.py::t", 70, 2, "failed"), ("a.py::u", 5, 5, "passed")
    )
    rows = [row for row in rows_of(suite_chart(tests)) if "demand_mib" in row]
    assert sorted(row["demand_mib"] for row in rows) == [5, 70]


def test_unknown_and_negative_sizes_and_hostile_names_are_drawn(drawn, hostile) -> None:
    tests = sessions_tests(
        (hostile, 9, None, "died"),
        ("b" * 400, 8, -30, "error"),
        ("c", None, None, "died"),
        ("d", 0, 0, "skipped"),
    )
    assert "<script" not in drawn(suite_chart(tests))


def test_forty_tests_are_fifteen_rows_and_the_others(rows_of, drawn) -> None:
    chart = suite_chart(sessions_tests(*[(f"a.py::t{n}", n + 1, 0, "passed") for n in range(40)]))
    drawn(chart)
    assert len([row for row in rows_of(chart) if "demand_mib" in row]) == 16


def test_without_a_known_demand_it_says_how_to_get_one() -> None:
    with pytest.raises(NoDataError, match="no demand is known") as caught:
        suite_chart(sessions_tests(("a.py::t", None, None, "died")))
    assert "Hint: pytest --diag" in str(caught.value)
