"""What did an experiment say about each hypothesis?"""

import math
import random

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.comparison import effects
from diagtools.analyse.sequential import GATE
from diagtools.errors import NoDataError, UsageError
from diagtools.values import Hypothesis, Moved, Verdict

MIB, GIB = 2**20, 2**30
K, F, X = "killed", "finished", "failed"


def _hypothesis(**changed):
    usual = {"name": "h", "suspicion": "s", "change": "c", "variant": "v"}
    return Hypothesis(**(usual | changed))


def _effect(pairs, **changed):
    (effect,) = effects(pairs, [_hypothesis(**changed)], baseline="base")
    return effect


def _both(build, base, variant):
    """PAIRS of two arms: one outcome, (outcome, value) or (outcome, value, item) a run."""
    rows = []
    for name, arm in (("base", base), ("v", variant)):
        for pair, run in enumerate(arm):
            outcome, value, *item = run if isinstance(run, tuple) else (run, 100.0)
            rows.append((pair, name, outcome, value, *item))
    return build.pairs(*rows)


@pytest.mark.parametrize(
    ("base", "variant", "verdict", "reason"),
    [
        ([K], [F], "confirmed", "killed in 1 of 1 run as it was and in 0 of 1 run with the change"),
        ([K, K, K], [F, F, F], "confirmed", "Rescued: killed in 3 of 3 runs as it was and in 0 of 3 runs"),
        ([K, K], [K, K], "refuted", "Still killed in 2 of 2 runs"),
        ([F, F], [K, K], "refuted", "makes it worse"),
        ([K, K], [F, K], "inconclusive", "Mixed: killed in 2 of 2 runs as it was and in 1 of 2 runs"),
        ([K, F], [F, F], "inconclusive", "Mixed: killed in 1 of 2"),
        ([F, F], [F, K], "inconclusive", "Mixed: killed in 0 of 2"),
        ([K, K], [F, X], "inconclusive", "1 of 2 runs of 'v' failed"),
        ([K, X], [F, F], "inconclusive", "1 of 2 runs of 'base' failed"),
        ([K], [X], "inconclusive", "neither finished nor killed"),
    ],
)
def test_kills_decide_before_any_figure(build, base, variant, verdict, reason):
    effect = _effect(_both(build, base, variant))
    assert effect.verdict == verdict
    assert reason in effect.reason
    assert effect.rescued is (verdict == "confirmed")
    assert (effect.n_baseline, effect.n_variant) == (len(base), len(variant))
    assert (effect.n_baseline_killed, effect.n_variant_killed) == (base.count(K), variant.count(K))


@pytest.mark.parametrize(
    ("base", "variant", "expected", "verdict", "reason"),
    [
        ([100, 102], [60, 61], 0.10, "confirmed", "fell by 40 %"),
        ([100, 100], [89, 91], 0.10, "inconclusive", "Not clear"),  # one pair fell by less than was expected
        ([100, 70], [69, 60], 0.10, "inconclusive", "differ too much among themselves"),
        ([100, 96, 98], [60, 66, 61], 0.10, "confirmed", "fell by 38 %"),
        ([100, 70, 85], [69, 60, 50], 0.10, "inconclusive", "differ too much among themselves"),
        ([100, 60], [70, 50], 0.10, "inconclusive", "differ too much among themselves"),
        (
            [100, 100],
            [96, 97],
            0.10,
            "inconclusive",
            "fell by 3.5 % (3.0 % to 4.0 %), at least 10 % less was expected",
        ),
        ([100, 97], [96, 100], 0.10, "refuted", "Too little: peak RSS fell by 0.5 %"),
        ([100, 100], [120, 130], 0.10, "refuted", "rose by 25 %"),
        ([100, 100], [93, 94], 0.10, "inconclusive", "at least 10 % less was expected (n = 2)"),
        ([100], [10], 0.10, "inconclusive", "one pair cannot tell a change from noise"),
        ([100, 60], [160, 61], 0.10, "inconclusive", "rose by 31 %"),  # noise refutes nothing
        ([100, 100], [94, 94], 0.05, "confirmed", "n = 2"),
        ([100, 100], [98, 98], 0.05, "inconclusive", "small but steady"),
        ([100, 100, 100], [89], 0.10, "inconclusive", "n = 1"),
    ],
)
def test_where_nothing_is_killed_the_metric_decides(build, base, variant, expected, verdict, reason):
    runs = ([(F, value * MIB * 1.0) for value in arm] for arm in (base, variant))
    effect = _effect(_both(build, *runs), expected_drop=expected)
    assert effect.verdict == verdict, effect.reason
    assert reason in effect.reason
    assert not effect.rescued
    assert effect.same_item is None


