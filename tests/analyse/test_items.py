"""What did each item of work do to memory, and how did it end?"""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools import frames
from diagtools.analyse.contributors import contributors, growth_bytes, unattributed_bytes
from diagtools.analyse.items import item_in_flight, items, phases, success


def _deltas(frame):
    return dict(frame.select("item", "delta_bytes").iter_rows())


def test_items_in_a_row_keep_what_grew_between_their_markers(build):
    timeline = build.timeline((0.0, 100), (1.0, 110), (2.0, 180), (3.0, 150), (4.0, 150))
    markers = build.markers(
        (1.0, "begin", "a", 0), (2.0, "end", "a", 0), (2.0, "begin", "b", 1), (3.5, "end", "b", 1)
    )
    found = items(markers, timeline, end_s=4.0)
    assert _deltas(found) == {"a": 70, "b": -30}
    assert found["peak_bytes"].to_list() == [180, 180]
    assert found["demand_bytes"].to_list() == [70, 0]
    assert unattributed_bytes(found, growth_bytes(timeline, build.markers())) == 10


def test_the_level_before_the_first_sample_is_the_first_sample(build):
    markers = build.markers((0.2, "begin", "a", 0), (2.0, "end", "a", 0))
    assert _deltas(items(markers, build.timeline((1.0, 100), (2.0, 130)), end_s=2.0)) == {"a": 30}


def test_an_item_in_flight_ends_at_the_last_sample_with_memory(build):
    timeline = build.timeline((0.0, 100), (1.0, 100), (2.0, 900), (2.1, 0))
    found = items(build.markers((1.0, "begin", "killer", 0)), timeline, end_s=2.2)
    row = found.row(0, named=True)
    assert (row["status"], row["end_s"]) == ("in_flight", 2.0)
    assert (row["delta_bytes"], row["peak_bytes"], row["demand_bytes"]) == (800, 900, 800)


def test_threads_share_each_stretch_evenly(build):
    """0–1 a alone +30; 1–2 a, b and c +31 (the odd byte to the first); 2–3 b and c −10; 3–4 c +7."""
    timeline = build.timeline((0.0, 100), (1.0, 130), (2.0, 161), (3.0, 151), (4.0, 158))
    markers = build.markers(
        *((t, "begin", name, i, {"tid": i}) for t, name, i in ((0.0, "a", 0), (1.0, "b", 1), (1.0, "c", 2))),
        *((t, "end", name, i, {"tid": i}) for t, name, i in ((2.0, "a", 0), (3.0, "b", 1), (4.0, "c", 2))),
    )
    assert _deltas(items(markers, timeline, end_s=4.0)) == {"a": 30 + 11, "b": 10 - 5, "c": 10 - 5 + 7}


def test_of_nested_items_of_one_thread_the_innermost_is_charged(build):
    timeline = build.timeline((0.0, 100), (1.0, 110), (2.0, 160), (3.0, 163))
    markers = build.markers(
        (0.0, "begin", "outer", 0),
        (1.0, "begin", "inner", 1),
        (2.0, "end", "inner", 1),
        (3.0, "end", "outer", 0),
    )
    found = items(markers, timeline, end_s=3.0)
    assert _deltas(found) == {"outer": 10 + 3, "inner": 50}
    assert found["demand_bytes"].to_list() == [63, 50]


def test_items_that_overlap_in_one_thread_without_nesting_share(build):
    """Tasks of one event loop: a 0–2, b 1–3."""
    timeline = build.timeline((0.0, 100), (1.0, 110), (2.0, 130), (3.0, 135))
    markers = build.markers(
        (0.0, "begin", "a", 0), (1.0, "begin", "b", 1), (2.0, "end", "a", 0), (3.0, "end", "b", 1)
    )
    assert _deltas(items(markers, timeline, end_s=3.0)) == {"a": 10 + 10, "b": 10 + 5}


def test_of_two_in_flight_in_one_thread_the_inner_is_charged(build):
    timeline = build.timeline((0.0, 100), (1.0, 110), (2.0, 500))
    markers = build.markers((0.0, "begin", "batch", 0), (1.0, "begin", "file", 1))
    assert _deltas(items(markers, timeline, end_s=2.0)) == {"batch": 10, "file": 390}


def test_an_item_is_charged_to_its_own_process(build):
    timeline = build.timeline((0.0, 100, 1), (1.0, 900, 1), (0.0, 50, 2), (1.0, 53, 2))
    markers = build.markers((0.0, "begin", "a", 0, {"pid": 2}), (1.0, "end", "a", 0, {"pid": 2}))
    assert _deltas(items(markers, timeline, end_s=1.0)) == {"a": 3}


def test_without_a_sample_of_its_process_nothing_is_known(build):
    found = items(build.markers((0.0, "begin", "a", 0)), build.timeline(), end_s=0.003)
    row = found.row(0, named=True)
    assert (row["delta_bytes"], row["peak_bytes"], row["demand_bytes"]) == (None, None, None)
    assert row["end_s"] == 0.003
    assert unattributed_bytes(found, 0) == 0


