"""What does one run say, in sentences whose every number comes from its frames?"""

import pytest

from diagtools.analyse.findings import (
    death_finding,
    demand_finding,
    kept_finding,
    kind_finding,
    peak_finding,
    run_findings,
    success_finding,
    warning_finding,
)
from diagtools.analyse.items import items
from diagtools.analyse.tree import tree_memory
from diagtools.values import Cause, Death, Enforcer, Grade, Limit, State

MIB = 2**20
LIMIT = Limit(memory_bytes=2048 * MIB)


def _death(**changed):
    usual = {"cause": Cause.WATCHDOG, "grade": Grade.PROVEN, "evidence": ("it passed its cap",), "t_s": 20.0}
    return Death(**(usual | changed))


def _sentence(finding):
    return finding if finding is None else finding.sentence


def test_the_peak_beside_its_limit(build):
    timeline = build.timeline((0.0, 100 * MIB), (5.0, 1024 * MIB), (6.0, 30 * MIB))
    finding = peak_finding(timeline, tree_memory(timeline), LIMIT)
    assert finding.sentence == "Memory peaked at 1.00 GiB after 5.0 s, 50 % of the limit of 2.00 GiB."
    assert (finding.value, finding.unit) == (1024 * MIB, "B")
    assert (
        _sentence(peak_finding(timeline, tree_memory(timeline), None))
        == "Memory peaked at 1.00 GiB after 5.0 s."
    )


def test_a_limit_of_the_address_space_is_not_compared_with_rss(build):
    timeline = build.timeline((0.0, 100 * MIB), (5.0, 1024 * MIB))
    limit = Limit(memory_bytes=2048 * MIB, enforcer=Enforcer.RLIMIT_AS)
    assert (
        _sentence(peak_finding(timeline, tree_memory(timeline), limit))
        == "Memory peaked at 1.00 GiB after 5.0 s."
    )


def test_the_peak_of_a_timeline_with_gaps_is_a_bound(build):
    timeline = build.timeline((0.0, 100 * MIB), (5.0, 1024 * MIB))
    assert _sentence(peak_finding(timeline, tree_memory(timeline), None, is_bound=True)) == (
        "Memory reached 1.00 GiB or more: its highest of what is left of the timeline was after 5.0 s."
    )


@pytest.mark.parametrize(
    ("instrument", "what"),
    [("holders", "a snapshot of objects"), ("ledger", "a snapshot of the ledger"), ("new", "a snapshot")],
)
def test_a_peak_within_a_snapshot_is_said_to_be_with_the_highest_outside(build, instrument, what):
    timeline = build.timeline((0.0, 100 * MIB), (2.0, 74 * MIB), (5.0, 300 * MIB), (6.0, 80 * MIB))
    taken = build.snapshot_times((instrument, 4.0, 5.5))
    assert _sentence(peak_finding(timeline, tree_memory(timeline), None, taken=taken)) == (
        f"Memory peaked at 300 MiB after 5.0 s, while {what} was taken; 100 MiB outside of snapshots."
    )


def test_of_snapshots_within_each_other_the_longest_is_named(build):
    timeline = build.timeline((0.0, 100 * MIB), (5.0, 300 * MIB))
    taken = build.snapshot_times(("holders", 4.0, 5.5), ("ledger", 4.9, 5.1))
    sentence = _sentence(peak_finding(timeline, tree_memory(timeline), None, taken=taken))
    assert "while a snapshot of objects was taken; 100 MiB" in sentence


def test_a_peak_that_only_the_mark_knows_is_the_snapshots_that_came_before(build):
    rows = [(0.0, 100, 100), (4.0, 100, 100), (7.0, 100, 300)]
    timeline = build.timeline(
        *({"t_s": t_s, "rss_bytes": rss * MIB, "hwm_bytes": mark * MIB} for t_s, rss, mark in rows)
    )
    taken = build.snapshot_times(("ledger", 1.0, 1.5), ("holders", 4.5, 5.0))
    assert _sentence(peak_finding(timeline, tree_memory(timeline), None, taken=taken)) == (
        "Memory peaked at 300 MiB after 5.0 s, while a snapshot of objects was taken; "
        "100 MiB outside of snapshots."
    )


