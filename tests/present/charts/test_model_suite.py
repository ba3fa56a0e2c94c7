"""Time and peak of a test suite in each way, drawn side by side."""

from __future__ import annotations

import polars as pl
import pytest

from diagtools.errors import NoDataError
from diagtools.frames import PAIRS
from diagtools.present.charts.model_suite import ways_chart

MIB = 2**20
BASE = "as it was"


def pairs_of(
    ways: dict[str, list[tuple[float | None, int | None]]], *, killed: tuple[str, ...] = ()
) -> pl.DataFrame:
    """PAIRS of ways with the seconds and MiB of each run."""
    rows = [
        (number, way, metric, None if value is None else value * factor)
        for way, runs in ways.items()
        for number, run in enumerate(runs)
        for metric, value, factor in zip(
            ("duration_s", "peak_rss_bytes"), run, (1.0, float(MIB)), strict=True
        )
    ]
    return PAIRS.from_columns(
        {
            "pair": [number for number, *_ in rows],
            "order": list(range(len(rows))),
            "variant": [way for _, way, *_ in rows],
            "outcome": ["killed" if way in killed else "finished" for _, way, *_ in rows],
            "metric": [metric for *_, metric, _ in rows],
            "value": [value for *_, value in rows],
            "run": [f"{way}-{number}" for number, way, *_ in rows],
            "item_in_flight": [None] * len(rows),
        }
    )


FOUR = {
    "mocked": [(1.0, 60), (1.0, 60)],
    BASE: [(10.0, 300), (12.0, 300), (14.0, 330)],
    "cached": [(6.0, 303), (6.0, 303)],
}
ORDER = [BASE, "cached", "mocked"]


def test_the_title_says_what_each_way_saves(title_of, drawn) -> None:
    """Cached: 6 s of 12 s and 303 MiB of 300 MiB; mocked: 1 s and 60 MiB."""
    chart = ways_chart(pairs_of(FOUR), ways=ORDER, called="per test")
    drawn(chart)
    assert title_of(chart) == (
        "cached saves 50 % of the time and takes as much memory · "
        "mocked saves 92 % of the time and saves 80 % of the memory"
    )


def test_bars_are_medians_in_the_order_of_the_ways_with_their_range(rows_of) -> None:
    rows = rows_of(ways_chart(pairs_of(FOUR), ways=ORDER, called="per test"))
    seconds = [row for row in rows if row.get("words", "").split(" ")[1:2] == ["s"]]
    assert [row["name"] for row in seconds] == ["per test", "cached", "mocked"]
    assert (seconds[0]["value"], seconds[0]["low"], seconds[0]["high"]) == (12, 10, 14)
    assert seconds[0]["runs"] == 3


def test_each_bar_has_its_value_and_change_in_words(words) -> None:
    said = words(ways_chart(pairs_of(FOUR), ways=ORDER, called="per test"))
    assert {"12.0 s", "6.0 s (−50 %)", "300 MiB", "303 MiB (+1.0 %)", "60.0 MiB (−80 %)"} <= set(said)
    assert {"time of the whole suite, s", "highest memory of its processes, MiB"} <= set(said)


def test_what_a_killed_run_reached_is_a_lower_bound(words) -> None:
    said = words(ways_chart(pairs_of(FOUR, killed=("cached",)), ways=ORDER, called="per test"))
    assert "≥ 303 MiB (+1.0 %)" in said


def test_a_way_that_takes_more_is_said_to(title_of) -> None:
    pairs = pairs_of({BASE: [(10.0, 100)], "slow": [(15.0, 150)]})
    chart = ways_chart(pairs, ways=[BASE, "slow"], called="mocked")
    assert title_of(chart) == "slow takes 50 % more time and takes 50 % more memory"


def test_hostile_and_long_names_stay_inside(hostile, drawn) -> None:
    pairs = pairs_of({BASE: [(10.0, 100)], hostile * 4: [(5.0, 50)]})
    assert "<script" not in drawn(ways_chart(pairs, ways=[BASE, hostile * 4], called=hostile))


def test_without_a_measured_run_there_is_nothing_to_draw() -> None:
    with pytest.raises(NoDataError, match="no run was measured"):
        ways_chart(pairs_of({BASE: [(None, None)]}), ways=[BASE], called="per test")