def test_between_two_samples_the_demand_is_unknown_and_the_kept_memory_zero(build):
    markers = build.markers((1.2, "begin", "a", 0), (1.3, "end", "a", 0))
    row = items(markers, build.timeline((1.0, 100), (2.0, 200)), end_s=2.0).row(0, named=True)
    assert (row["delta_bytes"], row["peak_bytes"], row["demand_bytes"]) == (0, None, None)


def test_what_markers_read_stands_beside_it_also_without_a_sample(build):
    told = [
        (1.2, "begin", "a", 0, {"rss_bytes": 140}),
        (1.3, "end", "a", 0, {"rss_bytes": 155}),
        (1.4, "begin", "b", 1, {"rss_bytes": 60, "pid": 2}),
        (1.5, "end", "b", 1, {"rss_bytes": 75, "pid": 2}),
        (1.6, "begin", "c", 2),
        (1.7, "end", "c", 2),
    ]
    found = items(build.markers(*told), build.timeline((1.0, 100), (2.0, 200)), end_s=2.0)
    names = ("begin_rss_bytes", "end_rss_bytes", "delta_bytes", "peak_bytes")
    assert found.select(names).rows() == [
        (140, 155, 15, None),
        (60, 75, None, None),
        (None, None, 0, None),
    ]


def test_what_the_item_before_gave_back_is_not_the_next_ones(build):
    """A 0.1–1.105 needs 500 and gives it back; b 1.105–2.1 needs 90: no sample lies between them."""
    timeline = build.timeline((0.0, 100), (0.5, 600), (1.1, 600), (1.11, 190), (1.5, 190), (2.2, 100))
    edges = (("a", 0.1, 1.105), ("b", 1.105, 2.1))
    told = [
        (t_s, edge, name, index, {"rss_bytes": 100})
        for index, (name, *times) in enumerate(edges)
        for t_s, edge in zip(times, ("begin", "end"), strict=True)
    ]
    found = items(build.markers(*told), timeline, end_s=2.2)
    assert found["demand_bytes"].to_list() == [500, 90]
    assert found["delta_bytes"].to_list() == [0, 0]
    silent = items(build.markers(*(row[:4] for row in told)), timeline, end_s=2.2)
    assert silent["demand_bytes"].to_list() == [500, None]
    assert silent["peak_bytes"].to_list() == [600, 190]


def test_an_item_whose_end_is_missing_has_no_figures_and_takes_nothing_from_others(build):
    timeline = build.timeline((0.0, 100), (1.0, 110), (2.0, 180), (3.0, 150))
    markers = build.markers((0.0, "begin", "a", 1), (1.0, "begin", "b", 2), (2.0, "end", "b", 2))
    found = items(markers, timeline, lossy={1}, end_s=3.0)
    assert found.select("status", "delta_bytes", "peak_bytes", "demand_bytes").rows() == [
        ("unknown", None, None, None),
        ("ok", 70, 180, 70),
    ]
    assert success(found).n_unknown == 1


def test_features_are_merged_and_strange_names_kept(build):
    name = "a\nb\t\N{SNOWMAN}"
    markers = build.markers(
        (0.0, "begin", name, 0, {"features": {"size": 2.0}}),
        (1.0, "note", name, 0, {"features": {"size": 3.0}}),
    )
    row = items(markers, build.timeline((0.0, 1)), end_s=1.0).row(0, named=True)
    assert row["item"] == name
    assert row["features"] == [{"name": "size", "value": 3.0}]


def test_no_markers_are_no_items(build):
    assert items(build.markers(), build.timeline((0.0, 1)), end_s=1.0).equals(frames.ITEMS.empty())


def test_a_phase_has_the_peak_of_its_process(build):
    timeline = build.timeline((0.0, 100), (1.0, 400), (2.0, 200), (3.0, 900))
    markers = build.markers(
        (0.0, "begin", "load", 0), (2.0, "end", "load", 0), (2.0, "begin", "embed", 1), kind="phase"
    )
    found = phases(markers, timeline, end_s=3.0)
    assert found.select("phase", "status", "end_s", "peak_bytes").rows() == [
        ("load", "ok", 2.0, 400),
        ("embed", "in_flight", 3.0, 900),
    ]


def test_success_counts_every_status(build):
    rows = [{"item": "x", "status": status} for status in ("ok", "ok", "failed", "timeout", "in_flight")]
    counts = success(build.items(*rows))
    assert (counts.n_items, counts.n_ok, counts.n_failed, counts.n_timeout, counts.n_in_flight) == (
        5,
        2,
        1,
        1,
        1,
    )
    assert counts.share_ok == pytest.approx(0.4)
    assert success(build.items()).share_ok is None


