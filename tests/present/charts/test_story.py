"""What a curve says, in words."""

from __future__ import annotations

from diagtools.present.charts.story import Point, Story
from diagtools.values import Cause, Death, Grade

MIB = 2**20


def story_of(tree, items=None, limit=None, death=None, item=None) -> Story:
    return Story.of(tree, items=items, limit_bytes=limit, death=death, item_in_flight=item)


def test_peak_and_last_point(tree_of) -> None:
    story = story_of(tree_of(1, 9, 9, 4))
    assert story.peak == Point(t_s=1.0, rss_bytes=9 * MIB)
    assert story.last == Point(t_s=3.0, rss_bytes=4 * MIB)


def test_the_level_at_which_the_item_in_flight_began(tree_of, items_of) -> None:
    items = items_of(("a", 0.5, 1.4, "ok", 1), ("b", 2.5, None, "in_flight", 9))
    death = Death(cause=Cause.WATCHDOG, grade=Grade.PROVEN, evidence=())
    assert story_of(tree_of(1, 2, 3, 99), items, death=death, item="b").before_the_end() == Point(
        t_s=2.5, rss_bytes=3 * MIB
    )
    assert story_of(tree_of(1, 2), items, death=death, item="not there").before_the_end() is None


def test_an_item_is_named_at_a_time_only_if_it_ran_alone(tree_of, items_of) -> None:
    items = items_of(("a", 0.0, 2.0, "ok", 1), ("b", 1.0, 3.0, "ok", 1))
    story = story_of(tree_of(1, 2), items)
    assert [story.item_at(t) for t in (0.5, 1.5, 2.5, 9.0)] == ["a", None, "b", None]


def test_the_subtitle_counts_items_and_failures(tree_of, items_of) -> None:
    items = items_of(("a", 0.0, 0.2, "ok", 0), ("b", 0.2, 0.4, "failed", 0), ("c", 0.4, 0.6, "timeout", None))
    assert story_of(tree_of(1, 2), items).subtitle() == "3 items, 2 failed (orange) · 2 samples"


def test_the_end_is_the_later_of_death_and_last_sample(tree_of) -> None:
    death = Death(cause=Cause.UNKNOWN, grade=Grade.UNKNOWN, evidence=(), t_s=7.5)
    assert story_of(tree_of(1, 2), death=death).end_s == 7.5
    assert story_of(tree_of(1, 2)).end_s == 1.0
