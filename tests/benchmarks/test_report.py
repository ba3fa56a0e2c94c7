"""Tables are computed from raw values: these are worked out by hand."""

from __future__ import annotations

import pytest

from benchmarks.report import Report, Section, as_markdown, as_text, number
from benchmarks.results import Collected, Headline, Outcome, Series, at_least, at_most


def test_peers_are_compared_with_the_first_side_pair_by_pair() -> None:
    text = as_markdown(_report(Outcome(series=_series([1.0, 2.0, 4.0], [10.0, 16.0, 44.0]))))

    assert "| CPU | ours | 2 s | 1 – 4 | 3 |  |" in text
    assert "|  | peer | 16 s | 10 – 44 | 3 | 10 × (8 – 11) |" in text


def test_a_value_that_was_not_had_lowers_n_and_stays_out_of_the_ratio() -> None:
    text = as_markdown(_report(Outcome(series=_series([1.0, 2.0], [None, 16.0]))))

    assert "|  | peer | 16 s | 16 – 16 | 1 | 8 × (8 – 8) |" in text


def test_counts_are_added_up_and_say_of_how_many() -> None:
    collected = Collected()
    for value in (1.0, 0.0, 1.0):
        collected.add("runs lost", "ours", value, "", Headline.TOTAL)

    assert "| runs lost | ours | 2 (of 3) |" in as_markdown(
        _report(Outcome(series=collected.series(["ours"])))
    )


def test_a_missed_goal_and_one_that_could_not_be_measured_are_told_apart() -> None:
    goals = [at_most("CPU", 3.0, 2, "%"), at_least("peer", None, 8, "×"), at_least("rate", 99.0, 99, "Hz")]

    said = as_text(goals).splitlines()

    assert [line.split()[0] for line in said] == ["MISSED", "not", "met"]


def test_a_benchmark_that_failed_stands_among_the_goals() -> None:
    text = as_markdown(_report(Outcome(series=()), failure="OSError: no /proc"))

    assert "| sampler | | OSError: no /proc | failed |" in text


@pytest.mark.parametrize(
    ("value", "shown"), [(3.0, "3"), (0.1234, "0.123"), (1.234, "1.23"), (12.34, "12.3"), (1234.5, "1,234")]
)
def test_numbers_show_three_digits_that_count(value: float, shown: str) -> None:
    assert number(value) == shown


def _series(ours: list[float | None], peer: list[float | None]) -> tuple[Series, ...]:
    collected = Collected()
    for side, values in (("ours", ours), ("peer", peer)):
        for value in values:
            collected.add("CPU", side, value, "s")
    return collected.series(["ours", "peer"])


def _report(outcome: Outcome, failure: str = "") -> Report:
    section = Section(
        name="sampler",
        question="What does it cost?",
        method="Measured.",
        outcome=outcome,
        seconds=1.0,
        machine={"load_1min_before": 0.0, "busy_share": 0.5, "stolen_share": 0.0},
        failure=failure,
    )
    machine: dict[str, str | int] = {
        "processor": "a processor",
        "cpus": 2,
        "memory_bytes": 2**30,
        "virtual": 1,
        "system": "Linux 6.1",
        "python": "CPython 3.11",
    }
    return Report(
        date="2025-01-01", revision="abc", size="full", machine=machine, versions={}, sections=(section,)
    )
