"""Which places asked for memory, themselves and with all that they called?"""

from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.profiles.sites import sites
from diagtools.profile import Source, Unit, View
from tests.analyse.profiles.made import (
    LOAD,
    LOAD_LATER,
    MAIN,
    PLACES,
    READ,
    by_key,
    held_by,
    profile,
    profiles,
    rows,
)


def test_own_parts_and_totals_of_lines():
    found = sites(profile(([MAIN], 5), ([MAIN, LOAD], 20), ([MAIN, LOAD, READ], 100), ([MAIN, READ], 75)))
    assert by_key(found, "self_size", "total_size", "self_n", "total_n", "share") == {
        "polars/io/csv.py:123 read_csv": (175, 175, 2, 2, 0.875),
        "data/load.py:20 load": (20, 120, 1, 2, 0.1),
        "main.py:10 main": (5, 200, 1, 4, 0.025),
    }
    assert found["key"].to_list()[0] == "polars/io/csv.py:123 read_csv"
    assert found.select("function", "line", "module", "package", "origin", "unit").row(0) == (
        ("read_csv", 123, "polars.io.csv", "polars", "third-party", "bytes")
    )


def test_a_stack_counts_once_for_a_place_that_stands_in_it_twice():
    found = sites(profile(([MAIN, LOAD, MAIN, LOAD], 100), ([MAIN, LOAD], 10)))
    assert by_key(found, "self_size", "total_size") == {
        "data/load.py:20 load": (110, 110),
        "main.py:10 main": (0, 110),
    }


def test_two_lines_of_a_function_are_one_function_even_below_each_other():
    found = sites(profile(([LOAD, LOAD_LATER], 100), ([LOAD], 10)), "function")
    assert by_key(found, "self_size", "total_size", "line") == {"load.py load": (110, 110, None)}


def test_modules_and_packages_have_no_function():
    whole = profile(([MAIN, LOAD], 20), ([MAIN, READ], 75))
    assert by_key(sites(whole, "module"), "self_size", "function", "line", "file")["polars.io.csv"] == (
        (75, None, None, READ[1])
    )
    assert by_key(sites(whole, "package"), "self_size", "function", "file", "module") == {
        "polars": (75, None, None, None),
        "data": (20, None, None, None),
        "main": (0, None, None, None),
    }


def test_statistics_of_calls_have_no_totals():
    timed = profile(([MAIN, LOAD], 20), source=Source.PSTATS, view=View.CPU, unit=Unit.NS)
    assert by_key(sites(timed), "self_size", "total_size", "total_n", "unit") == {
        "data/load.py:20 load": (20, None, None, "ns"),
        "main.py:10 main": (0, None, None, "ns"),
    }


def test_only_one_origin_is_asked_for():
    whole = profile(([MAIN, LOAD], 20), ([MAIN, READ], 75))
    assert sites(whole, origin="third-party")["self_size"].to_list() == [75]


def test_a_recursion_of_a_thousand_levels():
    found = sites(profile(([MAIN, *[LOAD, LOAD_LATER] * 1500], 7), ([MAIN], 1)), "function")
    assert by_key(found, "self_size", "total_size") == {"data/load.py load": (7, 7), "main.py main": (1, 8)}


def test_nothing_asked_for_is_no_rows():
    assert sites(profile()).is_empty()


def test_of_nothing_there_is_no_share():
    assert sites(profile(([MAIN], 0)))["share"].to_list() == [None]


@given(profiles, st.sampled_from(["line", "function", "module", "package"]))
def test_own_parts_sum_to_the_whole_and_totals_lie_between(whole, by):
    found = sites(whole, by)
    assert found["self_size"].sum() == whole.total
    assert found["self_size"].null_count() == 0
    assert ((found["self_size"] <= found["total_size"]) & (found["total_size"] <= whole.total)).all()
    assert found["key"].is_unique().all()


@given(made=rows)
def test_a_line_s_total_is_all_stacks_that_it_stands_in(made):
    found = sites(profile(*made))
    totals = {(row["function"], row["file"], row["line"]): row["total_size"] for row in found.to_dicts()}
    for place in PLACES:
        assert totals.get(place, 0) == held_by(made, place)
