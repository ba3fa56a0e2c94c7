"""Where does each stack stand in a picture of who called whom?"""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.profiles.icicle import icicle
from diagtools.analyse.profiles.sites import sites
from tests.analyse.profiles.made import LOAD, MAIN, PACKAGE, READ, profile, profiles

WHOLE = profile(([MAIN], 5), ([MAIN, LOAD], 20), ([MAIN, READ], 70), ([MAIN, READ, PACKAGE], 1), ([LOAD], 4))


def test_children_lie_within_their_parent_the_widest_on_the_left():
    found = icicle(WHOLE, least_share=0.0)
    assert found.select("depth", "name", "left", "right", "self_size", "total_n").rows() == [
        (0, "all", 0, 100, 0, 5),
        (1, "main.py:10 main", 0, 96, 5, 4),
        (1, "data/load.py:20 load", 96, 100, 4, 1),
        (2, "polars/io/csv.py:123 read_csv", 0, 71, 70, 2),
        (2, "data/load.py:20 load", 71, 91, 20, 1),
        (3, "polars/__init__.py:2 <module>", 0, 1, 1, 1),
    ]


def test_what_is_too_narrow_is_left_out_and_nobody_moves():
    wide = icicle(WHOLE, least_share=0.04)
    assert wide["name"].to_list().count("polars/__init__.py:2 <module>") == 0
    assert wide.select("name", "left", "right").rows() == (
        icicle(WHOLE, least_share=0.0).head(5).select("name", "left", "right").rows()
    )


def test_nothing_is_the_root_alone():
    assert icicle(profile()).select("name", "left", "right", "total_n").rows() == [("all", 0, 0, 0)]
    assert icicle(profile(([MAIN], 0))).height == 1


@given(profiles, st.sampled_from([0.0, 0.01, 0.2]))
def test_nodes_lie_within_their_parent_and_none_overlap(whole, least_share):
    found = icicle(whole, least_share=least_share).to_dicts()
    spans = {row["node_id"]: (row["left"], row["right"]) for row in found}
    assert spans[0] == (0, whole.total)
    ends = {}
    for row in sorted(found[1:], key=lambda row: row["left"]):
        left, right = spans[row["parent_id"]]
        assert left <= row["left"] < row["right"] <= right
        assert row["left"] >= ends.get(row["parent_id"], left)
        ends[row["parent_id"]] = row["right"]
        assert row["right"] - row["left"] == row["total_size"] >= least_share * whole.total


@given(profiles)
def test_unpruned_own_parts_sum_to_the_whole_and_are_those_of_the_sites(whole):
    found = icicle(whole, least_share=0.0)
    assert found["self_size"].sum() == whole.total
    by_name = dict(found.group_by("name").agg(pl.col("self_size").sum()).rows())
    for key, size in sites(whole).filter(pl.col("self_size") > 0).select("key", "self_size").rows():
        assert by_name[key] == size
