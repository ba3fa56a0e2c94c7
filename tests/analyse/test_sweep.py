"""What does one more cost, and does that stay so?"""

import math
import random
from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.sweep import sweep, sweep_runs
from diagtools.analyse.sweep_classes import SweepClass
from diagtools.errors import NoDataError
from diagtools.frames import SWEEP
from diagtools.values import State

MIB = 2**20
VALUES = (100, 200, 300, 400, 500, 600)
FLAT, LINEAR, WORSE, LESS, SATURATES, OPEN = SweepClass


def _points(*rows, killed=()):
    """SWEEP of (value, measured)."""
    return SWEEP.from_columns(
        {
            "value": [float(value) for value, _ in rows],
            "run": [f"run-{at}" for at in range(len(rows))],
            "is_killed": [value in killed for value, _ in rows],
            "metric_value": [None if one is None else float(one) for _, one in rows],
            "fitted": [None] * len(rows),
        }
    )


def _sweep(*rows, metric="peak_rss_bytes", killed=()):
    return sweep(_points(*rows, killed=killed), metric=metric, unit="user")


def _of(law, values=VALUES):
    return _sweep(*((value, law(value)) for value in values))


# --- known answers ---------------------------------------------------------------------------------------


def test_a_line_costs_the_same_everywhere():
    found = _of(lambda value: 50 * MIB + 4096 * value)
    assert found.sweep_class is LINEAR
    assert (found.cost, found.first_cost, found.last_cost) == (pytest.approx(4096),) * 3
    assert found.low <= 4096 <= found.high
    assert found.sentence.startswith("Each user costs 4.00 KiB of peak RSS (")
    assert found.sentence.endswith("evenly from 100 to 600 users.")


def test_a_square_costs_ever_more():
    """1,000 × 300 bytes a user between 100 and 200, 1,000 × 1,100 between 500 and 600."""
    found = _of(lambda value: 50 * MIB + 1000 * value**2)
    assert found.sweep_class is WORSE
    assert (found.first_cost, found.last_cost) == (pytest.approx(300_000), pytest.approx(1_100_000))
    assert found.exponents == (2.0, 2.0)
    assert found.sentence == (
        "Peak RSS grows worse than linearly: a user costs 293 KiB between 100 and 200 users, "
        "1.05 MiB between 500 and 600."
    )


def test_a_root_costs_ever_less():
    found = _of(lambda value: 50 * MIB + 2 * MIB * math.sqrt(value))
    assert found.sweep_class is LESS
    assert found.first_cost > 1.9 * found.last_cost > 0


def test_a_cache_that_is_full_costs_nothing_more():
    found = _of(lambda value: 50 * MIB + min(value, 300) * MIB)
    assert found.sweep_class is SATURATES
    assert (
        "saturates near 350 MiB: a user costs 1.00 MiB between 100 and 200 users, 0 B between"
        in found.sentence
    )


def test_what_does_not_depend_on_it_is_flat():
    found = _of(lambda value: 80 * MIB + 4096 * (value % 3))
    assert found.sweep_class is FLAT
    assert "stays at 80.0 MiB from 100 to 600 users: a user costs at most" in found.sentence
    assert set(found.points["fitted"]) == set(found.curve["fitted"])


def test_what_falls_is_said_to():
    found = _of(lambda value: 900 * MIB - MIB * value)
    assert found.sweep_class is LINEAR
    assert found.sentence.startswith("Each user changes by −1.00 MiB of peak RSS")


def test_any_number_can_be_swept():
    found = _sweep(*((value, 0.002 * value) for value in VALUES), metric="call_s")
    assert "Each user costs 2 ms of call" in found.sentence


def test_less_than_the_floor_is_flat_however_sure():
    assert _of(lambda value: 50 * MIB + 300 * value).sweep_class is FLAT


# --- what cannot be told -------------------------------------------------------------------------------


def test_two_or_three_values_give_a_cost_and_no_shape():
    for values in ((100, 600), (100, 300, 600)):
        found = _sweep(*((value, 4096 * value) for value in values for _ in range(3)))
        assert found.sweep_class is OPEN
        assert found.cost == pytest.approx(4096)
        assert f"{len(values)} values do not show a bend; sweep four or more" in found.sentence


def test_noise_larger_than_the_change_is_not_called_flat():
    draw = random.Random(1)
    rows = [(value, (200 + draw.gauss(0, 80)) * MIB) for value in VALUES]
    found = _sweep(*rows)
    assert found.sweep_class is OPEN
    assert "vary too much to rule a change out" in found.sentence


def test_one_value_has_no_cost():
    with pytest.raises(NoDataError, match="at 1 value of the parameter"):
        _sweep((100, 5), (100, 6))
    with pytest.raises(NoDataError, match="at 0 value"):
        _sweep((100, None), (200, None))


