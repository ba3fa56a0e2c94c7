"""Who asked for memory, and who kept it."""

from __future__ import annotations

import pytest

from diagtools.errors import NoDataError
from diagtools.frames import CONTRIBUTORS
from diagtools.present.charts.contributors import demand_chart


def test_the_title_names_the_first_and_how_far_ahead_it_is(contributors_of, title_of) -> None:
    assert title_of(demand_chart(contributors_of(("a/x.js", 900, 10), ("b.py", 300, 5)))) == (
        "a/x.js asked for 900 MiB, 3.0 × as much as the next"
    )
    assert title_of(demand_chart(contributors_of(("b.py", 300, 5), ("a", 299, 5)))) == (
        "b.py asked for 300 MiB, the next as much"
    )


def test_the_demand_of_an_item_that_was_cut_short_is_a_lower_bound(contributors_of, title_of, words) -> None:
    chart = demand_chart(contributors_of(("a", 900, 900)), cut_short={"a"})
    assert title_of(chart) == "a asked for at least 900 MiB"
    assert "≥ 900 MiB" in words(chart)


def test_demand_and_kept_stand_side_by_side(contributors_of, rows_of) -> None:
    (row,) = rows_with_names(demand_chart(contributors_of(("early.py", 64, 48))), rows_of)
    assert (row["demand_mib"], row["kept_mib"], row["value"], row["kept"]) == (64, 48, "64.0 MiB", "48.0 MiB")


def test_what_is_not_drawn_alone_is_one_row(contributors_of, rows_of) -> None:
    rows = [(f"f{n}", 100 - n, n) for n in range(20)]
    found = rows_with_names(demand_chart(contributors_of(*rows), n=12), rows_of)
    assert len(found) == 13
    assert (found[-1]["name"], found[-1]["demand_mib"]) == ("8 others: highest, and kept by all", 88)
    assert sum(row["kept_mib"] for row in found) == sum(range(20))


def test_kinds_colour_the_bars(contributors_of, words, drawn) -> None:
    kinds = {"a.js": "generated", "b.py": "hand-written"}
    chart = demand_chart(contributors_of(("a.js", 9, 1), ("b.py", 3, 1), ("c", 1, 1)), kinds=kinds)
    drawn(chart)
    assert {"generated", "hand-written", "other"} <= set(words(chart))


@pytest.mark.parametrize(
    "rows", [[("a", None, None)], [("a", 5, -30)], [("a", 0, 0)], [("a", None, 4), ("b", 2, None)]]
)
def test_unknown_negative_and_zero_values_are_drawn(rows, contributors_of, drawn) -> None:
    drawn(demand_chart(contributors_of(*rows)))


def test_long_and_hostile_names_are_shortened_and_stay_text(hostile, contributors_of, drawn, words) -> None:
    chart = demand_chart(contributors_of((hostile, 9, 1), ("deep/" * 40 + "file.py", 8, 1)))
    assert "<script" not in drawn(chart)
    assert "deep/…/deep/file.py" in words(chart)


def test_without_contributors_it_says_how_to_get_some() -> None:
    with pytest.raises(NoDataError, match="no items"):
        demand_chart(CONTRIBUTORS.empty())


def rows_with_names(chart, rows_of) -> list:
    return [row for row in rows_of(chart) if "demand_mib" in row]
