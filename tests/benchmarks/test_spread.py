from __future__ import annotations

import pytest

from benchmarks.spread import bootstrap_interval, known, ratios, trimmed_mean


def test_values_that_were_not_had_are_left_out() -> None:
    assert known([1.0, None, 3.0]) == [1.0, 3.0]


def test_ratios_are_those_of_pairs_in_which_both_sides_have_a_value() -> None:
    assert ratios([2.0, 9.0, None, 8.0], [1.0, 0.0, 5.0, 4.0]) == [2.0, 2.0]


def test_a_trimmed_mean_leaves_a_tenth_out_on_either_side() -> None:
    assert trimmed_mean([100.0, *[1.0] * 4, *[3.0] * 4, -100.0]) == 2.0


def test_the_interval_of_equal_values_is_that_value() -> None:
    assert bootstrap_interval([7.0] * 5) == (7.0, 7.0)


def test_the_interval_holds_the_middle_and_repeats() -> None:
    values = [float(value) for value in range(21)]

    low, high = bootstrap_interval(values)

    assert 0 < low < 10 < high < 20
    assert (low, high) == pytest.approx(bootstrap_interval(values))
