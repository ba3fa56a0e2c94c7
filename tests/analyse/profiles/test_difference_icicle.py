"""Where in the tree of calls did two captures part?"""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagtools.analyse.profiles.difference_icicle import difference_icicle
from diagtools.errors import UsageError
from diagtools.profile import Unit
from tests.analyse.profiles.made import FEW, LOAD, MAIN, READ, profile, profiles


def test_as_wide_as_the_larger_side_of_each_own_part():
    before = profile(([MAIN], 10), ([MAIN, READ], 40), ([MAIN, LOAD], 30))
    after = profile(([MAIN], 10), ([MAIN, READ], 10), ([MAIN, LOAD], 70), ([LOAD], 5))
    found = difference_icicle(before, after, least_share=0.0)
    assert found.select(
        "depth", "name", "left", "right", "before_size", "after_size", "delta_size"
    ).rows() == [
        (0, "all", 0, 125, 80, 95, 15),
        (1, "main.py:10 main", 0, 120, 80, 90, 10),
        (1, "data/load.py:20 load", 120, 125, 0, 5, 5),
        (2, "data/load.py:20 load", 0, 70, 30, 70, 40),
        (2, "polars/io/csv.py:123 read_csv", 70, 110, 40, 10, -30),
    ]


def test_stacks_whose_lines_moved_are_one():
    moved = (MAIN[0], MAIN[1], MAIN[2] + 5)
    found = difference_icicle(profile(([MAIN, READ], 40)), profile(([moved, READ], 40)))
    assert found.select("name", "delta_size").rows() == [
        ("all", 0),
        ("main.py:15 main", 0),
        ("polars/io/csv.py:123 read_csv", 0),
    ]


def test_units_are_not_mixed():
    with pytest.raises(UsageError, match="cannot be compared"):
        difference_icicle(profile(([MAIN], 1)), profile(([MAIN], 1), unit=Unit.NS))


def test_nothing_on_either_side_is_the_root_alone():
    assert difference_icicle(profile(), profile()).select("name", "left", "right").rows() == [("all", 0, 0)]


@settings(max_examples=FEW)
@given(profiles, profiles, st.sampled_from([0.0, 0.01, 0.2]))
def test_nodes_lie_within_their_parent_and_none_overlap(before, after, least_share):
    found = difference_icicle(before, after, least_share=least_share).to_dicts()
    spans = {row["node_id"]: (row["left"], row["right"]) for row in found}
    assert (found[0]["before_size"], found[0]["after_size"]) == (before.total, after.total)
    ends = {}
    for row in sorted(found[1:], key=lambda row: row["left"]):
        left, right = spans[row["parent_id"]]
        assert left <= row["left"] < row["right"] <= right
        assert row["left"] >= ends.get(row["parent_id"], left)
        assert row["right"] - row["left"] >= max(row["before_size"], row["after_size"])
        assert row["delta_size"] == row["after_size"] - row["before_size"]
        ends[row["parent_id"]] = row["right"]


@settings(max_examples=FEW)
@given(profiles, profiles)
def test_sides_exchanged_all_signs_are(before, after):
    there = difference_icicle(before, after, least_share=0.0).with_columns(
        width=pl.col("right") - pl.col("left")
    )
    back = difference_icicle(after, before, least_share=0.0).with_columns(
        width=pl.col("right") - pl.col("left")
    )
    columns = ("depth", "width", "function", "before_size", "after_size", "delta_size")
    exchanged = [(*row[:3], row[4], row[3], -row[5]) for row in back.select(columns).rows()]
    assert sorted(there.select(columns).rows()) == sorted(exchanged)


@settings(max_examples=FEW)
@given(profiles)
def test_a_capture_and_itself_do_not_differ(whole):
    assert (difference_icicle(whole, whole, least_share=0.0)["delta_size"] == 0).all()
