"""What of each stack was live in each slice of the time?"""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagtools.analyse.profiles.lifetimes import live_between
from diagtools.analyse.profiles.live_slices import live_slices
from diagtools.errors import UsageError
from tests.analyse.profiles.made import FEW, LOAD, MAIN, READ, lived, lived_profiles

WHOLE = lived(
    ([MAIN], 100, 0, None),
    ([MAIN, READ], 400, 1, 3),
    ([MAIN, LOAD], 50, 2, None),
    ([MAIN, LOAD, READ], 1, 3, 4),
)


def test_a_row_a_stack_and_slice():
    found = live_slices(WHOLE, n_slices=2, least_share=0.0)
    assert found.select(
        "order", "depth", "name", "slice", "begin_s", "end_s", "self_size", "total_size"
    ).rows() == [
        (0, 0, "all", 0, 0.0, 2.0, 0, 300),
        (0, 0, "all", 1, 2.0, 4.0, 0, 350),
        (1, 1, "main.py:10 main", 0, 0.0, 2.0, 100, 300),
        (1, 1, "main.py:10 main", 1, 2.0, 4.0, 100, 350),
        (2, 2, "polars/io/csv.py:123 read_csv", 0, 0.0, 2.0, 200, 200),
        (2, 2, "polars/io/csv.py:123 read_csv", 1, 2.0, 4.0, 200, 200),
        (3, 2, "data/load.py:20 load", 0, 0.0, 2.0, 0, 0),
        (3, 2, "data/load.py:20 load", 1, 2.0, 4.0, 50, 50),
    ]  # half a byte is rounded to even: none


def test_what_is_left_out_is_in_the_own_part_above_it():
    found = live_slices(WHOLE, n_slices=2, least_share=0.3)
    assert found.select("name", "slice", "self_size", "is_cut").rows() == [
        ("all", 0, 0, False),
        ("all", 1, 0, False),
        ("main.py:10 main", 0, 100, True),
        ("main.py:10 main", 1, 150, True),
        ("polars/io/csv.py:123 read_csv", 0, 200, False),
        ("polars/io/csv.py:123 read_csv", 1, 200, False),
    ]


def test_one_snapshot_is_a_second():
    found = live_slices(lived(([MAIN], 100, 7, None)), n_slices=2)
    assert found.select("name", "begin_s", "end_s", "total_size").rows() == [
        ("all", 7.0, 7.5, 100),
        ("all", 7.5, 8.0, 100),
        ("main.py:10 main", 7.0, 7.5, 100),
        ("main.py:10 main", 7.5, 8.0, 100),
    ]


def test_nothing_lived_is_the_root_alone():
    assert live_slices(lived(), n_slices=1).select("name", "total_size").rows() == [("all", 0)]


def test_no_slices_are_refused():
    with pytest.raises(UsageError, match="0 slices"):
        live_slices(WHOLE, n_slices=0)


@settings(max_examples=FEW)
@given(lived_profiles, st.integers(1, 5), st.sampled_from([0.0, 0.05, 0.4]))
def test_own_parts_and_children_sum_to_the_total_in_each_slice(whole, n_slices, least_share):
    found = live_slices(whole, n_slices=n_slices, least_share=least_share)
    for (_,), rows in found.group_by("slice"):
        above = []
        below = {}
        for row in rows.sort("order").to_dicts():
            del above[row["depth"] :]
            if above:
                below[above[-1]] = below.get(above[-1], 0) + row["total_size"]
            above.append(row["node_id"])
        for row in rows.to_dicts():
            assert row["self_size"] >= 0
            assert row["total_size"] == row["self_size"] + below.get(row["node_id"], 0)
        assert rows["self_size"].sum() == rows.filter(pl.col("order") == 0)["total_size"].item()


@given(lived_profiles, st.integers(1, 5))
def test_the_whole_of_a_slice_is_what_lived_then_on_average(whole, n_slices):
    for row in live_slices(whole, n_slices=n_slices).filter(pl.col("order") == 0).to_dicts():
        mean = live_between(whole, row["begin_s"], row["end_s"], "mean").total
        assert abs(row["total_size"] - mean) <= whole.stacks.height
