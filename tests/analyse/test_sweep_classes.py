"""Does a metric follow a parameter evenly, ever faster, ever less, or not at all?"""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.sweep_classes import SweepClass, classified, interval
from diagtools.analyse.sweep_models import curves

VALUES = [100.0, 200.0, 300.0, 400.0, 500.0, 600.0]


def _classified(measured, values=VALUES):
    return classified(curves(values, measured), values, measured, "n_rows")


@pytest.mark.parametrize(
    ("law", "expected"),
    [
        (lambda value: 5.0, "flat"),
        (lambda value: 0.0, "flat"),
        (lambda value: -3.0 * value, "linear"),
        (lambda value: value**2, "worse than linear"),
        (lambda value: -(value**2), "worse than linear"),
        (lambda value: math.log(value), "less than linear"),
        (lambda value: -min(value, 250), "saturates"),
        (lambda value: 1 - math.exp(-value / 60), "saturates"),
    ],
)
def test_rising_and_falling_laws_are_told_apart(law, expected):
    assert _classified([law(value) for value in VALUES]).sweep_class == expected


def test_what_goes_up_and_down_is_left_open():
    found = _classified([0.0, 80.0, 100.0, 100.0, 80.0, 0.0] * 2, VALUES * 2)
    assert found.sweep_class is SweepClass.INCONCLUSIVE
    assert "vary too much" in found.why


def test_two_points_have_no_interval():
    found = curves([1.0, 2.0], [5.0, 9.0])
    assert interval(found, found.line, [1.0, 2.0]) is None
    assert classified(found, [1.0, 2.0], [5.0, 9.0], "n_rows").sweep_class is SweepClass.INCONCLUSIVE


def test_the_interval_of_a_line_by_hand():
    """Ten runs at 0 and at 1, half a unit to either side: 5 is left of 17 degrees, Sxx is 5, and t is 2.13."""
    values = [0.0, 1.0] * 10
    measured = [value + (0.5 if at % 4 < 2 else -0.5) for at, value in enumerate(values)]
    found = curves(values, measured)
    within = interval(found, found.line, values)
    either = 2.13 * math.sqrt(5 / 17) / math.sqrt(5)
    assert (within.low, within.high) == (pytest.approx(1 - either), pytest.approx(1 + either))
    assert within.most == within.high


@given(st.floats(1, 1e6), st.floats(1e-3, 1e3), st.sampled_from([0.5, 1.0, 2.0]))
def test_units_do_not_matter(per_unit, per_value, exponent):
    """Users or thousands of users, bytes or pages: the shape is the same."""
    values = [value * per_value for value in VALUES]
    found = _classified([7 + per_unit * value**exponent for value in VALUES], values)
    plain = _classified([7 + value**exponent for value in VALUES])
    assert found.sweep_class is plain.sweep_class or found.sweep_class is SweepClass.FLAT
