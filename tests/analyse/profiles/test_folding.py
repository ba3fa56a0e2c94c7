"""The same profile without frames that nobody asks about, or with a part of its memory only."""

import pytest
from hypothesis import given

from diagtools.analyse.profiles.folding import (
    allocators,
    by_allocator,
    folded,
    held_for,
    only,
    without_mappings,
)
from diagtools.analyse.profiles.icicle import icicle
from diagtools.analyse.profiles.sites import sites
from tests.analyse.profiles.made import (
    EXEC,
    IMPORT,
    LOAD,
    MAIN,
    PACKAGE,
    READ,
    RUNNER,
    by_key,
    lived,
    lived_profiles,
    profile,
    profiles,
)


def _tree(whole):
    """Each stack of a profile as its functions, with what it holds itself."""
    nodes = {0: ()}
    found = {}
    for row in icicle(whole, least_share=0.0).to_dicts()[1:]:
        nodes[row["node_id"]] = (*nodes[row["parent_id"]], row["function"])
        found[nodes[row["node_id"]]] = row["self_size"]
    return found


def test_what_importing_held_goes_to_who_imported():
    whole = profile(
        ([RUNNER, MAIN, IMPORT], 7), ([RUNNER, MAIN, IMPORT, EXEC, PACKAGE], 100), ([RUNNER, MAIN], 3)
    )
    assert _tree(folded(whole)) == {("main",): 10, ("main", "<module>"): 100}


def test_stacks_that_differ_only_in_folded_frames_become_one():
    whole = profile(([MAIN, IMPORT, PACKAGE], 10), ([MAIN, EXEC, PACKAGE], 20), ([MAIN, PACKAGE, READ], 5))
    assert _tree(folded(whole)) == {
        ("main",): 0,
        ("main", "<module>"): 30,
        ("main", "<module>", "read_csv"): 5,
    }
    assert folded(whole).stacks.height == 3


def test_what_has_nobody_above_it_gets_a_root():
    whole = profile(([RUNNER], 7), ([RUNNER, IMPORT], 11), ([IMPORT, MAIN], 3))
    assert _tree(folded(whole)) == {("[runner]",): 7, ("[import system]",): 11, ("main",): 3}


def test_one_role_alone_can_be_folded():
    whole = profile(([RUNNER, MAIN, IMPORT, PACKAGE], 7))
    assert _tree(folded(whole, ["import"])) == {
        ("run_path",): 0,
        ("run_path", "main"): 0,
        ("run_path", "main", "<module>"): 7,
    }


def test_nothing_to_fold_is_the_same_profile():
    whole = profile(([MAIN, LOAD], 7))
    assert folded(whole) is whole


def test_lifetimes_move_with_their_stacks():
    whole = lived(([MAIN, IMPORT], 7, 0, None), ([MAIN], 5, 0, None), ([MAIN, IMPORT], 7, 0, 2))
    moved = folded(whole)
    assert moved.lifetimes.select("stack_id", "size", "n_allocations", "end_s").rows() == [
        (0, 12, 2, None),
        (0, 7, 1, 2.0),
    ]


@given(profiles)
def test_folding_loses_nothing_and_leaves_no_such_frame(whole):
    small = folded(whole)
    assert small.total == whole.total
    assert small.allocations["n_allocations"].sum() == whole.allocations["n_allocations"].sum()
    assert set(small.locations["role"]) <= {""}
    assert sites(small)["self_size"].sum() == whole.total


@given(lived_profiles)
def test_folding_loses_no_lifetime(whole):
    small = folded(whole)
    assert small.lifetimes["size"].sum() == whole.lifetimes["size"].sum()
    assert small.lifetimes["stack_id"].is_in(small.stacks["stack_id"].implode()).all()


@given(profiles)
def test_a_parent_stands_before_its_children_and_one_deeper(whole):
    stacks = folded(whole).stacks
    depths = dict(stacks.select("stack_id", "depth").rows())
    for row in stacks.to_dicts():
        assert row["depth"] == (0 if row["parent_id"] is None else depths[row["parent_id"]] + 1)
        assert row["parent_id"] is None or row["parent_id"] < row["stack_id"]


def test_memory_is_held_for_the_own_line_that_called_the_library():
    whole = profile(([MAIN, READ], 70), ([MAIN, LOAD, READ], 20), ([RUNNER, IMPORT], 3))
    assert by_key(sites(held_for(whole)), "self_size") == {
        "main.py:10 main": 70,
        "data/load.py:20 load": 20,
        "[import system]": 3,
    }


def test_only_the_stacks_a_package_stands_in():
    whole = profile(([MAIN, READ], 70), ([MAIN, PACKAGE, LOAD], 20), ([MAIN], 3))
    assert only(whole, package="polars").total == 90
    assert only(whole, package="nobody").total == 0


def test_allocators_and_mappings_apart():
    whole = profile(([MAIN], 10, "malloc"), ([LOAD], 20, "malloc"), ([MAIN], 70, "mmap"))
    assert allocators(whole).rows() == [
        ("mmap", 70, 1, pytest.approx(0.7), True, "bytes"),
        ("malloc", 30, 2, pytest.approx(0.3), False, "bytes"),
    ]
    assert without_mappings(whole).total == 30
    assert by_allocator(whole, "mmap").total == 70


@given(profiles)
def test_allocators_sum_to_the_whole(whole):
    assert allocators(whole)["size"].sum() == whole.total
