"""What did each pair of runs change?"""

import pytest

from diagtools.analyse.pair_changes import pair_changes

K, F = "killed", "finished"


def _changes(pairs):
    return pair_changes(pairs, variant="v", metric="peak_rss_bytes", baseline="base")


def test_a_pair_is_variant_minus_baseline(build):
    (row,) = _changes(build.pairs((3, "base", F, 100.0), (3, "v", F, 80.0))).iter_rows(named=True)
    assert (row["pair"], row["baseline_value"], row["variant_value"]) == (3, 100, 80)
    assert (row["change"], row["change_share"]) == (-20, pytest.approx(-0.2))


def test_a_killed_run_has_no_change_but_stays(build):
    found = _changes(build.pairs((0, "base", K, 100.0), (0, "v", F, 80.0)))
    assert found.select("baseline_outcome", "change", "change_share").row(0) == ("killed", None, None)


@pytest.mark.parametrize("base", [0.0, -5.0])
def test_a_share_of_nothing_is_not_known(build, base):
    found = _changes(build.pairs((0, "base", F, base), (0, "v", F, 80.0)))
    assert found.select("change", "change_share").row(0) == (80.0 - base, None)


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_a_value_that_is_none_is_not_known(build, value):
    found = _changes(build.pairs((0, "base", F, 5.0), (0, "v", F, value)))
    assert found.select("variant_value", "change").row(0) == (None, None)


def test_runs_without_a_partner_and_other_metrics_are_left_out(build):
    pairs = build.pairs((0, "base", F, 5.0), (1, "base", F, 5.0), (1, "v", F, 4.0), (2, "v", F, 4.0))
    assert _changes(pairs)["pair"].to_list() == [1]
    other = pair_changes(pairs, variant="v", metric="never_printed", baseline="base")
    assert other.select("pair", "change").rows() == [(1, None)]
