"""What lived when?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.profiles.lifetimes import allocated_within, live_at, live_between
from diagtools.analyse.profiles.sites import sites
from diagtools.errors import NoDataError, UsageError
from diagtools.profile import View
from tests.analyse.profiles.made import LOAD, MAIN, READ, by_key, lived, lived_profiles, profile

# 0     1     2     3     4
# MAIN  100 for ever
#       READ 400 ....
#             LOAD  50 for ever
WHOLE = lived(([MAIN], 100, 0, None), ([READ], 400, 1, 3), ([LOAD], 50, 2, None))
MAIN_KEY, READ_KEY, LOAD_KEY = "main.py:10 main", "polars/io/csv.py:123 read_csv", "data/load.py:20 load"


def _held(found):
    return by_key(sites(found), "self_size")


@pytest.mark.parametrize(
    ("t_s", "total"), [(-1, 0), (0, 100), (0.5, 100), (1, 500), (2.9, 550), (3, 150), (99, 150)]
)
def test_live_from_the_begin_to_before_the_end(t_s, total):
    found = live_at(WHOLE, t_s)
    assert found.total == total
    assert (found.view, found.allocations["kind"].unique().to_list()) == (
        View.LIVE,
        ["live"] if total else [],
    )


def test_the_fullest_moment_of_a_part():
    assert _held(live_between(WHOLE, 0, 10)) == {READ_KEY: 400, MAIN_KEY: 100, LOAD_KEY: 50}
    assert _held(live_between(WHOLE, 0, 1.5)) == {READ_KEY: 400, MAIN_KEY: 100}
    assert _held(live_between(WHOLE, 3, 10)) == {MAIN_KEY: 100, LOAD_KEY: 50}


def test_on_average_over_a_part():
    assert _held(live_between(WHOLE, 0, 4, "mean")) == {READ_KEY: 200, MAIN_KEY: 100, LOAD_KEY: 25}
    assert live_between(WHOLE, 2, 2, "mean").total == 550


def test_what_was_allocated_in_a_part_and_what_of_it_was_kept():
    assert _held(allocated_within(WHOLE, 0, 3)) == {READ_KEY: 400, LOAD_KEY: 50}
    assert _held(allocated_within(WHOLE, 0, 3, only_kept=True)) == {LOAD_KEY: 50}
    assert _held(allocated_within(WHOLE, 0, 2, only_kept=True)) == {READ_KEY: 400, LOAD_KEY: 50}


def test_a_source_without_time_says_so():
    with pytest.raises(NoDataError, match="does not know when"):
        live_at(profile(([MAIN], 1)), 0)


def test_a_part_begins_before_it_ends():
    with pytest.raises(UsageError, match=r"From 2 s to 1 s"):
        live_between(WHOLE, 2, 1)


def _live(whole, t_s):
    rows = whole.lifetimes.to_dicts()
    return sum(
        row["size"] for row in rows if row["begin_s"] <= t_s and (row["end_s"] is None or t_s < row["end_s"])
    )


@given(lived_profiles, st.integers(0, 9), st.integers(0, 6))
def test_the_fullest_moment_is_the_most_of_all_moments(whole, begin_s, length_s):
    end_s = begin_s + length_s
    most = max(_live(whole, t_s) for t_s in range(begin_s, end_s + 1))  # it changes at whole seconds only
    assert live_between(whole, begin_s, end_s).total == most


@given(lived_profiles, st.integers(0, 9), st.integers(1, 6))
def test_the_mean_is_that_of_all_moments_but_for_rounding(whole, begin_s, length_s):
    mean = sum(_live(whole, begin_s + at) for at in range(length_s)) / length_s
    found = live_between(whole, begin_s, begin_s + length_s, "mean")
    assert abs(found.total - mean) <= 0.5 * found.allocations.height + 1e-6


@given(lived_profiles, st.integers(0, 9), st.integers(0, 6))
def test_what_was_there_what_came_and_what_went_is_what_is_there(whole, begin_s, length_s):
    end_s = begin_s + length_s
    came = allocated_within(whole, begin_s, end_s, only_kept=True).total
    stayed = sum(
        row["size"]
        for row in whole.lifetimes.to_dicts()
        if row["begin_s"] <= begin_s and (row["end_s"] is None or row["end_s"] > end_s)
    )
    assert live_at(whole, end_s).total == stayed + came
