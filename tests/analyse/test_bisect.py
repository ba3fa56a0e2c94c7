"""The search alone: any sequence with one move is found, within log₂ n + 1 experiments."""

from __future__ import annotations

import math
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.bisect import Search, Side, begun, most_experiments, next_release, told


def names(n: int) -> tuple[str, ...]:
    return tuple(f"1.{number}" for number in range(n))


def searched(n: int, side: Callable[[int], Side]) -> Search:
    """The search among n releases, each of which is what ``side`` says."""
    releases = names(n)
    search = begun(releases, side(0), side(n - 1))
    while (release := next_release(search)) is not None:
        search = told(search, release, side(releases.index(release)))
    return search


def steps(search: Search) -> int:
    """The two ends are one experiment."""
    return len(search.sides) - 1


@given(st.integers(2, 300).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n - 1))))
def test_the_one_move_is_found_in_few_experiments(case: tuple[int, int]) -> None:
    n, first = case
    search = searched(n, lambda at: Side.BAD if at >= first else Side.GOOD)
    assert (search.old, search.new, search.left) == (f"1.{first - 1}", f"1.{first}", ())
    assert steps(search) <= most_experiments(n) <= math.ceil(math.log2(n)) + 1


@given(st.integers(2, 100).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n - 1))))
def test_the_first_good_one_is_found_alike(case: tuple[int, int]) -> None:
    n, first = case
    search = searched(n, lambda at: Side.GOOD if at >= first else Side.BAD)
    assert (search.new, search.left) == (f"1.{first}", ())


@given(
    st.integers(3, 60).flatmap(
        lambda n: st.tuples(st.just(n), st.integers(1, n - 1), st.sets(st.integers(1, n - 2)))
    ),
    st.sampled_from([Side.BROKEN, Side.UNCLEAR]),
)
def test_what_is_left_holds_the_truth_where_releases_cannot_be_run(
    case: tuple[int, int, set[int]], passed_over: Side
) -> None:
    n, first, broken = case
    search = searched(n, lambda at: passed_over if at in broken else Side.BAD if at >= first else Side.GOOD)
    assert f"1.{first}" in [*search.left, search.new]
    assert all(int(one.removeprefix("1.")) in broken for one in search.left)
    tried = [release for release, _ in search.sides]
    assert len(tried) == len(set(tried))


def test_sixteen_releases_take_five_experiments() -> None:
    assert most_experiments(16) == 5
    assert (
        max(steps(searched(16, lambda at, k=k: Side.BAD if at >= k else Side.GOOD)) for k in range(1, 16))
        == 5
    )


def test_neighbours_need_no_more_than_their_comparison() -> None:
    search = begun(names(2), Side.GOOD, Side.BAD)
    assert next_release(search) is None
    assert (search.old, search.new, most_experiments(2)) == ("1.0", "1.1", 1)


def test_a_broken_stretch_is_left_quickly() -> None:
    """16 broken ones in the middle of 64, the move before them: a fraction of them is tried."""
    search = searched(64, lambda at: Side.BROKEN if 24 <= at < 40 else Side.BAD if at >= 5 else Side.GOOD)
    assert search.new == "1.5"
    assert sum(side is Side.BROKEN for _, side in search.sides) <= 2


def test_where_it_moves_twice_one_of_the_moves_is_found() -> None:
    search = searched(20, lambda at: Side.BAD if 4 <= at < 8 or at >= 15 else Side.GOOD)
    assert (search.old, search.new) in {("1.3", "1.4"), ("1.14", "1.15")}
