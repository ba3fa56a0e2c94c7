"""Which verdict follows from which figures?"""

import pytest

from diagtools.analyse.ruling import Arm, Change, ruling
from diagtools.values import Hypothesis, Verdict


def _hypothesis(expected=0.10):
    return Hypothesis(
        name="h", suspicion="s", change="c", variant="v", metric="peak_rss_bytes", expected_drop=expected
    )


def _arm(name, n, n_killed=0, values=()):
    return Arm(
        name=name,
        n=n,
        n_killed=n_killed,
        n_failed=0,
        died_in=frozenset(),
        all_deaths_known=True,
        by_pair=dict(enumerate(values)),
    )


def _ruled(change, expected=0.10, n=10):
    arms = (_arm(name, n, values=range(n)) for name in ("base", "v"))
    return ruling(*arms, change, _hypothesis(expected), None)


def _interval(share, low, high, p=0.002, n=10):
    return Change(n_pairs=n, share=share, low=low, high=high, p=p, is_interval=True)


def _range(share, low, high, n=3, *, is_apart=True):
    return Change(n_pairs=n, share=share, low=low, high=high, is_apart=is_apart, least=0.005)


@pytest.mark.parametrize(
    ("change", "verdict", "said"),
    [
        (_interval(-0.24, -0.26, -0.22), "confirmed", "fell by 24 % (22 % to 26 %, 95 % interval)"),
        (_interval(-0.24, -0.26, -0.22, p=0.2), "inconclusive", "p = 0.2"),  # one of many that were tried
        (_interval(-0.12, -0.15, -0.08), "inconclusive", "more pairs would narrow it"),
        (_interval(-0.07, -0.08, -0.06), "inconclusive", "Not clear: peak RSS fell by 7.0 %"),
        (
            _interval(-0.03, -0.04, -0.02),
            "refuted",
            "Too little: peak RSS fell by 3.0 % (2.0 % to 4.0 %",
        ),
        (_interval(0.02, -0.01, 0.05, p=0.3), "refuted", "rose by 2.0 % (−1.0 % to +5.0 %"),
        (_interval(0.0, 0.0, 0.0, p=1.0), "refuted", "did not change, at least 10 % less was expected"),
        (_interval(0.0, -0.3, 0.3, p=0.9), "inconclusive", "changed by less than 0.1 % (−30 % to +30 %"),
        (_interval(0.0002, -0.001, 0.001, p=0.9), "refuted", "changed by less than 0.1 %"),
        (_interval(-0.5, -0.5, -0.5, p=0.0001), "confirmed", "(n = 10, p < 0.001)"),
    ],
)
def test_with_ten_pairs_the_interval_decides(change, verdict, said):
    found = _ruled(change)
    assert found.verdict == verdict, found.reason
    assert said in found.reason


@pytest.mark.parametrize(
    ("change", "verdict", "said"),
    [
        (_range(-0.2, -0.25, -0.15), "confirmed", "n = 3"),
        (_range(-0.2, -0.25, -0.15, is_apart=False), "inconclusive", "differ too much among themselves"),
        (
            _range(-0.03, -0.04, -0.02),
            "inconclusive",
            "small but steady: 10 pairs or more would give an interval",
        ),
        (
            _range(-0.03, -0.04, -0.02, is_apart=False),
            "inconclusive",
            "differ too much among themselves to be sure; small but steady",
        ),
        (_range(-0.003, -0.004, -0.002), "refuted", "Too little"),  # steady, and less than what matters
        (_range(0.03, 0.02, 0.04, is_apart=False), "refuted", "rose by 3.0 %"),
        (
            _range(-0.03, -0.09, 0.01, is_apart=False),
            "inconclusive",
            "Not clear",
        ),  # half of it is not ruled out
        (_range(-0.12, -0.13, -0.09), "inconclusive", "small but steady"),
    ],
)
def test_with_few_pairs_only_large_effects_are_told(change, verdict, said):
    found = _ruled(change)
    assert found.verdict == verdict, found.reason
    assert said in found.reason


@pytest.mark.parametrize(
    ("killed_before", "killed_after", "p", "verdict", "said"),
    [
        (11, 1, 0.002, "confirmed", "Killed less often: killed in 11 of 12 runs as it was and in 1 of 12"),
        (1, 11, 0.002, "refuted", "Killed more often"),
        (
            5,
            3,
            0.7,
            "inconclusive",
            "Mixed: killed in 5 of 12 runs as it was and in 3 of 12 runs with the change (p = 0.7)",
        ),
        (5, 3, None, "inconclusive", "Mixed"),
    ],
)
def test_where_some_runs_are_killed_the_sign_test_decides(killed_before, killed_after, p, verdict, said):
    before, after = _arm("base", 12, killed_before), _arm("v", 12, killed_after)
    found = ruling(before, after, Change(n_pairs=12, p=p), _hypothesis(), None)
    assert found.verdict == verdict
    assert said in found.reason


def test_a_metric_that_was_not_printed_says_where():
    found = ruling(
        _arm("base", 3, values=(1, 2, 3)), _arm("v", 3, values=(1,)), Change(), _hypothesis(), None
    )
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason == "peak RSS is not known for both; it was measured in 1 of 3 runs of 'v'."
    told = ruling(
        _arm("base", 3, values=(1, 2, 3)),
        _arm("v", 3, values=(1,)),
        _range(-0.5, -0.5, -0.5),
        _hypothesis(),
        None,
    )
    assert told.reason.endswith("(n = 3); it was measured in 1 of 3 runs of 'v'.")


def test_a_baseline_of_zero_has_no_share_but_a_difference():
    arms = _arm("base", 2, values=(0, 0)), _arm("v", 2, values=(5, 7))
    found = ruling(*arms, Change(n_pairs=2, difference=6 * 2.0**20), _hypothesis(), None)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "moved it by +6.00 MiB (median of 2 pairs)" in found.reason
