"""Which curve comes nearest, and how sure is that?"""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.sweep_models import curves, t

VALUES = [100.0, 200.0, 300.0, 400.0, 500.0, 600.0]


@pytest.mark.parametrize("exponent", [-1.0, 0.5, 1.0, 1.5, 2.0, 3.0])
def test_a_power_is_found_exactly(exponent):
    found = curves(VALUES, [7 + 2 * math.copysign(value**exponent, exponent) for value in VALUES])
    assert found.best.exponent == pytest.approx(exponent)
    assert found.best.at(300.0) == pytest.approx(7 + 2 * math.copysign(300**exponent, exponent))


def test_what_fills_up_has_a_level():
    found = curves(VALUES, [50 + min(value, 200.0) for value in VALUES])
    assert found.best.exponent is None
    assert found.best.level == pytest.approx(250)
    assert found.line.level is None


def test_what_falls_is_fitted_upside_down():
    found = curves(VALUES, [900 - value for value in VALUES])
    assert found.line.cost(100, 600) == pytest.approx(-1)
    assert found.best.at(450.0) == pytest.approx(450)


def test_zero_is_a_value_too():
    """A logarithm of nothing is nothing: those shapes are left out."""
    found = curves([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 4.0, 9.0])
    assert found.best.exponent == pytest.approx(2)
    assert curves([-2.0, -1.0, 0.0, 1.0], [1.0, 2.0, 3.0, 4.0]).line.cost(-2, 1) == pytest.approx(1)


def test_runs_at_the_same_value_tell_the_noise():
    """Each pair differs by 2: a variance of 2 with one degree of freedom a value."""
    values = [value for value in VALUES for _ in range(2)]
    found = curves(values, [value + side for value in VALUES for side in (-1.0, 1.0)])
    assert found.error == pytest.approx(math.sqrt(2))
    assert found.n_free == 6


def test_what_no_curve_explains_is_noise():
    """Up and down again, the same both times: no curve is the truth, so nothing is told apart."""
    humped = [0.0, 80.0, 100.0, 100.0, 80.0, 0.0]
    found = curves(VALUES * 2, humped * 2)
    assert found.error > 20
    assert not found.tells


def test_a_constant_depends_on_nothing():
    found = curves(VALUES, [5.0] * 6)
    assert not found.tells
    assert found.flat.at(300.0) == found.line.at(300.0) == 5


def test_two_points_are_a_line_without_a_doubt_to_speak_of():
    found = curves([1.0, 2.0], [5.0, 9.0])
    assert found.line.cost(1, 2) == pytest.approx(4)
    assert not found.tells


@pytest.mark.parametrize("n_free", [1, 2, 5, 10, 15])
@pytest.mark.parametrize("confidence", [0.90, 0.95, 0.99])
def test_the_table_is_students(n_free, confidence):
    stats = pytest.importorskip("scipy.stats")
    assert t(n_free, confidence) == pytest.approx(stats.t.ppf((1 + confidence) / 2, n_free), rel=0.005)


def test_beyond_the_table_its_end_stands():
    assert t(1000, 0.95) == t(15, 0.95)
    assert t(0, 0.95) == t(1, 0.95)


@given(st.lists(st.floats(-1e6, 1e6), min_size=6, max_size=6), st.floats(-1e6, 1e6))
def test_a_level_below_everything_changes_no_cost(measured, level):
    one, other = curves(VALUES, measured), curves(VALUES, [value + level for value in measured])
    assert one.line.cost(100, 600) == pytest.approx(other.line.cost(100, 600), abs=1e-6)
