"""Which of what was measured is the program's, and which that of the snapshots that were taken of it?"""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from diagtools import frames
from diagtools.analyse.items import items
from diagtools.analyse.snapshot_times import outside_snapshots, undisturbed
from diagtools.frames import SNAPSHOT_TIMES

MIB = 2**20


def sampled(build, *rows, pid=1):
    """TIMELINE of (t_s, MiB, MiB of the high-water mark)."""
    return build.timeline(
        *(
            {"t_s": t_s, "rss_bytes": rss * MIB, "hwm_bytes": mark * MIB, "pid": pid}
            for t_s, rss, mark in rows
        )
    )


def levels_mib(timeline):
    return [(row["t_s"], row["rss_bytes"] // MIB, row["hwm_bytes"] // MIB) for row in timeline.to_dicts()]


def test_samples_within_a_snapshot_are_left_out_and_its_marks_are_not_the_programs(build):
    timeline = sampled(
        build,
        (1.0, 10, 12),
        (2.0, 90, 90),  # within
        (3.05, 11, 95),  # after it, by a mark that may have been read within
        (4.0, 11, 95),
        (5.0, 11, 95),
        (6.0, 40, 97),  # a peak of the program itself
    )
    found = outside_snapshots(timeline, build.snapshot_times(("holders", 1.5, 3.0)))
    assert levels_mib(found) == [(1.0, 10, 12), (3.05, 11, 12), (4.0, 11, 12), (5.0, 11, 12), (6.0, 40, 97)]


def test_a_sample_read_after_its_tick_may_be_within(build):
    timeline = sampled(build, (0.98, 10, 10), (0.995, 50, 50), (2.0, 10, 50))
    found = outside_snapshots(timeline, build.snapshot_times(("ledger", 1.0, 1.5)))
    assert [row[0] for row in levels_mib(found)] == [0.98, 2.0]


def test_a_snapshot_of_one_process_is_no_other_ones(build):
    timeline = sampled(build, (1.0, 10, 10), (2.0, 90, 90), pid=2)
    assert outside_snapshots(timeline, build.snapshot_times(("holders", 0.0, 9.0), pid=1)).equals(timeline)


def test_what_a_snapshot_of_objects_left_behind_is_taken_off_what_follows(build):
    timeline = sampled(build, (1.0, 10, 10), (2.0, 90, 90), (4.0, 35, 90), (5.0, 45, 90))
    markers = build.markers(
        (1.4, "begin", "a", 1, {"rss_bytes": 15 * MIB}), (4.5, "end", "a", 1, {"rss_bytes": 40 * MIB})
    )
    found = undisturbed(timeline, markers, build.snapshot_times(("holders", 1.5, 3.0)))
    # 15 MiB right before it, 35 MiB right after: 20 MiB are the snapshot's.
    assert [row[1] for row in levels_mib(found.timeline)] == [10, 15, 25]
    assert found.markers["rss_bytes"].to_list() == [15 * MIB, 20 * MIB]


def test_what_grew_over_a_ledger_may_be_the_programs_whose_threads_go_on(build):
    timeline = sampled(build, (1.0, 10, 10), (2.0, 90, 90), (4.0, 35, 90))
    found = undisturbed(timeline, build.markers(), build.snapshot_times(("ledger", 1.5, 3.0)))
    assert [row[1] for row in levels_mib(found.timeline)] == [10, 35]


def test_two_snapshots_without_a_reading_between_them_are_one_step(build):
    timeline = sampled(build, (1.0, 10, 10), (5.0, 30, 90), (7.0, 32, 90), (9.0, 40, 90))
    found = undisturbed(
        timeline,
        build.markers(),
        build.snapshot_times(("holders", 1.5, 2.0), ("holders", 2.5, 3.0), ("holders", 7.5, 8.0)),
    )
    assert [row[1] for row in levels_mib(found.timeline)] == [10, 10, 12, 12]


def test_what_another_thread_read_within_a_snapshot_is_not_known(build):
    markers = build.markers(
        (1.0, "begin", "a", 1, {"rss_bytes": MIB}), (2.0, "end", "a", 1, {"rss_bytes": 9 * MIB})
    )
    found = undisturbed(build.timeline(), markers, build.snapshot_times(("ledger", 1.5, 3.0)))
    assert found.markers["rss_bytes"].to_list() == [MIB, None]


def test_an_item_is_not_charged_with_the_snapshot_that_fell_into_it(build):
    """1 MiB an item; a snapshot that takes 70 MiB for a moment and leaves 20 MiB behind falls into the second."""
    timeline = sampled(
        build,
        *(
            (0.0, 10, 10),
            (1.0, 11, 11),
            (2.0, 11, 11),
            (2.5, 80, 80),
            (3.2, 31, 81),
            (4.0, 32, 81),
            (5.0, 33, 81),
        ),
    )
    marks = build.markers(
        *((0.1, "begin", "a", 1), (1.5, "end", "a", 1), (2.1, "begin", "b", 2), (4.1, "end", "b", 2))
    )
    alone = items(marks, timeline, end_s=6.0)
    assert alone["demand_bytes"].to_list() == [MIB, 70 * MIB]
    known = undisturbed(timeline, marks, build.snapshot_times(("holders", 2.2, 3.0)))
    found = items(known.markers, known.timeline, end_s=6.0)
    assert found["demand_bytes"].to_list() == [MIB, MIB]
    assert found["delta_bytes"].to_list() == [MIB, MIB]


@given(st.lists(st.tuples(st.floats(0, 9), st.integers(1, 99), st.integers(1, 99)), max_size=20))
def test_without_snapshots_nothing_changes(rows):
    sizes = [{"t_s": t_s, "pid": 1, "rss_bytes": rss, "hwm_bytes": mark} for t_s, rss, mark in rows]
    timeline = pl.DataFrame(sizes, schema=frames.TIMELINE.columns)
    markers = frames.MARKERS.empty()
    found = undisturbed(timeline, markers, SNAPSHOT_TIMES.empty())
    assert found.timeline.equals(timeline)
    assert found.markers.equals(markers)


@given(
    st.lists(st.tuples(st.floats(0, 9), st.integers(1, 99)), max_size=20),
    st.lists(st.tuples(st.floats(0, 9), st.floats(0, 3)), max_size=4),
)
def test_what_is_kept_is_no_more_than_what_was_seen_and_never_nothing(build, rows, snapshots):
    sizes = [{"t_s": t_s, "pid": 1, "rss_bytes": rss * MIB} for t_s, rss in rows]
    timeline = pl.DataFrame(sizes, schema=frames.TIMELINE.columns)
    times = build.snapshot_times(*(("holders", begin_s, begin_s + long_s) for begin_s, long_s in snapshots))
    found = undisturbed(timeline, frames.MARKERS.empty(), times).timeline
    assert set(found["t_s"]) <= set(timeline["t_s"])
    for begin_s, long_s in snapshots:
        assert found.filter(pl.col("t_s").is_between(begin_s, begin_s + long_s)).is_empty()
    if found.height:
        assert found["rss_bytes"].min() > 0
        assert found["rss_bytes"].max() <= timeline["rss_bytes"].max()
