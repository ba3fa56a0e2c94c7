"""When did each marked stretch of work begin and end?"""

import polars as pl
import pytest

from diagtools import frames
from diagtools.analyse.spans import spans


def _spans(markers, kind="item", last_s=None, processes=None, lossy=()):
    known = frames.PROCESSES.empty() if processes is None else processes
    return spans(markers, kind, processes=known, lossy=lossy, last_s=last_s or {1: 9.0}, end_s=10.0)


def test_begin_notes_and_end_become_one_span(build):
    markers = build.markers(
        (1.0, "begin", "a", 7, {"features": {"size": 5.0, "chunks": 1.0}}),
        (1.5, "note", "a", 7, {"features": {"chunks": 3.0}}),
        (2.0, "end", "a", 7, {"status": "failed", "error": "ValueError: no"}),
    )
    (span,) = _spans(markers)
    assert (span.name, span.index, span.begin_s, span.end_s) == ("a", 7, 1.0, 2.0)
    assert (span.status, span.error) == ("failed", "ValueError: no")
    assert span.features == {"size": 5.0, "chunks": 3.0}


def test_a_span_has_the_memory_that_its_own_markers_read(build):
    markers = build.markers(
        (1.0, "begin", "a", 7, {"rss_bytes": 500}),
        (1.5, "note", "a", 7),
        (2.0, "end", "a", 7, {"rss_bytes": 700}),
        (2.0, "begin", "b", 8, {"rss_bytes": 700}),
        (3.0, "begin", "c", 9),
        (4.0, "end", "c", 9),
    )
    read = [(span.begin_rss_bytes, span.end_rss_bytes) for span in _spans(markers)]
    assert read == [(500, 700), (700, None), (None, None)]


def test_a_program_that_was_executed_is_not_where_its_item_ended(build):
    markers = build.markers(
        (1.0, "begin", "a", 7, {"rss_bytes": 500}), (2.0, "point", "", 0, {"kind": "boot", "rss_bytes": 9})
    )
    (span,) = _spans(markers)
    assert (span.status, span.begin_rss_bytes, span.end_rss_bytes) == ("ok", 500, None)


def test_without_an_end_it_is_in_flight_until_its_process_was_last_seen(build):
    markers = build.markers((1.0, "begin", "a", 0), (2.0, "note", "a", 0), (3.0, "begin", "b", 1, {"pid": 2}))
    a, b = _spans(markers)
    assert (a.status, a.end_s) == ("in_flight", 9.0)
    assert (b.status, b.end_s) == ("in_flight", 10.0)


@pytest.mark.parametrize(
    ("ended_s", "exit_status", "status"),
    [
        (9.1, 0, "ok"),
        (9.1, 1, "in_flight"),
        (9.1, 137, "in_flight"),
        (9.1, None, "in_flight"),  # nobody saw how it ended
        (None, None, "in_flight"),  # it still runs
        (0.5, 0, "in_flight"),  # another process, which had this pid before
    ],
)
def test_without_an_end_it_is_ok_where_its_process_exited_well(build, ended_s, exit_status, status):
    processes = build.processes((2, 9.1, 0), (1, ended_s, exit_status))
    (span,) = _spans(build.markers((1.0, "begin", "a", 0)), processes=processes)
    assert (span.status, span.error, span.end_s) == (status, None, 9.0)


def test_of_a_pid_used_twice_each_process_ends_its_own(build):
    markers = build.markers((1.0, "begin", "a", 0), (5.0, "begin", "b", 1))
    found = _spans(markers, processes=build.processes((1, 2.0, 0), (1, 9.0, 137)))
    assert [(span.name, span.status) for span in found] == [("a", "ok"), ("b", "in_flight")]


def test_a_failed_item_stays_failed_where_its_process_exited_well(build):
    markers = build.markers((1.0, "begin", "a", 0), (2.0, "end", "a", 0, {"status": "failed"}))
    (span,) = _spans(markers, processes=build.processes((1, 9.0, 0)))
    assert (span.status, span.end_s) == ("failed", 2.0)


def test_a_span_begun_after_the_last_sample_has_no_length(build):
    (span,) = _spans(build.markers((5.0, "begin", "a", 0)), last_s={1: 4.0})
    assert span.begin_s == span.end_s == 5.0


def test_the_same_index_in_another_process_is_another_span(build):
    markers = build.markers(
        (1.0, "begin", "a", 0), (1.1, "begin", "b", 0, {"pid": 2}), (2.0, "end", "b", 0, {"pid": 2})
    )
    assert [(span.name, span.status) for span in _spans(markers)] == [("a", "in_flight"), ("b", "ok")]


def test_an_end_in_a_forked_child_does_not_end_its_parents_item(build):
    markers = build.markers((1.0, "begin", "a", 0), (2.0, "end", "a", 0, {"pid": 2}), (3.0, "end", "a", 0))
    (span,) = _spans(markers)
    assert span.end_s == 3.0


def test_a_program_that_executes_another_leaves_its_item(build):
    markers = pl.concat(
        [
            build.markers((1.0, "begin", "old", 1), (3.0, "begin", "new", 5)),
            build.markers((2.0, "point", "", 0), kind="boot"),
            build.markers((2.5, "point", "", 0, {"pid": 2}), kind="boot"),
        ]
    )
    old, new = _spans(markers)
    assert (old.status, old.end_s) == ("ok", 2.0)
    assert (new.status, new.end_s) == ("in_flight", 9.0)


def test_an_end_among_missing_markers_is_unknown_unless_it_is_the_last(build):
    rows = [(1.0, "begin", "a", 1), (2.0, "begin", "b", 2), (3.0, "begin", "c", 3, {"tid": 2})]
    found = _spans(build.markers(*rows), lossy={1})
    assert [(span.name, span.status, span.end_s) for span in found] == [
        ("a", "unknown", 1.0),
        ("b", "in_flight", 9.0),
        ("c", "in_flight", 9.0),
    ]
    assert [span.status for span in _spans(build.markers(*rows), lossy={2})] == ["in_flight"] * 3


def test_a_pid_that_counts_anew_cuts_its_item(build):
    markers = build.markers(
        (1.0, "begin", "old", 0, {"features": {"size": 1.0}}),
        (2.0, "begin", "new", 0, {"features": {"size": 2.0}}),
        (3.0, "end", "new", 0),
    )
    old, new = _spans(markers)
    assert (old.name, old.status, old.end_s, old.features) == ("old", "ok", 2.0, {"size": 1.0})
    assert (new.name, new.status, new.end_s, new.features) == ("new", "ok", 3.0, {"size": 2.0})


@pytest.mark.parametrize("kind", ["phase", "event", "boot"])
def test_other_kinds_are_left_out(build, kind):
    assert _spans(build.markers((1.0, "begin", "a", 0), kind=kind)) == []


def test_points_are_no_spans(build):
    assert _spans(build.markers((1.0, "point", "a", 0))) == []


def test_begin_and_end_at_one_time_are_taken_in_their_order(build):
    markers = build.markers((1.0, "end", "a", 0), (1.0, "begin", "a", 0))
    (span,) = _spans(markers)
    assert (span.status, span.end_s) == ("ok", 1.0)
