"""Who is charged with a change of memory when several items of one process are in flight?"""

import pytest

from diagtools.analyse.levels import levels
from diagtools.analyse.sharing import shared_out
from diagtools.analyse.spans import Span


def _span(begin_s, end_s, tid=1, index=0, parent=None):
    return Span(
        name="x",
        index=index,
        parent=parent,
        pid=1,
        tid=tid,
        begin_s=begin_s,
        end_s=end_s,
        status="ok",
        error=None,
        features={},
    )


def _parts(build, samples, *spans):
    return shared_out(spans, levels(build.timeline(*samples), build.markers())[1])


@pytest.mark.parametrize(
    ("change", "parts"), [(7, [3, 2, 2]), (-7, [-2, -2, -3]), (6, [2, 2, 2]), (1, [1, 0, 0])]
)
def test_parts_are_integers_that_differ_by_at_most_one(build, change, parts):
    spans = [_span(0.0, 1.0, tid) for tid in (1, 2, 3)]
    assert _parts(build, [(0.0, 100), (1.0, 100 + change)], *spans) == parts


def test_an_item_without_a_length_is_charged_with_nothing(build):
    assert _parts(build, [(0.0, 100), (1.0, 200)], _span(0.5, 0.5)) == [0]


def test_of_two_that_begin_together_the_longer_is_the_outer(build):
    samples = [(0.0, 100), (1.0, 110), (2.0, 150)]
    assert _parts(build, samples, _span(0.0, 1.0), _span(0.0, 2.0)) == [10, 40]


def test_three_deep_and_back(build):
    samples = [(float(t), 2**t) for t in range(6)]
    assert _parts(build, samples, _span(0.0, 5.0), _span(1.0, 4.0), _span(2.0, 3.0)) == [1 + 16, 2 + 8, 4]


def test_tasks_that_take_turns_in_one_thread_share(build):
    """The second lies within the first in time, and not in its context."""
    samples = [(float(t), level) for t, level in enumerate((100, 110, 250, 250))]
    first, second = (0.0, 3.0), (1.0, 2.0)
    assert _parts(build, samples, _span(*first, index=1, parent=0), _span(*second, index=2, parent=0)) == [
        80,
        70,
    ]
    assert _parts(build, samples, _span(*first, index=1, parent=0), _span(*second, index=2, parent=1)) == [
        10,
        140,
    ]
    assert _parts(build, samples, _span(*first, index=1), _span(*second, index=2)) == [10, 140]


def test_within_is_told_through_an_item_that_has_ended(build):
    samples = [(float(t), level) for t, level in enumerate((100, 100, 100, 130, 130))]
    outer = _span(0.0, 4.0, index=1, parent=0)
    ended = _span(0.5, 1.0, index=2, parent=1)
    inner = _span(2.0, 3.0, index=3, parent=2)
    assert _parts(build, samples, outer, ended, inner) == [0, 0, 30]


def test_nothing_is_shared_out_among_no_items(build):
    assert _parts(build, [(0.0, 100)]) == []