def test_the_change_is_over_the_pairs(build):
    """Pair 0: 50/100, pair 1: 90/120, pair 2: 30/50."""
    effect = _effect(_both(build, [(F, 100), (F, 120), (F, 50)], [(F, 50), (F, 90), (F, 30)]))
    assert effect.change_share == pytest.approx(-0.40)
    assert (effect.low_share, effect.high_share) == (pytest.approx(-0.50), pytest.approx(-0.25))
    assert (effect.baseline_value, effect.variant_value) == (100, 50)
    assert not effect.baseline_is_bound
    assert not effect.variant_is_bound


def test_a_run_without_its_partner_is_compared_with_the_median(build):
    pairs = build.pairs((0, "base", F, 100.0), (1, "base", F, 200.0), (2, "v", F, 75.0))
    assert _effect(pairs).change_share == pytest.approx(-0.5)


def test_a_killed_baseline_is_a_lower_bound(build):
    effect = _effect(_both(build, [(K, 2.0 * GIB)], [(F, 0.5 * GIB)]))
    assert effect.baseline_is_bound
    assert not effect.variant_is_bound
    assert effect.change_share == pytest.approx(-0.75)


def test_between_two_lower_bounds_no_change_is_known(build):
    effect = _effect(_both(build, [(K, 2.0 * GIB)], [(K, 1.9 * GIB)]))
    assert (effect.change_share, effect.low_share, effect.high_share) == (None, None, None)
    assert effect.baseline_is_bound
    assert effect.variant_is_bound


def test_a_variant_that_died_at_the_same_file_says_so(build):
    effect = _effect(_both(build, [(K, 1.0, "ext.js")] * 2, [(K, 1.0, "ext.js")] * 2))
    assert effect.same_item is True
    assert "it died in the same item, 'ext.js'" in effect.reason


def test_a_variant_that_died_elsewhere_says_so(build):
    effect = _effect(_both(build, [(K, 1.0, "a.js")], [(K, 1.0, "/home/joe/b.js")]))
    assert effect.verdict is Verdict.REFUTED
    assert effect.same_item is False
    assert "it died in '~/b.js' instead of 'a.js': moved, not prevented" in effect.reason


def test_where_an_item_is_unknown_nothing_is_said_of_it(build):
    effect = _effect(_both(build, [(K, 1.0, "a.js")], [(K, 1.0)]))
    assert effect.same_item is None
    assert "died" not in effect.reason


def test_the_plausible_wrong_theory_is_named(build):
    """It flattens the curve, and dies at the same file."""
    peaks = _both(build, [(K, 2.0 * GIB, "ext.js")], [(K, 2.0 * GIB, "ext.js")])
    before = build.pairs((0, "base", K, 684.0), (0, "v", K, 247.0), metric="rss_before_bytes")
    duration = build.pairs((0, "base", K, 22.0), (0, "v", K, 10.0), metric="duration_s")
    effect = _effect(pl.concat([peaks, before, duration]))
    assert effect.verdict is Verdict.REFUTED
    assert effect.reason == (
        "Still killed in 1 of 1 run as it was and in 1 of 1 run with the change; it died in the same item, 'ext.js'. "
        "Yet it lowered RSS before by 64 %: it looked like the fix."
    )


def test_each_hypothesis_gets_its_own_effect_in_order(build):
    pairs = build.pairs((0, "base", K, 9.0), (0, "arena", K, 9.0), (0, "batch", F, 2.0))
    arena, batch = _hypothesis(name="arena", variant="arena"), _hypothesis(name="batch", variant="batch")
    found = effects(pairs, [batch, arena], baseline="base")
    assert [(effect.hypothesis.name, effect.verdict) for effect in found] == [
        ("batch", "confirmed"),
        ("arena", "refuted"),
    ]


