"""What each pair of runs changed, drawn in order of time."""

from __future__ import annotations

import polars as pl
import pytest

from diagtools.analyse.comparison import effects
from diagtools.errors import NoDataError
from diagtools.frames import PAIRS
from diagtools.present.charts.pairs import pairs_chart
from diagtools.values import Hypothesis

MIB = 2**20
BASE = "as it was"


@pytest.fixture
def pairs_of():
    """PAIRS of two arms, in MiB; null is a run that was killed at 900."""

    def make(base: list, variant: list, metric: str = "peak_rss_bytes") -> pl.DataFrame:
        rows = [
            (pair, name, value)
            for name, arm in ((BASE, base), ("v", variant))
            for pair, value in enumerate(arm)
        ]
        columns = {
            "pair": [pair for pair, _, _ in rows],
            "order": [2 * pair + (name == "v") for pair, name, _ in rows],
            "variant": [name for _, name, _ in rows],
            "outcome": ["killed" if value is None else "finished" for *_, value in rows],
            "metric": [metric] * len(rows),
            "value": [900.0 * MIB if value is None else value * float(MIB) for *_, value in rows],
            "run": [f"{name}-{pair}" for pair, name, _ in rows],
            "item_in_flight": [None] * len(rows),
        }
        return PAIRS.from_columns(columns)

    return make


@pytest.fixture
def chart_of(pairs_of):
    def make(base: list, variant: list, *, name: str = "batches are unbounded", **options: object):
        hypothesis = Hypothesis(name=name, suspicion="s", change="c", variant="v", **options)
        pairs = pairs_of(base, variant, hypothesis.metric)
        (effect,) = effects(pairs, [hypothesis], baseline=BASE)
        return pairs_chart(pairs, effect, baseline=BASE)

    return make


def _points(chart, rows_of) -> list[dict]:
    return [row for row in rows_of(chart) if "change" in row]


def test_every_pair_is_a_point_in_order_of_time(chart_of, rows_of, drawn) -> None:
    chart = chart_of([400, 400, 400], [300, 320, 280])
    drawn(chart)
    assert [(row["at"], row["change"]) for row in _points(chart, rows_of)] == [(1, -25), (2, -20), (3, -30)]
    assert _points(chart, rows_of)[0]["before"] == "400 MiB"


def test_the_verdict_is_the_title_and_stands_beside(chart_of, title_of, words) -> None:
    chart = chart_of([400, 400, 400], [300, 320, 280])
    assert title_of(chart) == "Confirmed: batches are unbounded"
    assert {"confirmed", "−25 %", "−30 % to −20 % (range)", "3 pairs"} <= set(words(chart))


def test_with_ten_pairs_there_is_an_interval_and_a_p(chart_of, words) -> None:
    said = words(chart_of([400] * 10, [396] * 10))
    assert "10 pairs, p: 0.002" in said
    assert any("grey: less than 0.5 %" in line for line in said)
    assert "refuted" in said


def test_killed_runs_are_crosses_in_their_lanes(chart_of, rows_of, words, drawn) -> None:
    chart = chart_of([None, 400, None], [300, None, None])
    drawn(chart)
    said = words(chart)
    assert {"killed with the change", "killed as it was"} <= set(said)
    assert [row["change"] for row in _points(chart, rows_of)] == [None, None, None]
    only = words(chart_of([None, 400], [300, 300]))
    assert "killed as it was" in only
    assert "killed with the change" not in only


def test_another_metric_names_its_axis(chart_of, words) -> None:
    assert "change of duration, %" in words(chart_of([20, 20], [15, 15], metric="duration_s"))


@pytest.mark.parametrize("base", [[0, 0], [-5, -5]])
def test_a_baseline_that_is_not_above_zero_is_drawn_without_points(base, chart_of, rows_of, drawn) -> None:
    chart = chart_of(base, [5, 5])
    drawn(chart)
    assert [row["change"] for row in _points(chart, rows_of)] == [None, None]


@pytest.mark.parametrize("n", [1, 40])
def test_one_pair_and_forty_are_drawn(n, chart_of, drawn) -> None:
    drawn(chart_of([400] * n, [399] * n))


def test_hostile_and_long_words_stay_inside(hostile, chart_of, drawn) -> None:
    assert "<script" not in drawn(chart_of([400], [300], name=f"{hostile}\udcff " * 9))


def test_without_a_pair_there_is_nothing_to_draw(pairs_of, effect_of) -> None:
    effect = effect_of("v", "refuted", 400, 400)
    pairs = pairs_of([400], [300]).filter(pl.col("variant") == BASE)
    with pytest.raises(NoDataError, match="no pairs"):
        pairs_chart(pairs, effect, baseline=BASE)
