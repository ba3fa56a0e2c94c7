"""Who called a place, and what did it call?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.profiles.callers import callees, callers
from diagtools.analyse.profiles.sites import sites
from diagtools.errors import NoDataError
from diagtools.profile import Source, Unit, View
from tests.analyse.profiles.made import LOAD, LOAD_LATER, MAIN, READ, by_key, profile, profiles

WHOLE = profile(([MAIN, LOAD], 20), ([MAIN, LOAD, READ], 100), ([MAIN, READ], 75), ([LOAD], 3))
LOADED = "data/load.py:20 load"


def test_callers_and_what_stands_outermost():
    found = callers(WHOLE, LOADED)
    assert by_key(found, "side", "size", "n_allocations") == {
        "main.py:10 main": ("caller", 120, 2),
        "[outermost]": ("caller", 3, 1),
    }


def test_callees_and_the_own_part():
    assert by_key(callees(WHOLE, LOADED), "side", "size", "n_allocations", "function") == {
        "polars/io/csv.py:123 read_csv": ("callee", 100, 1, "read_csv"),
        LOADED: ("own", 23, 2, "load"),
    }


def test_a_place_below_itself_counts_once():
    whole = profile(([MAIN, LOAD, READ, LOAD], 100), ([MAIN, LOAD, READ], 10))
    assert by_key(callers(whole, LOADED), "size") == {"main.py:10 main": 110}
    assert by_key(callees(whole, LOADED), "side", "size") == {
        LOADED: ("own", 100),
        "polars/io/csv.py:123 read_csv": ("callee", 10),
    }


def test_lines_of_one_function_are_one_place():
    whole = profile(([MAIN, LOAD, LOAD_LATER], 100), ([MAIN, LOAD], 10))
    assert by_key(callers(whole, "data/load.py load", "function"), "size") == {"main.py main": 110}


def test_statistics_of_calls_give_the_own_time_by_caller():
    timed = profile(
        ([MAIN, LOAD], 20), ([LOAD, READ], 70), ([MAIN], 5), source=Source.PSTATS, view=View.CPU, unit=Unit.NS
    )
    assert by_key(callers(timed, LOADED), "size", "unit") == {"main.py:10 main": (20, "ns")}
    assert by_key(callees(timed, LOADED), "size") == {"polars/io/csv.py:123 read_csv": 70, LOADED: 20}


def test_a_place_that_is_not_there_is_not_nothing():
    with pytest.raises(NoDataError, match="no line 'elsewhere'"):
        callers(WHOLE, "elsewhere")


@given(profiles, st.sampled_from(["line", "function", "package"]))
def test_both_sides_sum_to_the_place_s_total(whole, by):
    for place in sites(whole, by).head(2).to_dicts():
        for side in (callers, callees):
            found = side(whole, place["key"], by)
            assert (found["size"].sum(), found["n_allocations"].sum()) == (
                place["total_size"],
                place["total_n"],
            )
