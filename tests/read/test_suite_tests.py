"""What each test, fixture and file cost, from lines written by hand."""

from __future__ import annotations

import pytest

from diagtools.read.suite_samples import SuiteSamples
from diagtools.read.suite_tests import TestCost, suite_costs
from tests.support.suite_logs import MIB, MS, begun_test, line, log, measured, phase, process, whole_test


def only(*lines: bytes, **options: bool) -> TestCost:
    """The one test of this log."""
    (test,) = suite_costs([log(*lines, **options)]).tests
    return test


def test_a_test_is_what_its_phases_and_its_end_say() -> None:
    test = only(*whole_test(1, "a.py::test_a", begin=50, peak=114, end=52))
    assert (test.outcome, test.peak, test.demand, test.kept) == ("passed", 114 * MIB, 64 * MIB, 2 * MIB)
    assert (test.traced, test.sampled_peak, test.children_peak) == (None, None, None)


def test_the_highest_of_test_and_phases_is_its_peak() -> None:
    """A phase may end between the two readings of a test."""
    higher = phase(1, "call", span=measured(1110, 1120, 50, 50, 90), traced=5)
    end = line("test end", number=1, **measured(1100, 1130, 50, 50, 80))
    test = only(begun_test(1, "a.py::test_a"), phase(1, "setup", traced=9), higher, end)
    assert (test.peak, test.demand, test.traced) == (90 * MIB, 40 * MIB, 9)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ({"setup": "passed", "call": "passed", "teardown": "passed"}, "passed"),
        ({"setup": "passed", "call": "failed", "teardown": "failed"}, "failed"),
        ({"setup": "failed", "teardown": "passed"}, "error"),
        ({"setup": "passed", "call": "passed", "teardown": "failed"}, "error"),
        ({"setup": "passed", "call": "skipped", "teardown": "passed"}, "skipped"),
        ({"setup": "skipped", "teardown": "passed"}, "skipped"),
        ({}, "skipped"),
    ],
)
def test_the_outcome_of_its_phases(outcomes: dict[str, str], expected: str) -> None:
    phases = [phase(1, name, outcome=outcome) for name, outcome in outcomes.items()]
    end = line("test end", number=1, **measured(1100, 1200, 50, 50, 50))
    assert only(begun_test(1, "a.py::test_a"), *phases, end).outcome == expected


def test_a_test_in_flight_died_with_its_process() -> None:
    costs = suite_costs([log(begun_test(1, "a.py::test_a"), phase(1, "setup"), is_ended=False)])
    (test,) = costs.tests
    assert (test.outcome, test.ended, test.kept) == ("died", None, None)
    assert (test.peak, test.demand) == (None, None)  # unknown, not what was known before
    assert [one.pid for one in costs.killed] == [7]


def test_samples_say_what_it_held_at_least_and_what_it_had_started() -> None:
    samples = SuiteSamples(
        [
            (1050 * MS, 7, 900 * MIB),
            (1150 * MS, 7, 120 * MIB),
            (1150 * MS, 8, 30 * MIB),
            (1250 * MS, 8, 70 * MIB),
        ],
        {7: 1, 8: 7},
    )
    lines = [*whole_test(1, "a.py::test_a"), begun_test(2, "a.py::test_b", t_ms=1210, rss=50)]
    first, second = suite_costs([log(*lines, is_ended=False)], samples).tests
    assert (first.children_peak, first.sampled_peak, first.peak) == (30 * MIB, None, 60 * MIB)
    assert (second.children_peak, second.sampled_peak, second.peak) == (70 * MIB, None, None)
    early = [begun_test(1, "a.py::test_a", t_ms=1100), phase(1, "setup")]
    (died,) = suite_costs([log(*early, is_ended=False)], samples).tests
    assert (died.sampled_peak, died.peak, died.demand) == (120 * MIB, 120 * MIB, 70 * MIB)


def test_a_fixture_belongs_to_the_test_in_flight_and_to_its_own_end() -> None:
    made = [
        line(
            "fixture",
            fixture_number=n,
            fixture=f"f{n}",
            scope="module",
            number=number,
            **measured(1, 2, 50, 60, 70),
        )
        for n, number in ((1, 1), (2, 99))
    ]
    gone = line("fixture end", fixture_number=1, **measured(5, 6, 60, 51, 60))
    first, second = suite_costs([log(begun_test(1, "a.py::test_a"), *made, gone)]).fixtures
    assert (first.test, first.gone is not None) == ("a.py::test_a", True)
    assert (second.test, second.gone) == (None, None)


def test_breaches_repeats_and_remarks_of_all_processes() -> None:
    breach = line("breach", number=1, limit="limit_rss", allowed=1, found=2, text="too much")
    repeat = line("repeat", number=1, phase="call", capture="tests.7-1.memray")
    unknown = line("repeat", number=5, phase="call", capture="tests.7-5.memray")
    remark = line("remark", text="said twice")
    logs = [
        log(*whole_test(1, "a.py::test_a"), breach, repeat, unknown, remark),
        log(*whole_test(1, "a.py::test_b"), remark, first=process(pid=8, worker="gw0")),
    ]
    costs = suite_costs(logs)
    assert [(one.breach.text, one.process.pid) for one in costs.breaches] == [("too much", 7)]
    assert [one.test.begun.test for one in costs.repeats] == ["a.py::test_a"]
    assert costs.remarks == ("said twice",)
    assert [costs.baseline(one) for one in costs.processes] == [50 * MIB, 50 * MIB]
    assert costs.killed == ()


def test_without_logs_there_is_nothing() -> None:
    costs = suite_costs([])
    assert (costs.processes, costs.tests, costs.fixtures, costs.files, costs.n_damaged) == ((), (), (), (), 0)