def test_another_metric_can_be_asked_for(build):
    final = _both(build, [(F, 100.0)] * 2, [(F, 20.0)] * 2).with_columns(metric=pl.lit("final_rss_bytes"))
    pairs = pl.concat([final, _both(build, [(F, 1.0)] * 2, [(F, 1.0)] * 2)])
    assert _effect(pairs, metric="final_rss_bytes").verdict is Verdict.CONFIRMED
    assert _effect(pairs).verdict is Verdict.REFUTED


@pytest.mark.parametrize("value", [None, 0.0])
def test_an_unknown_or_zero_baseline_decides_nothing(build, value):
    effect = _effect(_both(build, [(F, value)], [(F, 5.0)]))
    assert (effect.verdict, effect.change_share) == (Verdict.INCONCLUSIVE, None)


def test_a_variant_that_never_ran_is_an_error(build):
    pairs = build.pairs((0, "base", F, 1.0))
    with pytest.raises(NoDataError, match=r"'v' has no runs.* base"):
        _effect(pairs)
    with pytest.raises(NoDataError, match="'other' has no runs"):
        effects(pairs, [_hypothesis(variant="base")], baseline="other")


def test_a_metric_that_nobody_measured_is_an_error(build):
    with pytest.raises(UsageError, match=r"'pss'.*measured were: peak_rss_bytes"):
        _effect(_both(build, [F], [F]), metric="pss")


# --- with pairs enough for statistics -------------------------------------------------------------------


def _finished(*values):
    return [(F, float(value)) for value in values]


def test_ten_pairs_have_an_interval_and_a_p(build):
    """Every pair fell by 20 %: p is 2/1024, and there is nothing else in the interval."""
    effect = _effect(
        _both(build, _finished(*range(100, 110)), _finished(*(v * 0.8 for v in range(100, 110))))
    )
    assert (effect.verdict, effect.p, effect.n_pairs) == (Verdict.CONFIRMED, 2 / 1024, 10)
    assert effect.is_interval
    assert (effect.change_share, effect.low_share, effect.high_share) == (pytest.approx(-0.2),) * 3


def test_nine_pairs_have_a_range(build):
    effect = _effect(_both(build, _finished(*[100] * 9), _finished(*range(71, 80))))
    assert (effect.is_interval, effect.p, effect.n_pairs) == (False, None, 9)
    assert (effect.low_share, effect.high_share) == (pytest.approx(-0.29), pytest.approx(-0.21))


def test_one_run_that_was_disturbed_is_one_rank(build):
    """Its pair rose by 900 %; the range would say nothing any more, the interval does."""
    effect = _effect(_both(build, _finished(*[100] * 20), _finished(*range(70, 89), 1000)))
    assert effect.verdict is Verdict.CONFIRMED
    assert -0.30 < effect.low_share < effect.high_share < -0.10


def test_unequal_pairs_count_only_where_both_ran(build):
    effect = _effect(_both(build, _finished(*[100] * 14), _finished(*[70] * 10)))
    assert (effect.n_pairs, effect.n_baseline, effect.n_variant) == (10, 14, 10)
    assert effect.verdict is Verdict.CONFIRMED


def test_runs_without_any_variance_are_no_error(build):
    effect = _effect(_both(build, _finished(*[100] * 10), _finished(*[100] * 10)))
    assert (effect.verdict, effect.moved, effect.p) == (Verdict.REFUTED, Moved.SAME, 1.0)


def test_p_is_corrected_for_all_that_was_tested_together(build):
    """Two of three fell in each of ten pairs (2/1024 each), the third did not change: × 3, and the same for both."""
    arms = {"base": 100, "one": 80, "two": 70, "three": 100}
    pairs = build.pairs(*((pair, name, F, float(v)) for name, v in arms.items() for pair in range(10)))
    hypotheses = [_hypothesis(name=name, variant=name) for name in ("one", "two", "three")]
    assert [one.p for one in effects(pairs, hypotheses, baseline="base")] == [6 / 1024, 6 / 1024, 1.0]


def test_looks_in_between_cost_something(build):
    pairs = _both(build, _finished(*[100] * 10), _finished(*[80] * 10))
    (effect,) = effects(pairs, [_hypothesis()], baseline="base", looks=GATE)
    assert effect.p == pytest.approx(2 / 1024 / 0.4)


