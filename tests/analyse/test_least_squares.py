"""Which sum of a constant and growing columns comes nearest?"""

from __future__ import annotations

from itertools import accumulate
from math import sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.least_squares import correlation_of_neighbours, fitted, spread, wandering, weight_error

NUMBERS = st.floats(-1e6, 1e6)


def test_a_line_is_found_exactly() -> None:
    fit = fitted([[0.0, 1.0, 2.0, 3.0]], [5.0, 7.0, 9.0, 11.0])
    assert (fit.constant, fit.weights[0], fit.sse) == (pytest.approx(5), pytest.approx(2), pytest.approx(0))
    assert fit.at([10.0]) == pytest.approx(25)


def test_by_hand() -> None:
    """For x of 1, 2, 3 and y of 1, 2, 4: slope 3/2, mean of y 7/3, squares left 1/6."""
    fit = fitted([[1.0, 2.0, 3.0]], [1.0, 2.0, 4.0])
    assert fit.weights[0] == pytest.approx(1.5)
    assert fit.constant == pytest.approx(7 / 3 - 3)
    assert fit.sse == pytest.approx(1 / 6)
    assert fit.leverage([2.0]) == pytest.approx(1 / 3)
    assert fit.leverage([3.0]) == pytest.approx(1 / 3 + 1 / 2)


def test_two_columns_are_told_apart() -> None:
    one, other = [1.0, 2.0, 3.0, 4.0, 5.0], [0.0, 5.0, 1.0, 7.0, 2.0]
    fit = fitted([one, other], [10 + 3 * x + 2 * z for x, z in zip(one, other, strict=True)])
    assert fit.weights == (pytest.approx(3), pytest.approx(2))
    assert fit.used == (0, 1)


def test_a_weight_below_zero_is_none() -> None:
    fit = fitted([[0.0, 1.0, 2.0]], [9.0, 5.0, 1.0])
    assert (fit.weights, fit.used, fit.constant) == ((0.0,), (), pytest.approx(5))
    assert fit.sse == pytest.approx(32)


def test_a_copy_of_a_column_gets_no_weight() -> None:
    fit = fitted([[1.0, 2.0, 4.0], [2.0, 4.0, 8.0], [7.0, 7.0, 7.0]], [1.0, 2.0, 4.0])
    assert len(fit.used) == 1
    assert fit.at([3.0, 6.0, 7.0]) == pytest.approx(3)


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=3, max_size=30))
def test_no_single_column_fits_better_and_residuals_are_what_is_left(rows: list[tuple[float, ...]]) -> None:
    one, other, y = ([row[at] for row in rows] for at in range(3))
    fit = fitted([one, other], y)
    assert min(fit.weights) >= 0
    left = sum(rest**2 for rest in fit.residuals([one, other], y))
    scale = sum(value**2 for value in y) + 1
    assert left == pytest.approx(fit.sse, abs=1e-6 * scale)
    for column in (one, other):
        assert fit.sse <= fitted([column], y).sse + 1e-9 * scale


def test_neighbours_that_go_together_tell_less() -> None:
    assert correlation_of_neighbours([1.0, -1.0, 1.0, -1.0]) == 0
    assert correlation_of_neighbours([0.0, 0.0]) == 0
    assert correlation_of_neighbours([1.0] * 10 + [-1.0] * 10) == pytest.approx(17 / 20)
    x = [float(at) for at in range(20)]
    y = [at + (1.0 if at < 10 else -1.0) for at in x]
    fit = fitted([x], y)
    assert spread(fit, fit.residuals([x], y)) > sqrt(fit.sse / 18)


def test_what_each_item_adds_wanders_and_scatter_does_not() -> None:
    """Of walks whose steps have a variance of 9, about a line; of the steps alone hardly anything."""
    random = Random(5)
    x = [float(at) for at in range(240)]
    found = {"walk": 0.0, "scatter": 0.0}
    for _ in range(60):
        steps = [random.gauss(0, 3) for _ in x]
        walk = [1000 + 20 * at + level for at, level in zip(x, accumulate(steps), strict=True)]
        found["walk"] += wandering(fitted([x], walk).residuals([x], walk)) / 60
        found["scatter"] += wandering(steps) / 60
    assert found["walk"] == pytest.approx(9, rel=0.35)
    assert found["scatter"] < 0.1


def test_the_error_of_a_weight_is_the_usual_one_for_scatter() -> None:
    """σ² Σ(x−x̄)⁻²: residuals ±1 in turn about a flat line of 8 values have s² = 8/6, and Σ(x−x̄)² is 42."""
    x = [float(at) for at in range(8)]
    y = [100 + 5 * at + (1.0 if at in (0, 3, 5, 6) else -1.0) for at in x]
    fit = fitted([x], y)
    assert weight_error(fit, 0, fit.residuals([x], y)) == pytest.approx(sqrt(fit.sse / 6 / 42))
