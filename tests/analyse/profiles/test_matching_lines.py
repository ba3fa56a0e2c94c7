"""Which line is which, when only their order is known?"""

from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from diagtools.analyse.profiles.matching_lines import aligned


@pytest.mark.parametrize(
    ("before", "after", "pairs"),
    [
        ([], [], []),
        ([10], [], []),
        ([12], [10, 12], [(12, 12)]),
        ([2, 6, 10], [6, 10, 14], [(2, 6), (6, 10), (10, 14)]),  # all moved, though two numbers are in both
        ([2, 6], [2, 10], [(2, 2), (6, 10)]),  # one left on either side
        ([2, 6], [2, 9, 10], [(2, 2)]),  # nobody knows which
        ([2, 4, 6, 8], [2, 4, 6, 10, 12], [(2, 2), (4, 4), (6, 10), (8, 12)]),  # 6 is new
        ([1, 5, 9, 30, 40], [1, 5, 9, 27, 37], [(1, 1), (5, 5), (9, 9), (30, 27), (40, 37)]),
        ([10, 20, 31], [11, 23, 36], [(10, 11), (20, 23), (31, 36)]),  # no shift at all: in their order
        ([10, 20, 30], [30, 10_000], [(30, 30)]),
    ],
)
def test_by_hand(before, after, pairs):
    assert aligned(before, after) == pairs
    assert aligned(after, before) == [(right, left) for left, right in pairs]


_lines = st.lists(st.integers(1, 25), max_size=9, unique=True).map(sorted)


@given(_lines, _lines)
def test_pairs_are_in_order_and_exchange_with_the_sides(before, after):
    pairs = aligned(before, after)
    assert [(right, left) for left, right in pairs] == aligned(after, before)
    for side, lines in ((0, before), (1, after)):
        of_side = [pair[side] for pair in pairs]
        assert of_side == sorted(set(of_side) & set(lines))


@given(_lines)
def test_a_file_is_itself(lines):
    assert aligned(lines, lines) == [(line, line) for line in lines]


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.lists(st.integers(1, 400), min_size=1, max_size=5)),
        min_size=1,
        max_size=4,
    )
)
def test_a_file_with_lines_inserted_at_places_is_found_line_by_line(pieces):
    """Each piece is what was inserted above it, and the steps from line to line in it."""
    before, after, shifts = [], [], []
    line = shift = 0
    for inserted, steps in pieces:
        shift += inserted if before else 0
        for step in steps:
            line += step
            before.append(line)
            after.append(line + shift)
            shifts.append(shift)
    assume(_only_these_meet(before, after, Counter(shifts)))
    assert aligned(before, after) == list(zip(before, after, strict=True))


def _only_these_meet(before, after, shifts):
    """Do no other lines happen to stand as far from each other, twice?"""
    met = Counter(new - old for old in before for new in after)
    return all(n == shifts[shift] if shift in shifts else n == 1 for shift, n in met.items())