def test_kills_among_many_pairs_are_counted(build):
    """In ten pairs only the baseline was killed, in two nobody was."""
    effect = _effect(_both(build, [(K, 9.0)] * 10 + [(F, 5.0)] * 2, [(F, 4.0)] * 12))
    assert (effect.verdict, effect.p, effect.moved) == (Verdict.CONFIRMED, 2 / 1024, Moved.LOWER)
    assert "Killed less often: killed in 10 of 12 runs" in effect.reason
    assert not effect.rescued


def test_a_rescue_of_many_pairs_shows_the_drop_that_was_seen(build):
    effect = _effect(_both(build, [(K, 2.0 * GIB)] * 12, [(F, 0.5 * GIB)] * 12))
    assert effect.rescued
    assert effect.change_share == pytest.approx(-0.75)
    assert not effect.is_interval


@pytest.mark.parametrize("value", [0.0, -5.0])
def test_a_baseline_that_is_not_above_zero_still_moves(build, value):
    runs = _finished(*[value * MIB] * 10), _finished(*[(value + 9) * MIB] * 10)
    effect = _effect(_both(build, *runs))
    assert (effect.verdict, effect.moved, effect.change_share) == (
        Verdict.INCONCLUSIVE,
        Moved.HIGHER,
        None,
    )
    assert "+9.00 MiB" in effect.reason


# --- what else is to be known of an effect --------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "variant", "moved"),
    [
        ([100, 101, 102], [80, 81, 82], Moved.LOWER),
        ([80, 81, 82], [100, 101, 102], Moved.HIGHER),
        ([100, 101, 102], [97, 98, 99], Moved.UNKNOWN),  # apart by less than either spreads
        ([100, 101], [80, 81], Moved.UNKNOWN),  # two pairs are too few
        ([100, 100, 100], [99.9, 99.9, 99.9], Moved.UNKNOWN),  # less than what matters
        ([100, 101, 102], [100, 101, 102], Moved.UNKNOWN),
    ],
)
def test_with_few_pairs_only_what_lies_far_apart_has_moved(build, base, variant, moved):
    runs = ([(F, value * MIB * 1.0) for value in arm] for arm in (base, variant))
    assert _effect(_both(build, *runs)).moved is moved


@pytest.mark.parametrize(("base", "variant"), [(1e-300, 1e90), (1e99, 1e-300), (-1e99, 1e99), (1e300, 1.0)])
def test_any_number_that_a_program_prints_can_be_compared(build, base, variant):
    for n in (3, 12):
        effect = _effect(_both(build, _finished(*[base] * n), _finished(*[variant] * n)))
        known = [one for one in (effect.change_share, effect.low_share, effect.high_share) if one is not None]
        assert all(map(math.isfinite, known))


def test_three_pairs_of_noise_seldom_move(build):
    """300 comparisons in which nothing changed, at 10 % of noise: three or fewer alarms are expected."""
    draw = random.Random(11)
    names = ["base", *(f"v{at}" for at in range(300))]
    rows = [(pair, name, F, draw.gauss(1000, 100) * MIB) for name in names for pair in range(3)]
    hypotheses = [_hypothesis(name=name, variant=name) for name in names[1:]]
    found = effects(build.pairs(*rows), hypotheses, baseline="base")
    assert sum(one.moved is not Moved.UNKNOWN for one in found) <= 6


def test_a_change_that_was_not_applied_proves_nothing(build):
    pairs = _both(build, [K, K, K], [F, F, F])
    why = {"v": "no process imported 'cache'."}
    (effect,) = effects(pairs, [_hypothesis()], baseline="base", not_applied=why)
    assert (effect.verdict, effect.applied, effect.rescued) == (Verdict.INCONCLUSIVE, False, False)
    assert effect.reason == "Not tested: the change was not applied: no process imported 'cache'."
    assert effect.n_variant == 3


def test_a_change_that_could_not_be_made_needs_no_runs(build):
    pairs = build.pairs((0, "base", F, 5.0))
    (effect,) = effects(pairs, [_hypothesis()], baseline="base", not_applied={"v": "no such package"})
    assert (effect.n_variant, effect.variant_value, effect.verdict) == (0, None, Verdict.INCONCLUSIVE)


