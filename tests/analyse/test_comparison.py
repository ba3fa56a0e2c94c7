"""What did an experiment say about each hypothesis?"""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.comparison import effects
from diagtools.errors import NoDataError, UsageError
from diagtools.values import Hypothesis, Verdict

GIB = 2**30
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
        ([100, 70], [69, 60], 0.10, "confirmed", "fell by 23 %"),
        ([100, 60], [70, 50], 0.10, "inconclusive", "the ranges overlap"),
        ([100, 100], [96, 97], 0.10, "refuted", "Too little: peak_rss_bytes fell by 3.5 %"),
        ([100, 100], [120, 130], 0.10, "refuted", "rose by 25 %"),
        ([100, 100], [93, 94], 0.10, "inconclusive", "at least 10 % less was expected (n = 2)"),
        ([100], [89], 0.10, "confirmed", "n = 1"),
        ([100], [94], 0.05, "inconclusive", "n = 1"),  # one run each: 10 % at least
        ([100, 100], [94, 94], 0.05, "confirmed", "n = 2"),
        ([100], [98], 0.05, "refuted", "n = 1"),
        ([100, 100, 100], [89], 0.10, "confirmed", "n = 1"),
    ],
)
def test_where_nothing_is_killed_the_metric_decides(build, base, variant, expected, verdict, reason):
    effect = _effect(_both(build, [(F, v) for v in base], [(F, v) for v in variant]), expected_drop=expected)
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
        "Yet it lowered rss_before_bytes by 64 %: it looked like the fix."
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
    rows = [(0, "base", F, 100.0), (0, "v", F, 20.0)]
    pairs = pl.concat(
        [build.pairs(*rows, metric="final_rss_bytes"), build.pairs((0, "base", F, 1.0), (0, "v", F, 1.0))]
    )
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


_RUNS = st.lists(st.tuples(st.sampled_from([K, F, X]), st.floats(1, 1e12)), min_size=1, max_size=5)


@given(_RUNS, _RUNS, st.floats(0, 0.9))
def test_the_order_of_the_rows_does_not_matter_and_ranges_hold_their_median(build, base, variant, expected):
    pairs = _both(build, base, variant)
    effect = _effect(pairs, expected_drop=expected)
    assert _effect(pairs.reverse(), expected_drop=expected) == effect
    if effect.change_share is not None:
        assert effect.low_share <= effect.change_share <= effect.high_share


@given(st.lists(st.floats(1, 1e12), min_size=1, max_size=5))
def test_a_variant_that_changes_nothing_is_never_confirmed(build, values):
    runs = [(F, value) for value in values]
    effect = _effect(_both(build, runs, runs))
    assert effect.change_share == 0
    assert effect.verdict is Verdict.REFUTED
