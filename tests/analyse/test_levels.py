"""How much memory did one process hold at a time, and at most between two times?"""

import pytest

from diagtools.analyse.levels import levels


def _sampled(build, *rows, markers=()):
    return levels(build.timeline(*rows), build.markers(*markers))[1]


def _marked(build, *rows):
    return _sampled(build, *({"t_s": t, "rss_bytes": rss, "hwm_bytes": hwm} for t, rss, hwm in rows))


@pytest.mark.parametrize(
    ("t_s", "level"), [(0.0, 10), (1.0, 10), (1.5, 10), (2.0, 20), (2.9, 20), (3.0, 30), (99.0, 30)]
)
def test_a_level_is_the_last_sample_or_else_the_first(build, t_s, level):
    process = _sampled(build, (3.0, 30), (1.0, 10), (2.0, 20))
    assert process.at(t_s) == level


def test_each_process_has_its_own_and_zeros_are_dropped(build):
    timeline = build.timeline((1.0, 10, 1), (1.0, 70, 2), (2.0, 0, 1), (2.0, 0, 3))
    found = levels(timeline, build.markers())
    assert set(found) == {1, 2}
    assert found[1].last_s == 1.0


def test_what_a_marker_read_is_a_level_too(build):
    begin, end = (
        (t_s, edge, "a", 0, {"rss_bytes": rss}) for t_s, edge, rss in ((1.5, "begin", 7), (2.5, "end", 70))
    )
    process = _sampled(build, (1.0, 50), (2.0, 20), (3.0, 30), markers=(begin, end))
    assert [process.at(t_s) for t_s in (1.4, 1.5, 1.9, 2.0, 2.5, 3.0)] == [50, 7, 7, 20, 70, 30]
    assert process.highest(1.5, 2.5) == 70
    assert process.highest(1.1, 1.9) is None  # what happened between two samples is not known of the marker


def test_a_level_from_before_something_ended_is_none(build):
    process = _sampled(build, (1.0, 50), (2.0, 20))
    assert process.at_begin(1.7, 1.5) is None
    assert process.at_begin(2.0, 1.5) == 20
    assert process.at_begin(1.7, None) == 50


def test_the_highest_is_of_what_was_seen_within(build):
    process = _sampled(build, (1.0, 50), (2.0, 20), (3.0, 30), (4.0, 90))
    assert process.highest(1.5, 3.0) == 30
    assert process.highest(1.0, 3.5) == 50


def test_the_highest_is_unknown_where_no_sample_fell_within(build):
    process = _sampled(build, (1.0, 50), (2.0, 20))
    assert process.highest(1.1, 1.9) is None
    assert process.highest(2.5, 9.0) is None


def test_a_mark_that_rose_within_is_a_peak_between_samples(build):
    process = _marked(build, (1.0, 50, 60), (1.2, 50, 60), (1.4, 50, 300), (2.0, 50, 300))
    assert process.highest(1.0, 1.5) == 300


def test_a_mark_from_before_the_begin_is_not_ours(build):
    process = _marked(build, (1.0, 50, 300), (1.2, 50, 300), (1.4, 50, 300))
    assert process.highest(1.0, 1.5) == 50


def test_a_mark_that_may_be_from_before_the_begin_is_not_ours(build):
    """Marks are up to 0.1 s old: this one may have been reached before 1.35."""
    process = _marked(build, (1.0, 50, 60), (1.3, 50, 60), (1.4, 50, 300), (1.5, 50, 300))
    assert process.highest(1.35, 1.5) == 50


def test_unknown_marks_say_nothing(build):
    process = _marked(build, (1.0, 50, None), (1.2, 50, None), (1.4, 55, None))
    assert process.highest(1.0, 1.5) == 55