def test_a_mend_that_changes_the_answer_is_said_to(build):
    pairs = _both(build, [(F, 100.0)] * 2, [(F, 50.0)] * 2)
    said = {"v": "line 3: '41' instead of '42'"}
    (effect,) = effects(pairs, [_hypothesis()], baseline="base", changed_output=said)
    assert (effect.verdict, effect.same_output) == (Verdict.CONFIRMED, False)
    assert effect.reason.endswith(" Its output differs: line 3: '41' instead of '42'.")
    (effect,) = effects(pairs, [_hypothesis()], baseline="base", changed_output={})
    assert effect.same_output is True
    assert _effect(pairs).same_output is None


def test_what_the_machine_did_is_no_figure_of_the_program(build):
    """The page cache shrank and less was read: neither looks like a fix."""
    rows = [(0, "base", K, 100.0), (0, "v", K, 10.0)]
    metrics = ("read_bytes", "condition_page_cache_bytes")
    pairs = pl.concat([_both(build, [K], [K]), *(build.pairs(*rows, metric=metric) for metric in metrics)])
    assert "lowered" not in _effect(pairs).reason


def test_the_time_of_a_run_that_read_from_disk_is_not_compared(build):
    """The first run took 30 s, of which the disk took 20: without it nothing changed."""
    time = _both(build, [(F, 30.0), (F, 10.0), (F, 10.0)], [(F, 10.0)] * 3)
    read = _both(build, [(F, 200.0 * MIB), (F, 0.0), (F, 0.0)], [(F, 0.0)] * 3)
    pairs = pl.concat(
        [one.with_columns(metric=pl.lit(name)) for one, name in ((time, "duration_s"), (read, "read_bytes"))]
    ).with_columns(order="pair")
    effect = _effect(pairs, metric="duration_s")
    assert (effect.low_share, effect.high_share, effect.n_pairs) == (0, 0, 2)


_RUNS = st.lists(st.tuples(st.sampled_from([K, F, X]), st.floats(1, 1e12)), min_size=1, max_size=12)


@given(st.lists(st.floats(1, 1e9), min_size=10, max_size=16), st.floats(0.2, 5))
def test_the_other_way_round_is_the_inverse(build, values, factor):
    """What fell by a half from one side doubled from the other, with the same p."""
    draw = [value * factor * (1 + at / 100) for at, value in enumerate(values)]
    one = _effect(_both(build, _finished(*values), _finished(*draw)))
    other = _effect(_both(build, _finished(*draw), _finished(*values)))
    assert one.p == other.p
    assert (1 + one.change_share) * (1 + other.change_share) == pytest.approx(1)
    assert (1 + one.low_share) * (1 + other.high_share) == pytest.approx(1)


@given(_RUNS, _RUNS, st.floats(0, 0.9))
def test_the_order_of_the_rows_does_not_matter_and_ranges_hold_their_median(build, base, variant, expected):
    pairs = _both(build, base, variant)
    effect = _effect(pairs, expected_drop=expected)
    assert _effect(pairs.reverse(), expected_drop=expected) == effect
    if effect.change_share is not None:
        assert effect.low_share <= effect.change_share <= effect.high_share


@given(st.lists(st.floats(1, 1e12), min_size=2, max_size=12))
def test_a_variant_that_changes_nothing_is_never_confirmed(build, values):
    runs = [(F, value) for value in values]
    effect = _effect(_both(build, runs, runs))
    assert effect.change_share == 0
    assert effect.verdict is Verdict.REFUTED


def test_noise_is_hardly_ever_a_verdict(build):
    """Of 400 experiments of six variants that change nothing at all, and noise that no program should have."""
    draw = random.Random(5)
    hypotheses = [_hypothesis(variant=f"v{number}") for number in range(6)]
    n_confirmed = 0
    for _ in range(400):
        rows = [
            (pair, arm, F, draw.uniform(20, 70) * MIB)
            for pair in range(3)
            for arm in ("base", *(one.variant for one in hypotheses))
        ]
        found = effects(build.pairs(*rows), hypotheses, baseline="base")
        n_confirmed += any(one.verdict is Verdict.CONFIRMED for one in found)
    assert n_confirmed <= 4
