"""Does the gate find what matters, is it rarely wrong, and does it end early?"""

import math
import random
from collections import Counter

import polars as pl
import pytest

from diagtools.analyse.sequential import (
    AT_THE_END,
    FALSE_ALARMS,
    GATE,
    Series,
    decide,
    decisions,
    least_amount,
    least_share,
    next_look,
    series,
)
from diagtools.analyse.sequential import changes_of as changes
from diagtools.values import Hypothesis, Moved

MIB = 2**20
HALF_A_PERCENT = math.log1p(0.005)
N_COMPARISONS = 10_000
K, F = "killed", "finished"


# --- 10,000 simulated comparisons ----------------------------------------------------------------------


def _normal(draw, cv):
    return draw.gauss(0, cv)


def _disturbed(draw, cv):
    """One run in ten is far slower or larger, as on a shared machine."""
    return draw.gauss(0, cv) + (draw.expovariate(0.1 / cv) if draw.random() < 0.1 else 0.0)


def _simulated(noise, cv, *, step=0.0, least=HALF_A_PERCENT, n=N_COMPARISONS):
    """How often each answer was given, and the pairs it took on the average."""
    draw = random.Random(f"{noise.__name__} {cv} {step}")
    moved, n_pairs = Counter(), 0
    for _ in range(n):
        pairs = [noise(draw, cv) - noise(draw, cv) + math.log1p(step) for _ in range(40)]
        (decision,) = decide([Series(changes=tuple(pairs), least=least)])
        moved[decision.moved] += 1
        n_pairs += decision.n_pairs
    return {one: moved[one] / n for one in Moved}, n_pairs / n


def test_one_percent_of_memory_is_found_in_ten_pairs():
    """VmHWM varies by 0.15 % from run to run."""
    shares, n_pairs = _simulated(_normal, 0.0015, step=0.01)
    assert shares[Moved.HIGHER] >= 0.95
    assert shares[Moved.LOWER] == shares[Moved.SAME] == 0
    assert n_pairs <= 20


def test_memory_that_did_not_change_raises_no_alarm_and_ends_early():
    shares, n_pairs = _simulated(_normal, 0.0015)
    assert shares[Moved.HIGHER] + shares[Moved.LOWER] <= FALSE_ALARMS
    assert shares[Moved.SAME] >= 0.95
    assert n_pairs <= 20


@pytest.mark.parametrize(("noise", "cv"), [(_normal, 0.02), (_normal, 0.10), (_disturbed, 0.03)])
def test_times_that_did_not_change_raise_no_alarm(noise, cv):
    """Far noisier than what matters: nothing decides but chance, and that is bounded."""
    shares, _ = _simulated(noise, cv)
    assert 0 < shares[Moved.HIGHER] + shares[Moved.LOWER] <= FALSE_ALARMS


def test_of_four_comparisons_at_once_none_raises_an_alarm_more_often():
    draw, n_alarms = random.Random(4), 0
    for _ in range(2500):
        four = [Series(changes=tuple(draw.gauss(0, 0.1) for _ in range(40)), least=0.001) for _ in range(4)]
        n_alarms += any(one.moved in (Moved.LOWER, Moved.HIGHER) for one in decide(four))
    assert n_alarms / 2500 <= FALSE_ALARMS


def test_a_step_of_time_is_found_where_it_is_larger_than_the_noise():
    shares, n_pairs = _simulated(_normal, 0.05, step=0.20, least=math.log1p(0.05), n=1000)
    assert shares[Moved.HIGHER] >= 0.95
    assert n_pairs <= 20


# --- one comparison ------------------------------------------------------------------------------------


def _of(*values, least=HALF_A_PERCENT):
    return Series(changes=tuple(values), least=least)


def _one(compared, looks=GATE):
    (decision,) = decide([compared], looks=looks)
    return decision


def test_ten_pairs_that_all_go_one_way_decide():
    """The p is 2/1024, of which the first look may spend 40 %: 0.0049."""
    decision = _one(_of(*[-0.02] * 10))
    assert decision.moved is Moved.LOWER
    assert decision.p == pytest.approx(2 / 1024 / 0.4)
    assert decision.n_pairs == 10
    assert decision.change == decision.low == decision.high == pytest.approx(math.expm1(-0.02))


def test_fewer_pairs_than_the_first_look_decide_nothing():
    decision = _one(_of(*[-0.02] * 9))
    assert (decision.moved, decision.p, decision.low) == (Moved.UNKNOWN, 1.0, None)


def test_what_was_decided_stays_whatever_comes_later():
    early = [-0.02] * 10
    assert _one(_of(*early, *[0.3] * 30)) == _one(_of(*early))


def test_a_change_that_does_not_matter_is_none():
    """Every pair rose by 0.1 %: sure, and nothing."""
    assert _one(_of(*[0.001] * 10)).moved is Moved.SAME
    assert _one(_of(*[0.0] * 10)).moved is Moved.SAME


def test_noise_goes_on_to_the_next_look():
    noisy = [0.05, -0.04] * 20
    found = [_one(_of(*noisy[:n])) for n in (10, 20, 40)]
    assert [one.moved for one in found] == [Moved.UNKNOWN] * 3
    assert [next_look(n, [one]) for n, one in zip((10, 20, 40), found, strict=True)] == [20, 40, None]


