"""The verdicts of an experiment as a table."""

from __future__ import annotations

from dataclasses import replace

from diagtools.present.verdicts import chance, spread, verdicts_table
from diagtools.values import Verdict


def _cells(effects: list) -> list[dict[str, str]]:
    table = verdicts_table(effects)
    return [dict(zip(table.headings, row, strict=True)) for row in table.rows]


def test_a_row_says_what_was_tried_and_what_came_of_it(effect_of) -> None:
    effect = effect_of(
        "batches",
        Verdict.CONFIRMED,
        400,
        300,
        low_share=-0.26,
        high_share=-0.24,
        is_interval=True,
        p=0.0039,
        n_pairs=10,
    )
    (row,) = _cells([effect])
    assert row == {
        "verdict": "✔ confirmed",
        "theory": "batches",
        "as it was": "400 MiB",
        "with the change": "300 MiB",
        "change": "−25 %",
        "between": "−26 % to −24 %",
        "pairs": "10",
        "p": "0.0039",
    }


def test_a_range_is_not_an_interval(effect_of) -> None:
    effect = effect_of("x", Verdict.INCONCLUSIVE, 400, 300, low_share=-0.3, high_share=-0.2)
    assert spread(effect) == "−30 % to −20 % (range)"
    assert spread(effect_of("x", Verdict.CONFIRMED, 400, 300)) is None
    close = effect_of("x", Verdict.CONFIRMED, 400, 300, low_share=-0.2501, high_share=-0.2499)
    assert spread(close) == "−25 % (range)"


def test_columns_that_nobody_knows_are_left_out(effect_of) -> None:
    (row,) = _cells([effect_of("x", Verdict.CONFIRMED, 400, 300)])
    assert {"p", "pairs", "between", "output"}.isdisjoint(row)


def test_kills_are_counted_and_values_are_bounds(effect_of) -> None:
    rescued = effect_of("a", Verdict.CONFIRMED, 2048, 512)
    mixed = effect_of(
        "b",
        Verdict.INCONCLUSIVE,
        2048,
        900,
        n_baseline=3,
        n_baseline_killed=3,
        n_variant=3,
        n_variant_killed=1,
    )
    one, other = _cells([rescued, mixed])
    assert (one["as it was"], one["change"]) == ("≥ 2.00 GiB", "not killed, −75 % or more")
    assert other["change"] == "3 of 3 killed → 1 of 3 killed"


def test_what_was_not_applied_or_changes_the_output_is_said(effect_of) -> None:
    missed = effect_of("a", Verdict.INCONCLUSIVE, 400, 300, applied=False)
    wrong = effect_of("b", Verdict.CONFIRMED, 400, 300, same_output=False)
    right = effect_of("c", Verdict.CONFIRMED, 400, 300, same_output=True)
    assert [row["change"] for row in _cells([missed, wrong])] == ["not applied", "−25 %"]
    assert [row["output"] for row in _cells([missed, wrong, right])] == ["—", "differs", "same"]


def test_the_note_says_what_the_figures_are(effect_of) -> None:
    effect = effect_of("a", Verdict.CONFIRMED, 400, 300, is_interval=True, p=0.00195)
    assert verdicts_table([effect]).note == (
        "metric: peak RSS · between: 95 % interval · p: corrected for all that was tested together"
    )
    assert verdicts_table([effect_of("a", Verdict.CONFIRMED, 400, 300)]).note == "metric: peak RSS"


def test_a_chance_has_two_digits() -> None:
    assert [chance(one) for one in (None, 0.00001, 2 / 1024, 0.5)] == [None, "< 0.001", "0.002", "0.5"]


def test_no_effects_are_an_empty_table() -> None:
    assert _cells([]) == []


def test_hostile_names_are_escaped(hostile, effect_of) -> None:
    table = verdicts_table([effect_of(hostile, Verdict.REFUTED, 400, 400)])
    assert "<script" not in table._repr_html_()
    assert "<img" not in table._repr_html_()


def test_metrics_that_differ_stand_in_a_column(effect_of) -> None:
    one = effect_of("a", Verdict.CONFIRMED, 400, 300)
    other = replace(one, hypothesis=replace(one.hypothesis, metric="final_rss_bytes"))
    assert [row["metric"] for row in _cells([one, other])] == ["peak RSS", "final RSS"]
