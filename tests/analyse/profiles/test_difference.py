"""What grew, where, and how sure is it?"""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagtools.analyse.profiles.difference import difference
from diagtools.errors import UsageError
from diagtools.profile import Unit, View
from tests.analyse.profiles.made import FEW, LOAD, MAIN, PACKAGE, READ, by_key, profile, profiles

BEFORE = profile(([MAIN], 10), ([MAIN, READ], 40), ([LOAD], 5))
AFTER = profile(([MAIN], 10), ([MAIN, READ], 160), ([PACKAGE], 2), view=View.PEAK)


def test_what_changed_the_largest_first():
    found = difference([BEFORE], [AFTER])
    assert found.frame.select(
        "key", "before_size", "after_size", "delta_size", "before_n", "after_n"
    ).rows() == [
        ("polars/io/csv.py:123 read_csv", 40, 160, 120, 1, 1),
        ("data/load.py:20 load", 5, 0, -5, 1, 0),
        ("polars/__init__.py:2 <module>", 0, 2, 2, 0, 1),
    ]
    assert found.frame["certainty"].unique().to_list() == ["one run each"]
    assert found.frame.select("low_size", "high_size").null_count().row(0) == (3, 3)
    assert (found.before_total, found.after_total, found.delta) == (55, 172, 117)


def test_by_package():
    assert by_key(
        difference([BEFORE], [AFTER], "package").frame, "delta_size", "function", "file", "line_after"
    ) == {
        "polars": (122, None, None, None),
        "data": (-5, None, None, None),
    }


def test_a_function_that_moved_did_not_change():
    moved = profile(([("main", MAIN[1], 17)], 10), ([("main", MAIN[1], 17), READ], 40), ([LOAD], 5))
    assert difference([BEFORE], [moved]).frame.is_empty()


def test_the_key_has_the_line_as_it_is_now():
    moved = profile(([("main", MAIN[1], 17)], 11), ([LOAD], 5))
    row = difference([BEFORE], [moved]).frame.filter(pl.col("function") == "main")
    assert row.select("key", "line_before", "line_after", "delta_size").row(0) == (
        "main.py:17 main",
        10,
        17,
        1,
    )


def test_the_run_of_the_median_stands_for_its_side_and_the_others_tell_the_noise():
    before = [profile(([MAIN], size), ([LOAD], 7)) for size in (100, 90, 110)]
    after = [profile(([MAIN], size), ([LOAD], load)) for size, load in ((300, 8), (310, 6), (290, 7))]
    found = difference(before, after)
    assert found.frame.select(
        "function", "before_size", "after_size", "low_size", "high_size", "certainty"
    ).rows() == [
        ("main", 100, 300, 180, 220, "certain"),
        ("load", 7, 8, -1, 1, "within noise"),
    ]
    assert (found.n_before, found.n_after, found.delta) == (3, 3, 201)


def test_a_run_without_a_place_has_none_of_it():
    after = [profile(([MAIN], 100), ([LOAD], 9)), profile(([MAIN], 100))]
    found = difference([profile(([MAIN], 100))] * 2, [after[0], after[1], after[0]])
    assert found.frame.select("function", "low_size", "high_size", "certainty").rows() == [
        ("load", 0, 9, "within noise")
    ]


def test_units_are_not_mixed_and_sides_not_empty():
    timed = profile(([MAIN], 10), unit=Unit.NS, view=View.CPU)
    with pytest.raises(UsageError, match="bytes and ns cannot be compared"):
        difference([BEFORE], [timed])
    with pytest.raises(UsageError, match="at least one run"):
        difference([], [AFTER])


def test_two_programs_are_told_apart():
    other = profile(([("other", "/opt/other.py", 1)], 10), ([("more", "/opt/more.py", 1)], 10))
    found = difference([BEFORE], [other])
    assert (found.matched_share, found.is_one_program) == (0.0, False)
    assert "hardly one program" in found.doubts[0]
    assert difference([BEFORE], [AFTER]).is_one_program


def test_other_views_are_said():
    found = difference([BEFORE], [profile(([MAIN], 10), view=View.LEAKED)])
    assert found.doubts == ("The views differ: peak before, leaked after.",)


_by = st.sampled_from(["line", "function", "module", "package"])
_sides = st.lists(profiles, min_size=1, max_size=3)


@given(profiles, _by)
def test_a_capture_and_itself_do_not_differ(whole, by):
    found = difference([whole], [whole], by)
    assert found.frame.is_empty()
    assert found.delta == 0


@settings(max_examples=FEW)
@given(_sides, _sides, _by)
def test_the_rows_sum_to_the_change_of_the_total(before, after, by):
    found = difference(before, after, by)
    assert found.frame["delta_size"].sum() == found.delta
    assert (found.frame["delta_size"] == found.frame["after_size"] - found.frame["before_size"]).all()
    assert found.frame["key"].is_unique().all()


@settings(max_examples=FEW)
@given(_sides, _sides, _by)
def test_sides_exchanged_all_signs_are(before, after, by):
    there = difference(before, after, by).frame
    back = difference(after, before, by).frame.select(
        "function",
        "module",
        "package",
        "origin",
        "certainty",
        line_before="line_after",
        line_after="line_before",
        before_size="after_size",
        after_size="before_size",
        before_n="after_n",
        after_n="before_n",
        delta_size=-pl.col("delta_size"),
        low_size=-pl.col("high_size"),
        high_size=-pl.col("low_size"),
    )
    assert set(there.select(back.columns).rows()) == set(back.rows())
    assert there["delta_size"].abs().to_list() == back["delta_size"].abs().to_list()


@settings(max_examples=FEW)
@given(_sides, _sides)
def test_the_change_lies_in_its_range(before, after):
    found = difference(before, after).frame.drop_nulls("low_size")
    assert ((found["low_size"] <= found["delta_size"]) & (found["delta_size"] <= found["high_size"])).all()
