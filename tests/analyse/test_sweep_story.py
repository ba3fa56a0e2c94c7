"""A sweep in words."""

import pytest

from diagtools.analyse.sweep_classes import Interval, classified, interval
from diagtools.analyse.sweep_models import curves
from diagtools.analyse.sweep_story import Story, number

VALUES = (1.0, 2.0, 3.0, 4.0, 5.0)


def _said(measured, metric="peak_rss_bytes", within=None, values=VALUES):
    found = curves(values, measured)
    levels = tuple(float(value) for value in measured)
    story = Story(
        metric=metric,
        unit="call",
        units="calls",
        values=values,
        levels=levels,
        level=measured[0],
        within=within,
    )
    return story.sentence(classified(found, values, measured, metric))


def test_a_line_has_a_cost_and_where_it_is_known_an_interval():
    measured = [2.0**20 * value for value in VALUES]
    assert _said(measured) == "Each call costs 1.00 MiB of peak RSS, evenly from 1 to 5 calls."
    within = Interval(low=2.0**20, high=2.0**21)
    assert "1.00 MiB of peak RSS (1.00 MiB to 2.00 MiB), evenly" in _said(measured, within=within)


def test_fractions_of_a_byte_are_shown():
    within = Interval(low=-0.25, high=0.125)
    said = _said([5e7] * 5, within=within)
    assert said == "Peak RSS stays at 47.7 MiB from 1 to 5 calls: a call costs at most 0.25 B."


def test_what_falls_falls():
    said = _said([-(value**2) for value in VALUES], metric="score")
    assert said.startswith(
        "Score falls worse than linearly: a call costs −3 between 1 and 2 calls, −9 between 4 and 5"
    )


def test_without_an_interval_nothing_is_said_of_one():
    values, measured = (1.0, 2.0), [5.0, 5.0]
    assert interval(curves(values, measured), curves(values, measured).line, values) is None
    assert _said(measured, values=values) == "Peak RSS stays at 5 B from 1 to 2 calls."


@pytest.mark.parametrize(("value", "said"), [(1600.0, "1,600"), (0.05, "0.05"), (1e7, "1e+07")])
def test_values_are_written_shortly(value, said):
    assert number(value) == said


def test_a_unit_costs_at_each_end_what_was_measured_there():
    """Flat from the third value on: whatever curve is drawn, nothing is asked for there any more."""
    measured = [2.0**20 * value for value in (10, 20, 30, 30, 30)]
    assert "0 B between 4 and 5" in _said(measured)


def test_a_step_is_no_bend():
    measured = [2.0**20 * value for value in (15, 15, 60, 60, 60)]
    assert "is not clear" in _said(measured)
