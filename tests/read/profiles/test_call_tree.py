"""Equal beginnings of stacks are one, and a parent stands before its children."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools import frames
from diagtools.errors import DamagedError
from diagtools.read.profiles.call_tree import DEEPEST, NO_STACK, CallTree, Place

MAIN: Place = ("main", "/app/run.py", 3)
LOAD: Place = ("load", "/app/io.py", 7)
PARSE: Place = ("parse", "/app/io.py", 9)

places = st.tuples(st.sampled_from("abc"), st.sampled_from(["x.py", "y.py"]), st.integers(0, 2))


def test_a_stack_is_found_again_over_its_parents() -> None:
    tree = CallTree()
    ids = [tree.add([MAIN, LOAD]), tree.add([MAIN, PARSE]), tree.add([MAIN]), tree.add([MAIN, LOAD])]
    assert ids == [1, 2, 0, 1]
    assert tree.stacks().rows() == [(0, None, 0, 0), (1, 0, 1, 1), (2, 0, 1, 2)]
    assert tree.places().rows() == [(0, *MAIN), (1, *LOAD), (2, *PARSE)]


def test_a_record_without_a_stack_is_said_to_have_none() -> None:
    tree = CallTree()
    assert tree.add([]) == tree.add([]) == 0
    assert tree.places().rows() == [(0, *NO_STACK)]


def test_half_a_surrogate_pair_is_shown_and_breaks_nothing() -> None:
    tree = CallTree()
    tree.add([("f\ud800", "/app/\udcff.py", 1)])
    assert tree.places().row(0) == (0, "f?", "/app/?.py", 1)


def test_a_stack_without_an_end_is_refused() -> None:
    with pytest.raises(DamagedError, match="deeper than 20,000 frames"):
        CallTree().add([MAIN] * (DEEPEST + 1))


@given(st.lists(st.lists(places, max_size=6), max_size=20))
def test_every_stack_comes_out_as_it_went_in(stacks: list[list[Place]]) -> None:
    tree = CallTree()
    ids = [tree.add(stack) for stack in stacks]
    nodes = {row[0]: row for row in frames.STACKS.check(tree.stacks()).rows()}
    known = {row[0]: row[1:] for row in tree.places().rows()}
    for stack, stack_id in zip(stacks, ids, strict=True):
        found: list[Place] = []
        at: int | None = stack_id
        while at is not None:
            _, parent, depth, location = nodes[at]
            assert parent is None or (parent < at and nodes[parent][2] == depth - 1)
            found.append(known[location])
            at = parent
        assert found[::-1] == (stack or [NO_STACK])
    paths = {(row[1], row[3]) for row in nodes.values()}
    assert len(paths) == len(nodes), "no path stands there twice"