def test_a_peak_outside_of_snapshots_is_told_as_without_them(build):
    timeline = build.timeline((0.0, 100 * MIB), (5.0, 101 * MIB), (6.0, 500 * MIB))
    taken = build.snapshot_times(("holders", 4.0, 5.5))
    plain = peak_finding(timeline, tree_memory(timeline), LIMIT)
    assert _sentence(peak_finding(timeline, tree_memory(timeline), LIMIT, taken=taken)) == plain.sentence


def test_the_peak_of_several_processes_says_what_it_counts(build):
    timeline = build.timeline((0.0, MIB, 1), (0.0, MIB, 2))
    (validity,) = peak_finding(timeline, tree_memory(timeline), None).validity
    assert validity.state is State.SHARED_N_TIMES


@pytest.mark.parametrize(
    ("cause", "grade", "words"),
    [
        (
            Cause.WATCHDOG,
            Grade.PROVEN,
            "was ended for passing its memory limit (proven)",
        ),
        (
            Cause.CGROUP_OOM,
            Grade.LIKELY,
            "was killed by the kernel for the memory limit of its cgroup (likely)",
        ),
        (Cause.KERNEL_OOM, Grade.PROVEN, "because the machine was out of memory (proven)"),
        (Cause.MEMORY_ERROR, Grade.LIKELY, "gave up because an allocation failed (likely)"),
        (Cause.SIGNAL, Grade.PROVEN, "was ended by a signal (proven)"),
        (Cause.UNKNOWN, Grade.UNKNOWN, "was ended by somebody unknown after"),
    ],
)
def test_every_cause_has_its_words(build, cause, grade, words):
    assert words in death_finding(_death(cause=cause, grade=grade), build.items()).sentence


def test_the_death_names_what_was_in_flight(build):
    frame = build.items(
        {"item": "a.py", "status": "in_flight", "end_s": 9.0},
        {"item": "/home/joe/b.py", "status": "in_flight", "end_s": 9.0},
    )
    assert "after 20.0 s while '~/b.py' was in flight (with 1 other): it passed its cap." in _sentence(
        death_finding(_death(), frame)
    )
    assert death_finding(None, frame) is None


def test_the_highest_demand_and_what_is_odd_about_it(build):
    rows = [
        {"item": f"{n}.py", "demand_bytes": n * MIB, "features": {"chunks": float(n), "size_bytes": 1000.0}}
        for n in (1, 2, 3)
    ]
    killer = {
        "item": "ext.js",
        "demand_bytes": 1400 * MIB,
        "status": "in_flight",
        "features": {"chunks": 479.0, "size_bytes": 967_000.0},
    }
    assert _sentence(demand_finding(build.items(*rows, killer))) == (
        "'ext.js' asked for most: 1.37 GiB or more (it had not ended) on top of what was held; the median of "
        "the others is 2.00 MiB; odd about it, with the others' medians: size_bytes 967,000 (1,000), "
        "chunks 479 (2)."
    )


def test_the_only_item_has_no_others(build):
    only = build.items({"item": "a", "demand_bytes": MIB, "features": {"n": 3.0}})
    assert _sentence(demand_finding(only)) == "'a' asked for most: 1.00 MiB on top of what was held."
    assert demand_finding(build.items({"item": "a", "demand_bytes": 0})) is None
    assert demand_finding(build.items({"item": "a"})) is None


def test_growth_that_blames_another_item_is_told(build):
    frame = build.items(
        {"item": "first.py", "delta_bytes": 600 * MIB, "demand_bytes": 610 * MIB},
        {"item": "killer.js", "delta_bytes": 400 * MIB, "demand_bytes": 1400 * MIB},
    )
    sentence = _sentence(kept_finding(frame, 1000 * MIB))
    assert sentence.startswith("'first.py' kept most, 60 % of the rise, but it asked for 610 MiB itself,")
    assert "'killer.js' for 1.37 GiB" in sentence
    assert kept_finding(frame, 0) is None
    assert kept_finding(frame.head(1), 1000 * MIB) is None


def test_growth_that_agrees_with_the_demand_is_not_told_twice(build):
    frame = build.items(
        {"item": "a", "delta_bytes": 5, "demand_bytes": 9}, {"item": "b", "delta_bytes": 1, "demand_bytes": 2}
    )
    assert kept_finding(frame, 6) is None


