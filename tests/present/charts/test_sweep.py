"""What one more costs, drawn."""

from __future__ import annotations

from dataclasses import replace

import pytest

from diagtools.analyse.sweep import sweep
from diagtools.errors import NoDataError
from diagtools.frames import SWEEP
from diagtools.present.charts.sweep import sweep_chart

MIB = 2**20
VALUES = (100, 200, 300, 400, 500, 600)


@pytest.fixture
def swept():
    """A sweep of a law in MiB; values in ``killed`` were killed."""

    def make(law, *, unit: str = "user", metric: str = "peak_rss_bytes", killed: tuple = ()):
        columns = {
            "value": [float(value) for value in VALUES],
            "run": [f"run {value}" for value in VALUES],
            "is_killed": [value in killed for value in VALUES],
            "metric_value": [float(law(value)) * MIB for value in VALUES],
            "fitted": [None] * len(VALUES),
        }
        return sweep(SWEEP.from_columns(columns), metric=metric, unit=unit)

    return make


def _dots(chart, rows_of) -> list[tuple]:
    return [(row["value"], row["measured"]) for row in rows_of(chart) if "measured" in row]


def test_the_title_says_what_a_unit_costs(swept, title_of, words, drawn) -> None:
    chart = sweep_chart(swept(lambda value: 50 + value / 10))
    drawn(chart)
    assert title_of(chart).startswith("Each user costs 102 KiB of peak RSS")
    assert {"users", "peak RSS, MiB", "dots: one run each · line: linear"} <= set(words(chart))


def test_every_run_is_a_dot(swept, rows_of) -> None:
    dots = _dots(sweep_chart(swept(lambda value: 50 + value / 10)), rows_of)
    assert sorted(set(dots)) == [(value, 50 + value / 10) for value in VALUES]


def test_a_bend_names_its_power(swept, words) -> None:
    said = words(sweep_chart(swept(lambda value: (value / 100) ** 2)))
    assert "dots: one run each · line: worse than linear, as a power of 2" in said


def test_killed_runs_are_crosses(swept, words, drawn) -> None:
    chart = sweep_chart(swept(lambda value: 50 + value / 10, killed=(600,)))
    drawn(chart)
    assert any("crosses: killed, so at least that" in line for line in words(chart))


def test_what_is_flat_is_drawn_from_zero(swept, words) -> None:
    """Noise drawn as large as the picture would look like growth."""
    chart = sweep_chart(swept(lambda value: 200 + value % 3 / 10))
    assert "0" in words(chart)


def test_what_is_open_has_a_line_for_comparison(swept, words) -> None:
    chart = sweep_chart(swept(lambda value: 200 + value * 37 % 8000 / 100))
    assert any("line: straight, for comparison" in line for line in words(chart))


def test_another_metric_has_its_unit(swept, words) -> None:
    assert "duration, s" in words(sweep_chart(swept(lambda value: value / MIB, metric="duration_s")))


def test_hostile_words_stay_inside(hostile, swept, drawn) -> None:
    assert "<script" not in drawn(sweep_chart(swept(lambda value: value, unit=hostile)))


def test_without_a_run_there_is_nothing_to_draw(swept) -> None:
    with pytest.raises(NoDataError):
        sweep_chart(replace(swept(lambda value: value), points=SWEEP.empty()))
