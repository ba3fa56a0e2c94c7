"""Which of the shapes of growth do levels show?"""

from __future__ import annotations

from itertools import accumulate
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.growth_choice import weighed
from diagtools.analyse.growth_models import Followed, GrowthClass

MIB = 2.0**20
POSITIONS = [float(at + 1) for at in range(60)]
SIZES = [float(3 + (at * 37) % 101) for at in range(60)]
FEATURES = {"size": Followed(total=list(accumulate(SIZES)), largest=list(accumulate(SIZES, max)))}


def best(levels: list[float]) -> GrowthClass:
    return weighed([level * MIB for level in levels], POSITIONS, FEATURES).best


def test_exact_shapes_are_recognised() -> None:
    assert best([100.0] * 60) is GrowthClass.FLAT
    assert best([100 + 2 * at for at in POSITIONS]) is GrowthClass.LEAK
    assert best([100 + size for size in FEATURES["size"].total]) is GrowthClass.FEATURE
    assert best([100 + 3 * size for size in FEATURES["size"].largest]) is GrowthClass.FEATURE
    assert best([100 + 90 * (at > 40) for at in POSITIONS]) is GrowthClass.STEP
    assert best([100 + 90 * (1 - exp(-at / 8)) for at in POSITIONS]) is GrowthClass.PLATEAU
    assert best([100 + 4 * min(at, 20) for at in POSITIONS]) is GrowthClass.PLATEAU
    assert best([100 + 50 * sum(at > place for place in (9, 21, 30, 47)) for at in POSITIONS]) is (
        GrowthClass.OUTLIERS
    )


def test_the_numbers_of_a_fit() -> None:
    found = weighed([(100 + 2 * at) * MIB for at in POSITIONS], POSITIONS, FEATURES)
    leak = found.models[GrowthClass.LEAK]
    assert leak.bytes_per_unit == pytest.approx(2 * MIB)
    assert leak.rise_bytes == pytest.approx(118 * MIB)
    step = weighed([(100 + 90 * (at > 40)) * MIB for at in POSITIONS], POSITIONS, {}).models[GrowthClass.STEP]
    assert step.jumps == (40,)
    assert step.rise_bytes == pytest.approx(90 * MIB)


def test_growth_that_slows_down_and_does_not_end_is_neither_leak_nor_plateau() -> None:
    assert best([100 + 40 * at**0.5 for at in POSITIONS]) is GrowthClass.INCONCLUSIVE


def test_a_leak_may_begin_late_or_grow_ever_faster() -> None:
    assert best([100 + max(at - 30, 0) for at in POSITIONS]) is GrowthClass.LEAK
    assert best([100 + at * at / 10 for at in POSITIONS]) is GrowthClass.LEAK


def test_a_slope_in_stairs_is_no_jump() -> None:
    """Up and down again is no growth by jumps, and a straight line is not many of them."""
    up_and_down = [100 + 50 * (at % 10 > 5) for at in POSITIONS]
    models = weighed([level * MIB for level in up_and_down], POSITIONS, {}).models
    assert GrowthClass.OUTLIERS not in models
    assert GrowthClass.OUTLIERS not in weighed([at * MIB for at in POSITIONS], POSITIONS, {}).models


@given(st.lists(st.floats(0, 1e10), min_size=20, max_size=60))
def test_the_belief_sums_to_one_whatever_the_levels(levels: list[float]) -> None:
    positions = [float(at + 1) for at in range(len(levels))]
    found = weighed(levels, positions, {})
    assert sum(found.shares.values()) == pytest.approx(1)
    for model in found.models.values():
        left = sum((level - value) ** 2 for level, value in zip(levels, model.values, strict=True))
        assert left == pytest.approx(model.sse, rel=1e-3, abs=1e-6 * sum(level**2 for level in levels) + 1)