def test_kinds_by_demand(build):
    frame = build.items(
        {"item": "a.py", "delta_bytes": 1, "demand_bytes": 600 * MIB},
        {"item": "b.js", "delta_bytes": 1, "demand_bytes": 900 * MIB},
    )
    kinds = build.corpus({"path": "a.py", "kind": "hand-written"}, {"path": "b.js", "kind": "generated"})
    assert _sentence(kind_finding(frame, 10, kinds)) == (
        "A file of kind 'generated' asked for most: 900 MiB (hand-written: 600 MiB); 1 of 2 items were generated."
    )
    assert kind_finding(frame, 10, None) is None
    assert kind_finding(frame.head(1), 10, kinds) is None


def test_success_names_every_other_end(build):
    rows = [
        {"item": "x", "status": status} for status in ("ok", "ok", "ok", "failed", "timeout", "in_flight")
    ]
    death = _death()
    told = "3 of 6 items that began ended well (50 %), 1 failed, 1 timed out, 1 "
    assert _sentence(success_finding(build.items(*rows), death)) == told + "in flight at the end."
    assert _sentence(success_finding(build.items(*rows), None)) == told + "whose end nobody told."
    assert success_finding(build.items(), None) is None


def test_the_last_warning_before_the_death(build):
    logs = build.logs((19.5, "WARNING Function 'k' too large, using fixed chunking"), (19.9, "INFO next"))
    sentence = _sentence(warning_finding(logs, _death()))
    assert sentence.startswith("The last warning or error in the log came 500 ms before the end: ")
    assert "Function 'k' too large, using fixed chunking" in sentence
    assert warning_finding(logs, None) is None
    assert warning_finding(logs, _death(t_s=500.0)) is None
    assert warning_finding(build.logs((19.0, "fine")), _death()) is None


def test_a_run_without_anything_says_nothing(build):
    found = run_findings(
        timeline=build.timeline(),
        tree=tree_memory(build.timeline()),
        items=build.items(),
        logs=build.logs(),
        death=None,
        limit=None,
    )
    assert found == []


def _killed_run(build, name):
    """Ten files of 10 MiB each, then the named one, which asks for 900 MiB and is killed."""
    samples, marks, rss = [], [], 100
    for i in range(10):
        rss += 10
        marks += [
            (float(i), "begin", f"f{i}", i, {"features": {"chunks": float(i)}}),
            (i + 0.9, "end", f"f{i}", i),
        ]
        samples += [(float(i), (rss - 10) * MIB), (i + 0.5, rss * MIB)]
    marks.append((10.0, "begin", name, 10, {"features": {"chunks": 479.0}}))
    timeline = build.timeline(*samples, (10.0, 200 * MIB), (11.0, 1100 * MIB))
    return run_findings(
        timeline=timeline,
        tree=tree_memory(timeline),
        items=items(build.markers(*marks), timeline, end_s=11.1),
        logs=build.logs((10.9, "WARNING too large")),
        death=_death(t_s=11.1),
        limit=Limit(memory_bytes=1024 * MIB),
    )


def test_the_story_of_a_killed_run_in_order(build):
    sentences = [finding.sentence for finding in _killed_run(build, "killer.js")]
    beginnings = (
        "Memory peaked at 1.07 GiB after 11.0 s, 107 % of the limit of 1.00 GiB.",
        "The run was ended for passing its memory limit (proven) after 11.1 s while 'killer.js' was in flight",
        "'killer.js' asked for most: 900 MiB or more (it had not ended)",
        "10 of 11 items that began ended well (91 %), 1 in flight at the end.",
        "The value of chunks explains 100 % of the peaks: 10.0 MiB a chunk",
        "The last warning or error in the log came 200 ms before the end",
    )
    assert len(sentences) == len(beginnings)
    for sentence, beginning in zip(sentences, beginnings, strict=True):
        assert sentence.startswith(beginning), sentence


def test_swapping_the_killer_swaps_the_sentences(build):
    first, second = (" ".join(map(str, _killed_run(build, name))) for name in ("one.js", "two.js"))
    assert first.replace("one.js", "two.js") == second
