"""How much memory did one process hold at a time, and at most between two times?"""

import pytest

from diagtools.analyse.levels import levels


def _marked(build, *rows):
    return levels(build.timeline(*({"t_s": t, "rss_bytes": rss, "hwm_bytes": hwm} for t, rss, hwm in rows)))[
        1
    ]


@pytest.mark.parametrize(
    ("t_s", "level"), [(0.0, 10), (1.0, 10), (1.5, 10), (2.0, 20), (2.9, 20), (3.0, 30), (99.0, 30)]
)
def test_a_level_is_the_last_sample_or_else_the_first(build, t_s, level):
    process = levels(build.timeline((3.0, 30), (1.0, 10), (2.0, 20)))[1]
    assert process.at(t_s) == level


def test_each_process_has_its_own_and_zeros_are_dropped(build):
    found = levels(build.timeline((1.0, 10, 1), (1.0, 70, 2), (2.0, 0, 1), (2.0, 0, 3)))
    assert set(found) == {1, 2}
    assert found[1].last_s == 1.0


def test_the_highest_counts_the_level_at_the_begin(build):
    process = levels(build.timeline((1.0, 50), (2.0, 20), (3.0, 30), (4.0, 90)))[1]
    assert process.highest(1.5, 3.0) == 50
    assert process.highest(2.0, 3.5) == 30


def test_the_highest_is_unknown_where_no_sample_fell_within(build):
    process = levels(build.timeline((1.0, 50), (2.0, 20)))[1]
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