def test_killed_runs_are_lower_bounds_and_not_fitted():
    rows = [(value, 50 * MIB + 4096 * value) for value in VALUES] + [(700, 9 * MIB), (800, 9 * MIB)]
    found = _sweep(*rows, killed={700, 800})
    assert found.sweep_class is LINEAR
    assert found.cost == pytest.approx(4096)
    assert [one.state for one in found.validity] == [State.CLAMPED]
    assert found.sentence.endswith("2 runs were killed, at 700 and above: the fit is of the others.")
    assert found.points.height == 8
    assert found.points["fitted"][-2:].to_list() == [None, None]  # it would be a prediction


def test_runs_that_did_not_print_the_metric_are_counted():
    found = _sweep(*((value, 4096.0 * 64 * value) for value in VALUES), (700, None), (800, float("nan")))
    assert "2 runs were left out: the metric is not known of them." in found.sentence
    assert found.points.height == 8


# --- simulated sweeps ------------------------------------------------------------------------------------

_LAWS = {
    "constant": (lambda share: 0.0, {FLAT}),
    "line": (lambda share: share, {LINEAR}),
    "square": (lambda share: share**2, {WORSE}),
    "power of 1.5": (lambda share: share**1.5, {WORSE}),
    "root": (lambda share: share**0.5, {LESS}),
    "logarithm": (lambda share: math.log(1 + 9 * share) / math.log(10), {LESS}),
    "full at two fifths": (lambda share: min(share, 0.4) / 0.4, {SATURATES, LESS}),
    "exponential": (lambda share: math.expm1(3 * share) / math.expm1(3), {WORSE}),
}
_DESIGNS = ((4, 1), (4, 2), (5, 1), (6, 2), (8, 3))


def _simulated(law, n_values, n_runs, noise, draw):
    """A rise of 100 MiB on top of 200, over values that double or are evenly apart."""
    is_doubling = draw.random() < 0.5
    values = [100 * 2**at if is_doubling else 100 * (at + 1) for at in range(n_values)]
    level = 100 * MIB
    return [
        (value, 2 * level + level * (law(value / values[-1]) + draw.gauss(0, noise)))
        for value in values
        for _ in range(n_runs)
    ]


@pytest.mark.parametrize(
    ("noise", "least_right", "most_wrong"), [(0.0015, 0.95, 0.0), (0.005, 0.9, 0.01), (0.02, 0.7, 0.05)]
)
def test_shapes_are_told_apart_or_left_open(noise, least_right, most_wrong):
    """Noise of 0.15 % to 2 % of the rise, 4–8 values, 1–3 runs each: seldom a wrong word, more often none."""
    draw, said = random.Random(7), Counter()
    for law, right in _LAWS.values():
        for n_values, n_runs in _DESIGNS:
            for _ in range(6):
                found = _sweep(*_simulated(law, n_values, n_runs, noise, draw)).sweep_class
                said["right" if found in right else "open" if found is OPEN else "wrong"] += 1
    n = said.total()
    assert said["right"] >= least_right * n, said
    assert said["wrong"] <= most_wrong * n, said


def test_the_interval_holds_the_cost():
    """95 % of the intervals hold it: of 200, at most 20 do not."""
    draw, n_missed = random.Random(5), 0
    for _ in range(200):
        rows = _simulated(_LAWS["line"][0], 6, 2, 0.01, draw)
        found = _sweep(*rows)
        n_missed += not found.low <= 100 * MIB / rows[-1][0] <= found.high
    assert n_missed <= 20


@given(st.floats(1, 1e4), st.floats(0, 1e3))
def test_every_line_has_its_own_cost(cost_kib, level_mib):
    found = _of(lambda value: level_mib * MIB + cost_kib * 1024 * value)
    assert found.cost == pytest.approx(cost_kib * 1024, rel=1e-6)
    assert found.sweep_class in (LINEAR, FLAT)


# --- from an experiment ----------------------------------------------------------------------------------


def test_an_experiment_gives_the_points(build):
    pairs = build.pairs(
        (0, "users=10", "finished", 5.0),
        (0, "users=20", "killed", 9.0),
        (0, "users=30", "failed", 1.0),
        (1, "users=10", "finished", None),
        (0, "as it was", "finished", 5.0),
    )
    found = sweep_runs(pairs, {"users=10": 10, "users=20": 20, "users=30": 30}, metric="peak_rss_bytes")
    assert found.select("value", "is_killed", "metric_value").rows() == [
        (10.0, False, 5.0),
        (10.0, False, None),
        (20.0, True, 9.0),
    ]
    assert found["run"].to_list() == ["users=10-0", "users=10-1", "users=20-0"]


def test_a_metric_that_nobody_measured_is_an_error(build):
    pairs = build.pairs((0, "a", "finished", 5.0))
    with pytest.raises(NoDataError, match=r"'pss'.*peak_rss_bytes"):
        sweep_runs(pairs, {"a": 1.0}, metric="pss")
    with pytest.raises(NoDataError):
        sweep_runs(pairs, {"b": 1.0}, metric="peak_rss_bytes")


def test_the_fit_stands_beside_every_point():
    found = _of(lambda value: 50 * MIB + 4096 * value)
    away = found.points.select((pl.col("fitted") - pl.col("metric_value")).abs().max()).item()
    assert away < 1
    assert (found.curve["value"][0], found.curve["value"][-1]) == (100, 600)
