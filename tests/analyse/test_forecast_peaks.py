"""Which peaks does a forecast go by, where items were too short for a sample?"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.forecast_peaks import peaks_of

levels = st.none() | st.integers(0, 2**40)


def test_where_most_items_were_sampled_the_others_are_left_out() -> None:
    sampled = [*range(100, 120), None]
    found = peaks_of(sampled, [*range(90, 110), 77])
    assert found.fitted == sampled
    assert found.seen == [*range(100, 120), 77]
    assert (found.read_by, found.n_sampled, found.n_by_markers) == ("samples", 20, 0)


def test_where_few_were_the_others_ask_for_as_much_as_these_usually() -> None:
    """Beyond what they hold the sampled ones asked for 5, 7 and 900: the median is 7."""
    found = peaks_of([105, 107, 1000, None, None, None, None], [100, 100, 100, 110, 120, None, 130])
    assert found.fitted == [105, 107, 1000, 117, 127, None, 137]
    assert found.seen == [105, 107, 1000, 110, 120, None, 130]
    assert (found.read_by, found.asked_bytes) == ("markers and samples", 7)


def test_where_none_was_markers_say_what_there_was_at_least() -> None:
    found = peaks_of([None] * 3, [1, 2, 3])
    assert (found.fitted, found.read_by, found.asked_bytes) == ([1, 2, 3], "markers", None)


def test_enough_items_have_to_be_sampled_for_a_forecast() -> None:
    """8 of 14 are most of them, and too few to show a trend."""
    assert peaks_of([9] * 8 + [None] * 6, [9] * 14).fitted == [9] * 14


def test_where_nobody_looked_nothing_is_known() -> None:
    assert peaks_of([None, None], [None, None]).fitted == [None, None]
    assert peaks_of([], []).read_by == ""


@given(st.lists(st.tuples(levels, levels), max_size=60))
def test_nothing_that_was_seen_is_lost_and_nothing_is_made_up(
    pairs: list[tuple[int | None, int | None]],
) -> None:
    sampled, read = [one for one, _ in pairs], [one for _, one in pairs]
    found = peaks_of(sampled, read)
    for at, pair in enumerate(pairs):
        known = [one for one in pair if one is not None]
        assert found.seen[at] == max(known, default=None)
        assert found.fitted[at] is None or (known and found.fitted[at] >= max(known))
        assert sampled[at] is None or found.fitted[at] == found.seen[at]
    assert found.n_sampled + found.n_by_markers == sum(one is not None for one in found.fitted)
