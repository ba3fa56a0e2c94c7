"""Do the sentences follow from the figures?"""

from __future__ import annotations

import polars as pl
import pytest

from diagtools.analyse.worker_baseline import BASELINE_PARTS
from diagtools.analyse.worker_figures import WorkerFigures
from diagtools.analyse.worker_roles import TEST_PROCESSES
from diagtools.analyse.worker_story import (
    baseline_findings,
    dearest,
    expected_finding,
    growth_findings,
    light_finding,
    mocks_finding,
    tree_findings,
    tree_only_finding,
)
from diagtools.frames import TEST_FILES, TESTS

MIB = 2**20


def processes(*rows: tuple[int, str, str, bool | None, int]) -> pl.DataFrame:
    columns: dict[str, list[object]] = {name: [None] * len(rows) for name in TEST_PROCESSES.columns}
    for place, name in enumerate(["pid", "part", "label", "runs_tests"]):
        columns[name] = [row[place] for row in rows]
    columns["peak_rss_bytes"] = [row[4] * MIB for row in rows]
    return TEST_PROCESSES.from_columns(columns)


def figures(first: int, peak: int) -> WorkerFigures:
    return WorkerFigures(
        pid=4,
        worker="gw0",
        first_test_s=5.0,
        first_test_bytes=first * MIB,
        first_test_anon_bytes=None,
        peak_bytes=peak * MIB,
    )


def conftests(**brought: int) -> pl.DataFrame:
    """TEST_FILES: what a conftest brought in each process, by its pid (``p4``)."""
    columns: dict[str, list[object]] = {name: [None] * len(brought) for name in TEST_FILES.columns}
    columns |= {"kind": ["conftest"] * len(brought), "pid": [int(name[1:]) for name in brought]}
    columns["kept_bytes"] = [size * MIB for size in brought.values()]
    return TEST_FILES.from_columns(columns)


def told_of(*rows: tuple[int, str, str, bool | None, int], **brought: int) -> list[str]:
    return list(map(str, tree_findings(processes(*rows), conftests(**brought))))


WORKER = (4, "worker", "gw0", True, 230)


def test_the_worker_is_named_and_the_main_process_that_pays_too() -> None:
    assert told_of(WORKER, (1, "main", "main", False, 190), p1=135, p4=136) == [
        "The heaviest of 2 processes is gw0 (pid 4), a worker: it held 230 MiB at its peak.",
        (
            "The main process runs no test and held 190 MiB: conftest files brought 135 MiB there too, so that is "
            "paid once more."
        ),
    ]


def test_a_main_process_to_which_the_conftest_brought_little_is_not_said_to_pay() -> None:
    told = told_of(WORKER, (1, "main", "main", False, 160), p1=2, p4=136)
    assert told[1] == "The main process runs no test and held 160 MiB."


def test_where_the_tests_ran_in_main_nobody_else_is_named() -> None:
    told = told_of((1, "main", "main", True, 90), (2, "child", "git", False, 5), p1=40)
    assert told == ["The tests ran in the main process, which held 90.0 MiB at its peak."]


def test_what_runs_after_the_tests_is_not_counted() -> None:
    told = told_of(WORKER, (9, "after the tests", "python", False, 76))
    assert told == ["The heaviest is gw0 (pid 4), a worker: it held 230 MiB at its peak."]


def test_where_nobody_saw_a_test_nothing_is_said() -> None:
    assert told_of((1, "main", "main", None, 90)) == []


def parts(*rows: tuple[str, str, int]) -> pl.DataFrame:
    return BASELINE_PARTS.from_columns(
        {
            "part": [row[0] for row in rows],
            "name": [row[1] for row in rows],
            "n_modules": [1] * len(rows),
            "bytes": [row[2] * MIB for row in rows],
        }
    )


def test_what_the_conftest_brought_is_summed_and_its_dearest_packages_named() -> None:
    frame = parts(
        ("pytest", "pytest itself", 15),
        ("conftest and fixtures", "polars", 12),
        ("conftest and fixtures", "altair", 18),
        ("conftest and fixtures", "other packages", 70),
    )
    said = list(map(str, baseline_findings(frame, figures(150, 200), "conftest.py:3 → altair")))
    assert said[0] == (
        "Before its first test gw0 held 150 MiB, 75 % of its peak of 200 MiB; the tests added 50.0 MiB."
    )
    assert said[1] == (
        "What conftest files import brought 100 MiB of that, first of all altair 18.0 MiB, polars 12.0 MiB. "
        "The way there: conftest.py:3 → altair."
    )
    assert dearest(frame) == "altair"


