"""Who holds whom: against a plain definition, on graphs of every shape."""

from __future__ import annotations

from collections.abc import Iterable

import networkx
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.holders import nearest_common as climbing
from diagtools.analyse.holders.reach import HIDDEN, KNOWN, N_SOURCES, OURS, Starts
from diagtools.analyse.holders.semi_nca import dominators
from diagtools.analyse.holders.tree import Tree, tree, tree_of
from tests.analyse.holders.made import graph, node

Edges = list[tuple[int, int]]


def ints(values: Iterable[int]) -> pl.Series:
    return pl.Series(list(values), dtype=pl.Int64)


def grown(n: int, edges: Edges, known: list[int], ours: list[int] | None = None) -> Tree:
    held = {target for _, target in edges} | set(known) | set(ours or [])
    starts = Starts(
        known=ints(known),
        hidden=ints(each for each in range(n) if each not in held),
        ours=ints(ours or []),
        excess=ints([0] * n),
    )
    frame = pl.DataFrame({"source": ints(a for a, _ in edges), "target": ints(b for _, b in edges)})
    return tree(n, frame, starts)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, Edges, list[int]]:
    n = draw(st.integers(1, 25))
    nodes = st.integers(0, n - 1)
    edges = draw(st.sets(st.tuples(nodes, nodes).filter(lambda pair: pair[0] != pair[1]), max_size=50))
    return n, sorted(edges), draw(st.lists(nodes, min_size=1, max_size=3, unique=True))


@given(graphs(), st.sampled_from([0, 1, 64]))
def test_the_tree_is_that_of_a_plain_algorithm(made: tuple[int, Edges, list[int]], steps: int) -> None:
    n, edges, known = made
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(climbing, "_MOST_STEPS", steps)
        found = grown(n, edges, known)
    plain = networkx.DiGraph(list(found.edges.iter_rows()))
    wanted = networkx.immediate_dominators(plain, found.root)
    above = found.above.to_list()

    assert {each: above[each] for each in range(n + N_SOURCES)} == {
        each: wanted[each] for each in range(n + N_SOURCES)
    }
    depth = found.depth.to_list()
    assert all(depth[each] == depth[above[each]] + 1 for each in range(n + N_SOURCES))


@given(graphs(), st.data())
def test_what_hangs_on_the_root_is_the_whole(made: tuple[int, Edges, list[int]], data: st.DataObject) -> None:
    n, edges, known = made
    sizes = ints(data.draw(st.lists(st.integers(0, 99), min_size=n, max_size=n)))
    found = grown(n, edges, known)
    sums = found.sums(sizes)

    assert sums[found.root] == sizes.sum()
    below = [
        sum(sums[each] for each in range(len(sums)) if found.above[each] == up != each) for up in range(n)
    ]
    assert [sums[each] - sizes[each] for each in range(n)] == below


@given(graphs(), st.data())
def test_nearest_and_outermost_are_those_of_a_walk_up(
    made: tuple[int, Edges, list[int]], data: st.DataObject
) -> None:
    n, edges, known = made
    found = grown(n, edges, known)
    kinds = data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)) + [-1] * (N_SOURCES + 1)
    chosen = [kind == 0 for kind in kinds]
    above = found.above.to_list()

    def up(each: int) -> list[int]:
        path = [each]
        while above[path[-1]] != path[-1]:
            path.append(above[path[-1]])
        return path

    nearest, outermost = found.nearest(pl.Series(chosen)).to_list(), found.is_outermost(ints(kinds)).to_list()
    for each in range(n):
        assert nearest[each] == next((one for one in up(each) if chosen[one]), found.root)
        assert outermost[each] == all(kinds[one] != kinds[each] for one in up(each)[1:])


def test_semi_nca_on_a_loop_with_two_ways_in() -> None:
    edges = pl.DataFrame({"from": [0, 0, 1, 2, 2], "to": [1, 2, 2, 1, 3]})
    order, above = dominators(4, edges, 0)
    assert {order[at]: order[above[at]] for at in range(1, 4)} == {1: 0, 2: 0, 3: 2}


def test_a_long_chain_is_walked_without_recursion() -> None:
    n = 5_000
    found = grown(n, [(each, each + 1) for each in range(n - 1)] + [(n - 1, 0)], [0])
    assert found.depth[n - 1] == n + 1
    assert found.sums(ints([1] * n))[0] == n


def test_sources_stand_in_their_order() -> None:
    # 0 is known, 1 nobody's, 2 ours; 3 is below all of them, 4 and 5 hold each other, 6 is below ours alone.
    found = grown(7, [(0, 3), (1, 3), (2, 3), (4, 5), (5, 4), (2, 6)], [0], [2])
    assert found.source_of.to_list()[:7] == [KNOWN, HIDDEN, OURS, KNOWN, 3, 3, OURS]
    assert found.above.to_list()[:3] == [7 + KNOWN, 7 + HIDDEN, 7 + OURS]
    assert found.above[3] == found.root  # C code holds it too; ours does not count
    assert found.above[6] == 2


def test_what_ours_refers_to_belongs_to_the_program() -> None:
    edges = "da oa ob ao"
    held = tree_of(graph(edges, types={"o": "diagtools.probes.holders.Snapshots"}))
    assert held.source_of[node(edges, "a")] == KNOWN
    assert held.source_of[node(edges, "b")] == OURS
    assert held.above[node(edges, "a")] == node(edges, "d")
