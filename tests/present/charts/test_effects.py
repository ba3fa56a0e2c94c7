"""Theories, their effect, and their verdicts."""

from __future__ import annotations

import pytest

from diagtools.errors import NoDataError
from diagtools.present.charts.effects import theories_chart
from diagtools.values import Hypothesis, Verdict

GIB = 2**30


@pytest.fixture
def theories(effect_of) -> list:
    return [
        effect_of("the arena hoards memory", Verdict.REFUTED, 2048, 2050),
        effect_of("batches are unbounded", Verdict.CONFIRMED, 2048, 512),
        effect_of("gc is lazy", Verdict.INCONCLUSIVE, 400, 390),
    ]


def bars(chart, rows_of) -> dict:
    return {(row["theory"], row["lane"]): row for row in rows_of(chart) if "lane" in row}


def test_the_title_lists_the_theories_by_verdict(theories, title_of) -> None:
    title = "Confirmed: batches are unbounded. Refuted: the arena hoards memory. Inconclusive: gc is lazy"
    assert title_of(theories_chart(theories, limit_bytes=2 * GIB)) == title


def test_another_verdict_is_another_title(effect_of, title_of) -> None:
    flipped = effect_of("the arena hoards memory", Verdict.CONFIRMED, 2048, 300)
    assert title_of(theories_chart([flipped])) == "Confirmed: the arena hoards memory"


def test_killed_runs_reach_the_limit_and_are_lower_bounds(effect_of, rows_of, words) -> None:
    chart = theories_chart([effect_of("x", Verdict.REFUTED, 2048, 2049)], limit_bytes=int(2.5 * GIB))
    found = bars(chart, rows_of)
    assert {row["mib"] for row in found.values()} == {2560}
    assert all(row["killed"] for row in found.values())
    assert {"killed, ≥ 2.00 GiB", "limit 2.50 GiB", "refuted"} <= set(words(chart))


def test_a_rescue_is_at_least_the_drop_that_was_seen(theories, words) -> None:
    assert "512 MiB (−75 % or more)" in words(theories_chart(theories, limit_bytes=2 * GIB))


def test_the_range_is_drawn_where_there_is_one(effect_of, rows_of) -> None:
    ranged = effect_of("x", Verdict.CONFIRMED, 400, 300, low_share=-0.3, high_share=-0.2)
    row = bars(theories_chart([ranged]), rows_of)["x", "with the change"]
    assert (row["low"], row["high"]) == (280, 320)
    single = bars(theories_chart([effect_of("x", Verdict.CONFIRMED, 400, 300)]), rows_of)
    assert single["x", "with the change"]["low"] is None


def test_a_part_of_the_runs_killed_is_said(effect_of, words, rows_of) -> None:
    mixed = effect_of(
        "x", Verdict.INCONCLUSIVE, 2048, 900, n_variant=3, n_variant_killed=1, variant_is_bound=True
    )
    chart = theories_chart([mixed], limit_bytes=2 * GIB)
    assert "1 of 3 killed, ≥ 900 MiB" in words(chart)
    assert not bars(chart, rows_of)["x", "with the change"]["killed"]


def test_a_metric_that_is_no_size_has_words_and_no_bars(effect_of, words, rows_of, drawn) -> None:
    hypothesis = Hypothesis(name="slow", suspicion="s", change="c", variant="v", metric="duration_s")
    effect = effect_of(
        "slow", Verdict.CONFIRMED, 1, 1, hypothesis=hypothesis, baseline_value=20.0, variant_value=5.0
    )
    chart = theories_chart([effect])
    drawn(chart)
    assert "20.0 s" in words(chart)
    assert "lane" not in str(chart.to_dict().get("datasets"))


def test_hostile_and_long_words_stay_inside(hostile, effect_of, drawn) -> None:
    effect = effect_of(f"{hostile}\udcff " * 9, Verdict.REFUTED, 2048, None, reason=f"{hostile} " * 60)
    assert "<script" not in drawn(theories_chart([effect], limit_bytes=2 * GIB))


def test_without_theories_there_is_nothing_to_draw() -> None:
    with pytest.raises(NoDataError):
        theories_chart([])


def test_they_are_drawn_without_a_limit_too(theories, drawn) -> None:
    drawn(theories_chart(theories))
