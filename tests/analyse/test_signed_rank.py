"""Is the signed-rank test exact?"""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.signed_rank import holm, shift, sign_test, signed_rank

CHANGES = st.lists(st.integers(-5, 5).map(float), max_size=9)


def test_three_changes_by_hand():
    """Ranks 1, 2, 3 with signs +, −, +: their sum is 4; of the 8 sums 0 1 2 3 3 4 5 6 three are ≥ 4, six ≤ 4."""
    chances = signed_rank([1.0, -2.0, 4.0])
    assert (chances.higher, chances.lower, chances.either) == (3 / 8, 6 / 8, 6 / 8)


def test_ten_changes_of_one_sign_have_the_smallest_p():
    chances = signed_rank([float(value) for value in range(1, 11)])
    assert (chances.higher, chances.either, chances.lower) == (1 / 1024, 2 / 1024, 1.0)


def test_zeros_are_left_out():
    assert signed_rank([0.0, 3.0, 0.0, -1.0, 2.0]) == signed_rank([3.0, -1.0, 2.0])
    assert signed_rank([0.0, 0.0]).either == signed_rank([]).either == 1.0


@given(CHANGES)
def test_every_sign_of_every_rank_is_counted_ties_too(changes):
    """The distribution over all signs, by trying them all."""
    nonzero = [change for change in changes if change]
    sizes = sorted(map(abs, nonzero))
    ranks = [(2 * sizes.index(abs(one)) + sizes.count(abs(one)) + 1) / 2 for one in nonzero]
    seen = sum(rank for rank, one in zip(ranks, nonzero, strict=True) if one > 0)
    sums = [sum(chosen) for chosen in itertools.product(*((0.0, rank) for rank in ranks))]
    chances = signed_rank(changes)
    assert chances.higher == pytest.approx(sum(one >= seen for one in sums) / len(sums))
    assert chances.lower == pytest.approx(sum(one <= seen for one in sums) / len(sums))


@given(CHANGES)
def test_the_other_way_round_is_the_other_side(changes):
    one, other = signed_rank(changes), signed_rank([-change for change in changes])
    assert (one.lower, one.higher) == (other.higher, other.lower)


@pytest.mark.parametrize("n", [1, 4, 10, 20, 40])
def test_scipy_says_the_same(n):
    stats = pytest.importorskip("scipy.stats")
    draw = random.Random(n)
    changes = [draw.gauss(0.4, 1) for _ in range(n)]
    found = signed_rank(changes)
    for side, ours in (("two-sided", found.either), ("greater", found.higher), ("less", found.lower)):
        theirs = stats.wilcoxon(changes, alternative=side, method="exact").pvalue
        assert ours == pytest.approx(theirs)


def test_a_coin_decides_where_runs_were_killed():
    """Six pairs in which only the baseline was killed, none the other way: 1/64, two-sided 1/32."""
    assert sign_test(6, 0).either == 1 / 32
    assert sign_test(0, 6).higher == 1 / 64
    assert sign_test(3, 1).lower == 5 / 16
    assert sign_test(0, 0).either == 1.0


def test_the_estimate_is_the_median_of_the_means_of_pairs():
    """Of 1, 2, 6: the means are 1, 1.5, 2, 3.5, 4, 6, their median is 2.75."""
    assert shift([1.0, 2.0, 6.0]).estimate == 2.75


def test_the_interval_of_ten_values():
    """Published tables: at 95 % the 9th mean of pairs from either end (of 55), by P(T ≤ 8) = 25/1024 ≤ 2.5 %."""
    values = [float(2**power) for power in range(10)]
    means = sorted((one + other) / 2 for one, other in itertools.combinations_with_replacement(values, 2))
    found = shift(values)
    assert (found.low, found.high) == (means[8], means[-9])


def test_too_few_values_have_no_interval():
    assert shift([1.0] * 5).low is None
    assert (shift([3.0] * 6).low, shift([3.0] * 6).high) == (3.0, 3.0)
    assert shift([1.0, 2.0, 3.0, 4.0, 5.0], confidence=0.9).low is not None


@given(st.lists(st.floats(-1e6, 1e6), min_size=6, max_size=15), st.floats(-1e6, 1e6))
def test_the_interval_holds_the_estimate_and_moves_with_the_values(values, by):
    found, moved = shift(values), shift([value + by for value in values])
    assert found.low <= found.estimate <= found.high
    assert moved.estimate == pytest.approx(found.estimate + by, abs=1e-6)


@given(st.lists(st.integers(-50, 50), min_size=6, max_size=12, unique=True), st.integers(-60, 60))
def test_the_interval_is_what_the_test_does_not_reject(values, at):
    """A shift strictly inside is not rejected at 5 %, one strictly outside is: the two are one statement."""
    found = shift([float(value) for value in values])
    chances = signed_rank([value - at - 1 / 3 for value in values])
    is_inside = found.low < at + 1 / 3 < found.high
    assert (chances.either > 0.05) == is_inside


def test_holm_by_hand():
    """0.01 × 3, then 0.02 × 2 (and no less than before), then 0.04 × 1."""
    assert holm([0.04, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert holm([0.6, 0.5]) == [1.0, 1.0]
    assert holm([]) == []
