"""How much memory did the whole process tree hold?"""

from diagtools.analyse.tree import living, peak_bytes, tree_memory, tree_validity
from diagtools.values import State


def _sample(t_s, pid, anon, shared, hwm=None):
    rss = None if anon is None else anon + shared
    return {
        "t_s": t_s,
        "pid": pid,
        "rss_bytes": rss,
        "anon_bytes": anon,
        "shared_bytes": shared,
        "hwm_bytes": hwm,
    }


def test_rss_is_summed_and_shared_memory_used_once(build):
    timeline = build.timeline(_sample(0.0, 1, 100, 40), _sample(0.0, 2, 30, 50), _sample(0.1, 1, 110, 40))
    tree = tree_memory(timeline)
    assert tree["t_s"].to_list() == [0.0, 0.1]
    assert tree["rss_bytes"].to_list() == [220, 150]
    assert tree["used_bytes"].to_list() == [100 + 30 + 50, 150]
    assert tree["n_processes"].to_list() == [2, 1]


def test_a_process_that_a_tick_missed_is_not_carried_forward(build):
    rows = [_sample(t_s, pid, 100, 0) for t_s, pid in ((0.0, 1), (0.0, 2), (0.1, 1), (0.2, 1), (0.2, 2))]
    assert tree_memory(build.timeline(*rows))["rss_bytes"].to_list() == [200, 100, 200]


def test_what_is_used_is_unknown_where_one_process_has_no_anonymous_figure(build):
    known, unknown = _sample(0.0, 1, 100, 40), {"t_s": 0.0, "pid": 2, "rss_bytes": 70}
    tree = tree_memory(build.timeline(known, unknown))
    assert tree["rss_bytes"].to_list() == [210]
    assert tree["used_bytes"].to_list() == [None]


def test_samples_of_a_dying_process_are_dropped(build):
    timeline = build.timeline((0.0, 100), (0.1, 200), (0.2, 0))
    assert living(timeline)["rss_bytes"].to_list() == [100, 200]
    assert tree_memory(timeline)["t_s"].to_list() == [0.0, 0.1]


def test_the_order_of_the_rows_does_not_matter(build):
    rows = [_sample(t / 10, pid, 10 * t + pid, pid) for t in range(5) for pid in (1, 2, 3)]
    assert tree_memory(build.timeline(*rows)).equals(tree_memory(build.timeline(*reversed(rows))))


def test_the_peak_of_one_process_is_its_high_water_mark(build):
    timeline = build.timeline(_sample(0.0, 1, 100, 0, 100), _sample(0.1, 1, 120, 0, 900))
    assert peak_bytes(timeline, tree_memory(timeline)) == 900


def test_marks_of_several_processes_are_never_added_up(build):
    rows = [_sample(0.0, 1, 100, 0, 300), _sample(0.0, 2, 150, 0, 400), _sample(0.1, 1, 400, 0, 400)]
    timeline = build.timeline(*rows)
    assert peak_bytes(timeline, tree_memory(timeline)) == 400


def test_the_sum_of_the_samples_is_the_peak_where_it_is_above_every_mark(build):
    timeline = build.timeline(_sample(0.0, 1, 300, 0, 310), _sample(0.0, 2, 300, 0, 310))
    assert peak_bytes(timeline, tree_memory(timeline)) == 600


def test_a_mark_from_before_an_attached_recording_does_not_count(build):
    before = build.timeline(_sample(0.0, 1, 100, 0, 900), _sample(0.1, 1, 120, 0, 900))
    assert peak_bytes(before, tree_memory(before), attached=True) == 120
    risen = build.timeline(_sample(0.0, 1, 100, 0, 900), _sample(0.1, 1, 120, 0, 950))
    assert peak_bytes(risen, tree_memory(risen), attached=True) == 950


def test_without_samples_the_peak_is_unknown(build):
    timeline = build.timeline()
    assert peak_bytes(timeline, tree_memory(timeline)) is None
    assert tree_validity(tree_memory(timeline)) == ()


def test_overlapping_processes_count_shared_memory_more_than_once(build):
    alone = tree_memory(build.timeline(_sample(0.0, 1, 1, 1), _sample(0.1, 2, 1, 1)))
    assert tree_validity(alone) == ()
    together = tree_memory(build.timeline(*(_sample(0.0, pid, 1, 1) for pid in (1, 2, 3))))
    (validity,) = tree_validity(together)
    assert validity.state is State.SHARED_N_TIMES
    assert "3 processes" in validity.note
