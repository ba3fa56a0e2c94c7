"""Which class of growth is it, or why can nobody say?"""

from __future__ import annotations

from itertools import accumulate
from random import Random

import pytest

from diagtools.analyse.growth_curve import Curve
from diagtools.analyse.growth_models import Followed, GrowthClass
from diagtools.analyse.growth_verdict import judged

MIB = 2.0**20
SIZES = [float(3 + (at * 37) % 101) for at in range(200)]


def curve(
    levels: list[float], *, asked: list[float | None] | None = None, first: float | None = None
) -> Curve:
    """Levels in MiB after each item, which have sizes that explain nothing."""
    n = len(levels)
    size = Followed(total=list(accumulate(SIZES[:n])), largest=list(accumulate(SIZES[:n], max)))
    return Curve(
        positions=[float(at + 1) for at in range(n)],
        levels=[level * MIB for level in levels],
        sources=["marker"] * n,
        asked=[None if one is None else one * MIB for one in asked or [0.0] * n],
        names=[f"f{at}" for at in range(n)],
        features={"size": size},
        first_bytes=(levels[0] if first is None else first) * MIB,
        n_items=n,
        unit="item",
    )


def test_what_is_asked_for_and_given_back_is_a_spike_where_it_is_more_than_what_is_kept() -> None:
    asked = [5.0] * 50
    asked[20] = 305.0
    spike = judged(curve([100.0] * 50, asked=asked))
    assert spike.growth_class is GrowthClass.SPIKE
    assert spike.spike_bytes == 300 * MIB
    leak = judged(curve([100 + 10.0 * at for at in range(50)], asked=asked))
    assert leak.growth_class is GrowthClass.LEAK
    assert leak.shares[GrowthClass.SPIKE] == pytest.approx(300 / (300 + 490))


def test_what_every_item_asks_for_is_no_spike() -> None:
    assert judged(curve([100.0] * 50, asked=[300.0] * 50)).growth_class is GrowthClass.FLAT


def test_what_nobody_saw_is_not_taken_for_nothing() -> None:
    """A tenth of the items were sampled, and each of these asked for 300 MiB: that is usual, not a spike."""
    seldom = [300.0 if at % 10 == 3 else None for at in range(100)]
    found = judged(curve([100.0] * 100, asked=seldom))
    assert (found.growth_class, found.spike_bytes) == (GrowthClass.FLAT, 0.0)
    unseen = judged(curve([100.0] * 100, asked=[None] * 100))
    assert (unseen.growth_class, unseen.spike_bytes) == (GrowthClass.FLAT, 0.0)
    seldom[53] = 900.0
    assert judged(curve([100.0] * 100, asked=seldom)).spike_bytes == 600 * MIB


def test_growth_that_is_too_small_to_matter_is_none() -> None:
    assert judged(curve([100 + at / 60 for at in range(50)])).growth_class is GrowthClass.FLAT
    assert judged(curve([100 + at / 20 for at in range(50)])).growth_class is GrowthClass.LEAK


def test_items_that_add_very_different_amounts_are_no_leak() -> None:
    random = Random(3)
    levels = list(accumulate((random.paretovariate(1.3) for _ in range(150)), initial=100.0))
    assert judged(curve(levels)).growth_class is not GrowthClass.LEAK


def test_two_shapes_that_fit_alike_are_inconclusive() -> None:
    """Noise of a third of the growth hides its shape."""
    random = Random(1)
    found = [
        judged(curve([100 + at + random.gauss(0, 12) for at in range(40)])).growth_class for _ in range(20)
    ]
    assert GrowthClass.INCONCLUSIVE in found


def test_the_shares_sum_to_one_and_a_doubt_has_a_reason() -> None:
    for levels in (
        [100.0] * 50,
        [100.0 + at**0.5 * 9 for at in range(50)],
        [100 + 3.0 * at for at in range(50)],
    ):
        found = judged(curve(levels))
        assert sum(found.shares.values()) == pytest.approx(1)
        assert bool(found.doubt) == (found.growth_class is GrowthClass.INCONCLUSIVE)


def test_the_interval_of_a_slope_is_around_it() -> None:
    random = Random(9)
    found = judged(curve([100 + 3 * at + random.gauss(0, 2) for at in range(80)]))
    assert found.slope is not None
    assert found.slope.low < found.slope.bytes_per_unit < found.slope.high
    assert found.slope.low <= 3 * MIB <= found.slope.high