def test_a_suite_without_a_conftest_has_no_such_sentence() -> None:
    said = list(map(str, baseline_findings(parts(("pytest", "pytest itself", 15)), figures(20, 20), "")))
    assert len(said) == 2
    assert not any("conftest" in one for one in said)


def measured_tests(*rows: tuple[str, int, int]) -> pl.DataFrame:
    columns: dict[str, list[object]] = {name: [None] * len(rows) for name in TESTS.columns}
    columns |= {"test": [row[0] for row in rows], "pid": [4] * len(rows)}
    columns |= {"kept_bytes": [row[1] for row in rows], "demand_bytes": [row[2] for row in rows]}
    return TESTS.from_columns(columns)


def test_tests_that_keep_memory_are_counted_and_the_first_named() -> None:
    frame = measured_tests(("a", 9 * MIB, 9 * MIB), ("b", 3 * MIB, 40 * MIB), ("c", 1000, 2000))
    kept, needed = map(str, growth_findings(frame, pid=4))
    assert kept == "2 of 3 tests left 1.00 MiB or more behind, 12.0 MiB together; most did a, 9.00 MiB."
    assert needed == "Most at a time needed b: 40.0 MiB above what was there."
    assert list(growth_findings(frame, pid=5)) == []


def test_tests_that_keep_nothing_are_said_to() -> None:
    kept, _ = map(str, growth_findings(measured_tests(("a", 2048, 4096)), pid=4))
    assert kept == "None of its 1 tests left 1.00 MiB behind: 2.00 KiB together."


@pytest.mark.parametrize(
    ("first_off", "peak_off", "said"),
    [
        (170, 320, "save 100 MiB while tests run, and nothing of what imports cost"),
        (210, 260, "save nothing that could be measured while tests run, and 40.0 MiB before the first test"),
    ],
)
def test_mocks_save_what_is_made_and_not_what_is_imported(first_off: int, peak_off: int, said: str) -> None:
    finding = mocks_finding(
        first_on=170 * MIB,
        peak_on=220 * MIB,
        first_off=first_off * MIB,
        peak_off=peak_off * MIB,
        noise_bytes=MIB / 2,
    )
    assert said in str(finding)


def test_what_is_expected_is_a_range_over_the_runs_and_counts_the_main_process() -> None:
    said = str(expected_finding([figures(170, 218), figures(171, 220)], 169 * MIB, 1))
    assert said == (
        "Expected RSS (2 runs): a worker holds 170 MiB to 171 MiB before its first test and 218 MiB to 220 MiB at its "
        "peak; with the main process that makes 389 MiB at most for one worker."
    )
    assert "the process holds 170 MiB before" in str(expected_finding([figures(170, 218)], None, 0))


def test_the_light_part_is_set_beside_the_whole() -> None:
    said = str(light_finding(light_peak=37 * MIB, first=169 * MIB, peak=218 * MIB))
    assert "alone, without the heavy fixtures, holds 37.0 MiB" in said
    assert "169 MiB before its first test and 218 MiB at its peak" in said


def test_a_change_that_only_the_main_process_feels_is_told() -> None:
    said = tree_only_finding("thin", before_bytes=390 * MIB, after_bytes=260 * MIB, share=0.1)
    assert str(said) == (
        "'thin' leaves the worker as it is, and yet the tree of all processes peaks at 260 MiB, not 390 MiB: it is the "
        "main process that holds less."
    )
    assert tree_only_finding("thin", before_bytes=390 * MIB, after_bytes=380 * MIB, share=0.1) is None


def test_a_test_that_needed_no_more_than_it_left_is_named_once() -> None:
    frame = measured_tests(("a", 9 * MIB, 9 * MIB), ("b", 1000, 2000))
    assert len(list(growth_findings(frame, pid=4))) == 1