def test_the_next_look_waits_for_the_last_to_be_decided():
    clear, open_ = _one(_of(*[0.1] * 10)), _one(_of(*[0.05, -0.04] * 5))
    assert next_look(0, []) == 10
    assert next_look(10, [clear]) is None
    assert next_look(10, [clear, open_]) == 20
    assert next_look(10, [open_], looks=AT_THE_END) is None


def test_with_four_at_once_ten_pairs_are_not_enough_but_twenty_are():
    """0.0049 × 4 is above 0.5 %."""
    four = [_of(*[-0.02] * 20)] * 4
    assert [one.moved for one in decide([_of(*one.changes[:10]) for one in four])] == [Moved.UNKNOWN] * 4
    assert [(one.moved, one.n_pairs) for one in decide(four)] == [(Moved.LOWER, 20)] * 4


def test_one_look_at_the_end_spends_all_of_the_error():
    """9 of 10 pairs one way, the smallest the other: p = 4/1024, which three looks would not allow."""
    changes = [-0.02 - at / 1000 for at in range(9)] + [0.001]
    assert _one(_of(*changes)).moved is Moved.UNKNOWN
    assert _one(_of(*changes), AT_THE_END).moved is Moved.LOWER
    assert _one(_of(*changes), AT_THE_END).p == pytest.approx(4 / 1024)


def test_killed_runs_are_outcomes():
    """Ten of twelve pairs in which only the baseline was killed: 2/1024; the others tell nothing of kills."""
    rescued = _of(*[-math.inf] * 10, 0.1, None)
    decision = _one(rescued, AT_THE_END)
    assert (decision.moved, decision.p, decision.change) == (Moved.LOWER, 2 / 1024, None)
    worse = _of(*[math.inf] * 10)
    assert _one(worse).moved is Moved.HIGHER
    assert _one(_of(*[math.inf, -math.inf] * 5)).moved is Moved.UNKNOWN


def test_pairs_that_tell_nothing_are_no_pairs():
    assert _one(_of(*[None] * 40)).n_pairs == 0
    assert _one(_of(*[None, -0.02] * 10)).n_pairs == 10


# --- from the frame ------------------------------------------------------------------------------------


def _hypothesis(**changed):
    usual = {"name": "h", "suspicion": "s", "change": "c", "variant": "v"}
    return Hypothesis(**(usual | changed))


def _pairs(build, base, variant, metric="peak_rss_bytes"):
    rows = [(at, "base", *one) for at, one in enumerate(base)] + [
        (at, "v", *one) for at, one in enumerate(variant)
    ]
    return build.pairs(*rows, metric=metric)


def _finished(*values):
    return [(F, value) for value in values]


def test_the_frame_gives_the_same_decision(build):
    base, after = [100.0 * MIB + at for at in range(10)], [98.0 * MIB] * 10
    (decision,) = decisions(
        _pairs(build, _finished(*base), _finished(*after)), [_hypothesis()], baseline="base"
    )
    assert decision.moved is Moved.LOWER
    assert decision.change == pytest.approx(-0.02, abs=1e-6)


def test_less_than_the_floor_does_not_matter(build):
    """2 % of 10 MiB are 205 KiB, of 100 MiB two mebibytes."""
    for size, moved in ((10, Moved.SAME), (100, Moved.HIGHER)):
        base, after = [size * MIB * 1.0] * 10, [size * MIB * 1.02] * 10
        pairs = _pairs(build, _finished(*base), _finished(*after))
        assert decisions(pairs, [_hypothesis()], baseline="base")[0].moved is moved


def test_what_matters_depends_on_the_metric_and_can_be_said():
    memory, time, count = (_hypothesis(metric=one) for one in ("peak_rss_bytes", "duration_s", "n_rows"))
    assert [least_share(one) for one in (memory, time, count)] == [0.005, 0.05, 0.005]
    assert [least_amount(one) for one in (memory, time, count)] == [256 * 1024, 0, 0]
    said = _hypothesis(min_effect_share=0.2, floor=1.0)
    assert (least_share(said), least_amount(said)) == (0.2, 1.0)


@pytest.mark.parametrize("base", [0.0, -4.0 * MIB])
def test_a_baseline_that_is_not_above_zero_is_compared_by_difference(build, base):
    pairs = _pairs(build, _finished(*[base] * 10), _finished(*[base + 3 * MIB] * 10), metric="kept_bytes")
    (decision,) = decisions(pairs, [_hypothesis(metric="kept_bytes")], baseline="base")
    assert (decision.moved, decision.change, decision.is_share) == (Moved.HIGHER, 3 * MIB, False)


def test_killed_and_missing_runs_keep_their_place(build):
    pairs = _pairs(
        build,
        [(F, 100.0), (K, 500.0), (F, 100.0), (K, 500.0), (F, None)],
        [(F, 50.0), (F, 100.0), (K, 500.0), (K, 500.0), (F, 50.0)],
    )
    found = series(changes(pairs, _hypothesis(), "base"), _hypothesis())
    assert found.changes == (pytest.approx(math.log(0.5)), -math.inf, math.inf, None, None)
    assert found.n_telling == 3


def test_nothing_measured_is_nothing_decided(build):
    pairs = _pairs(build, _finished(*[None] * 12), _finished(*[5.0] * 12)).with_columns(
        pl.col("value").cast(pl.Float64)
    )
    (decision,) = decisions(pairs, [_hypothesis()], baseline="base")
    assert (decision.moved, decision.n_pairs, decision.change) == (Moved.UNKNOWN, 0, None)
