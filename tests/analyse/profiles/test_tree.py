"""What lies below a node, what led to it, and which nodes have the same path?"""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.profiles.tree import (
    along,
    below,
    lefts,
    nearest,
    path_names,
    rooted,
    topmost,
    under_root,
    walk,
)
from diagtools.errors import DamagedError
from tests.analyse.profiles.made import LOAD, MAIN, profile


@st.composite
def trees(draw):
    """Parents of up to 30 nodes, each before its children."""
    n = draw(st.integers(0, 30))
    return pl.Series(
        "parent",
        [draw(st.none() | st.integers(0, at - 1)) if at else None for at in range(n)],
        dtype=pl.UInt32,
    )


def _ancestors(parents, node):
    """The node itself, then those above it."""
    found = []
    while node is not None:
        found.append(node)
        node = parents[node]
    return found


def _series(values, like):
    return pl.Series([values[at % len(values)] for at in range(len(like))], dtype=pl.Int64)


@given(trees(), st.lists(st.integers(0, 9), min_size=1))
def test_below_is_the_sum_over_all_whose_ancestor_a_node_is(parents, values):
    sizes = _series(values, parents)
    wanted = [0] * len(parents)
    for node in range(len(parents)):
        for above in _ancestors(parents, node):
            wanted[above] += sizes[node]
    assert below(parents, pl.DataFrame({"size": sizes}))["size"].to_list() == wanted


@given(trees(), st.lists(st.integers(0, 9), min_size=1))
def test_along_is_the_sum_over_all_ancestors(parents, values):
    sizes = _series(values, parents)
    wanted = [sum(sizes[above] for above in _ancestors(parents, node)) for node in range(len(parents))]
    assert along(parents, sizes).to_list() == wanted


@given(trees(), st.lists(st.integers(0, 1), min_size=1))
def test_nearest_is_the_first_stop_on_the_way_up(parents, values):
    stops = _series(values, parents).cast(pl.Boolean)
    wanted = [
        next((above for above in _ancestors(parents, node) if stops[above]), None)
        for node in range(len(parents))
    ]
    assert nearest(parents, stops).to_list() == wanted


@given(trees(), st.lists(st.integers(0, 2), min_size=1))
def test_nodes_have_the_same_name_if_and_only_if_their_paths_are_the_same(parents, values):
    labels = _series(values, parents)
    names = path_names(parents, labels).to_list()
    paths = [tuple(labels[above] for above in _ancestors(parents, node)) for node in range(len(parents))]
    assert [names.index(name) for name in names] == [paths.index(path) for path in paths]


@given(trees(), st.lists(st.integers(0, 2), min_size=1))
def test_topmost_has_nobody_of_its_key_above_it(parents, values):
    keys = _series(values, parents)
    wanted = [
        all(keys[above] != keys[node] for above in _ancestors(parents, node)[1:])
        for node in range(len(parents))
    ]
    assert topmost(walk(parents, keys), keys).to_list() == wanted


@given(trees(), st.lists(st.integers(0, 9), min_size=1))
def test_a_walk_meets_each_node_once_and_parents_first(parents, values):
    widths = below(parents, pl.DataFrame({"size": _series(values, parents)}))["size"]
    spans = walk(parents, widths)
    assert sorted(spans["enter"]) == list(range(len(parents)))
    for node in range(len(parents)):
        for above in _ancestors(parents, node):
            assert spans["enter"][above] <= spans["enter"][node] < spans["leave"][above]


@given(trees(), st.lists(st.integers(0, 9), min_size=1))
def test_siblings_lie_side_by_side_the_widest_on_the_left(parents, values):
    widths = below(parents, pl.DataFrame({"size": _series(values, parents)}))["size"]
    left = lefts(parents, widths)
    for parent in {None, *parents.to_list()}:
        children = sorted(
            (left[node], -widths[node], node) for node in range(len(parents)) if parents[node] == parent
        )
        at = 0 if parent is None else left[parent]
        assert [-width for _, width, _ in children] == sorted((-w for _, w, _ in children), reverse=True)
        for begin, width, _ in children:
            assert begin == at
            at -= width


def test_kept_nodes_are_numbered_below_a_root():
    nodes = pl.DataFrame(
        {"node": [0, 1, 2, 3], "parent": [None, 0, 0, 2]}, schema={"node": pl.UInt32, "parent": pl.UInt32}
    )
    small = under_root(nodes, pl.Series([True, False, True, True]))
    assert small.select("node_id", "parent_id", "depth", "node").rows() == [
        (0, None, 0, None),
        (1, 0, 1, 0),
        (2, 1, 2, 2),
        (3, 2, 3, 3),
    ]


def test_the_totals_of_a_tree():
    found = rooted(profile(([MAIN], 5), ([MAIN, LOAD], 20), ([MAIN, LOAD, MAIN], 100)))
    assert found.select("self_size", "self_n", "total_size", "total_n").rows() == [
        (5, 1, 125, 3),
        (20, 1, 120, 2),
        (100, 1, 100, 1),
    ]


def test_an_allocation_without_its_stack_is_not_lost_silently():
    whole = profile(([MAIN], 5), ([MAIN, LOAD], 20))
    cut = type(whole)(
        name="cut",
        source=whole.source,
        view=whole.view,
        unit=whole.unit,
        allocations=whole.allocations,
        stacks=whole.stacks.head(1),
        locations=whole.locations,
    )
    with pytest.raises(DamagedError, match="not in its call tree"):
        rooted(cut)
