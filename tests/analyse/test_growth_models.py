"""Which shapes of growth are there, and how do they fit?"""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.growth_models import Followed, GrowthClass, models

MIB = 2.0**20
POSITIONS = [float(at + 1) for at in range(40)]


def of_class(levels: list[float], growth_class: GrowthClass, **features: Followed) -> list:
    return [one for one in models(levels, POSITIONS, features) if one.growth_class is growth_class]


def test_two_steps_by_hand() -> None:
    levels = [(10 + 5 * (at >= 10) + 30 * (at >= 25)) * MIB for at in range(40)]
    best = min(of_class(levels, GrowthClass.STEP), key=lambda model: model.sse)
    assert best.jumps == (10, 25)
    assert best.rise_bytes == pytest.approx(35 * MIB)
    assert best.sse == pytest.approx(0, abs=1)
    assert [best.values[at] / MIB for at in (0, 12, 30)] == [10, 15, 45]


def test_a_feature_is_followed_in_total_and_at_its_largest() -> None:
    sizes = [float(1 + at * 7 % 13) for at in range(40)]
    size = Followed(total=list(accumulate(sizes)), largest=list(accumulate(sizes, max)))
    found = of_class([5 * MIB + 3 * MIB * one for one in size.total], GrowthClass.FEATURE, size=size)
    exact = min(found, key=lambda model: model.sse)
    assert (exact.feature, exact.of_maximum) == ("size", False)
    assert exact.bytes_per_unit == pytest.approx(3 * MIB)


def test_a_running_maximum_of_three_levels_is_no_model() -> None:
    """Any two steps fit it."""
    largest = [1.0] * 10 + [2.0] * 10 + [3.0] * 20
    size = Followed(total=POSITIONS, largest=largest)
    found = of_class([one * MIB for one in largest], GrowthClass.FEATURE, size=size)
    assert not any(model.of_maximum for model in found)


def test_of_a_feature_and_of_the_number_of_items_the_larger_part_is_the_class() -> None:
    sizes = [float(1 + at * 7 % 13) for at in range(40)]
    size = Followed(total=list(accumulate(sizes)), largest=list(accumulate(sizes, max)))
    for per_item, expected in ((100.0, GrowthClass.LEAK), (1.0, GrowthClass.FEATURE)):
        levels = [per_item * at + 5 * total for at, total in zip(POSITIONS, size.total, strict=True)]
        both = [
            one for one in models(levels, POSITIONS, {"size": size}) if one.n_parameters == 3 and one.feature
        ]
        assert [one.growth_class for one in both] == [expected]


@given(st.lists(st.floats(0, 1e9), min_size=40, max_size=40))
def test_a_rise_is_that_of_the_fitted_values(levels: list[float]) -> None:
    for model in models(levels, POSITIONS, {}):
        assert model.values[-1] - model.values[0] == pytest.approx(model.rise_bytes, abs=1e-3, rel=1e-6)
        assert len(model.values) == 40