def test_of_several_in_flight_the_one_begun_last_is_named(build):
    frame = build.items(
        {"item": "outer", "status": "in_flight", "begin_s": 1.0, "end_s": 9.0},
        {"item": "inner", "status": "in_flight", "begin_s": 2.0, "end_s": 9.0},
        {"item": "done", "begin_s": 3.0, "end_s": 4.0},
    )
    assert item_in_flight(frame) == "inner"
    assert item_in_flight(build.items({"item": "done"})) is None
    assert item_in_flight(build.items()) is None


def test_what_a_process_left_open_long_ago_is_not_in_flight_at_the_end(build):
    frame = build.items(
        {"item": "killer", "status": "in_flight", "begin_s": 1.0, "end_s": 9.0},
        {"item": "stale", "status": "in_flight", "begin_s": 2.0, "end_s": 3.0, "pid": 2},
    )
    assert item_in_flight(frame) == "killer"


def test_what_a_process_left_open_that_exited_well_is_not_in_flight_at_a_kill(build):
    """A worker exits with 0 right before the kill and leaves its last item open."""
    timeline = build.timeline((0.0, 100), (9.0, 900), (0.0, 50, 2), (8.9, 60, 2))
    markers = build.markers((1.0, "begin", "killer", 0), (2.0, "begin", "left open", 0, {"pid": 2}))
    processes = build.processes((1, 9.1, 137), (2, 9.0, 0))
    found = items(markers, timeline, processes=processes, end_s=9.1)
    assert found.select("item", "status", "end_s").rows() == [
        ("killer", "in_flight", 9.0),
        ("left open", "ok", 8.9),
    ]
    assert item_in_flight(found) == "killer"
    assert item_in_flight(items(markers, timeline, end_s=9.1)) == "left open"
    alone = items(markers.filter(pid=2), timeline, processes=processes, end_s=9.1)
    assert item_in_flight(alone) is None
    assert success(found).n_ok == 1


def test_a_phase_that_a_normal_exit_left_open_ended_well(build):
    markers = build.markers((0.0, "begin", "load", 0), kind="phase")
    found = phases(markers, build.timeline((0.0, 1)), processes=build.processes((1, 1.0, 0)), end_s=1.0)
    assert found["status"].to_list() == ["ok"]


# --- conservation ------------------------------------------------------------------------------------

_TIMES = st.integers(0, 40).map(lambda tick: tick / 4)


_NO_LEVEL = st.none()


@st.composite
def _runs(draw, levels=_NO_LEVEL):
    """Random samples of up to three processes and random, overlapping items in up to three threads each.

    ``levels`` are what their markers read.
    """
    samples = draw(
        st.lists(
            st.tuples(_TIMES, st.integers(0, 10**9), st.integers(1, 3)),
            max_size=60,
            unique_by=lambda row: (row[0], row[2]),
        )
    )
    spans = draw(
        st.lists(st.tuples(_TIMES, _TIMES, st.integers(1, 4), st.integers(1, 3), st.booleans()), max_size=12)
    )
    marks = []
    for index, (one, other, pid, tid, is_ended) in enumerate(spans):
        where = {"pid": pid, "tid": 10 * pid + tid, "rss_bytes": draw(levels)}
        name = f"{'sub/' * (index % 3)}item-{index % 5}"
        marks.append((min(one, other), "begin", name, index, dict(where)))
        if is_ended:
            marks.append((max(one, other), "end", name, index, dict(where)))
    return samples, marks


@given(_runs())
def test_items_and_what_is_unattributed_sum_to_the_growth(build, run):
    samples, marks = run
    timeline = build.timeline(*samples)
    found = items(build.markers(*marks), timeline, end_s=11.0)
    growth = growth_bytes(timeline, build.markers())
    for by in ("item", "folder", "kind"):
        parts = contributors(found, growth, by=by)["delta_bytes"].sum()
        assert parts + unattributed_bytes(found, growth) == growth


@given(_runs())
def test_where_an_item_spans_the_whole_run_nothing_is_unattributed(build, run):
    samples, marks = run
    whole = [(0.0, "begin", "whole", 1000 + pid, {"pid": pid, "tid": 99}) for pid in (1, 2, 3)]
    timeline = build.timeline(*samples)
    found = items(build.markers(*marks, *whole), timeline, end_s=11.0)
    assert unattributed_bytes(found, growth_bytes(timeline, build.markers())) == 0


@given(_runs(st.none() | st.integers(1, 10**9)), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(build, run, rng: random.Random):
    samples, marks = run
    found = items(build.markers(*marks), build.timeline(*samples), end_s=11.0)
    rng.shuffle(samples)
    rng.shuffle(marks)
    assert items(build.markers(*marks), build.timeline(*samples), end_s=11.0).equals(found)


@given(_runs(st.none() | st.integers(1, 10**9)))
def test_a_demand_is_never_negative_and_never_above_the_peak(build, run):
    samples, marks = run
    found = items(build.markers(*marks), build.timeline(*samples), end_s=11.0)
    for peak, demand in found.select("peak_bytes", "demand_bytes").iter_rows():
        assert demand is None or 0 <= demand < peak
