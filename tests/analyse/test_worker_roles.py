"""Which process of a test run is which?"""

from __future__ import annotations

import polars as pl

from diagtools.analyse.worker_roles import process_memory, suite_processes
from diagtools.frames import PROCESSES, TESTS, TIMELINE


def processes(*rows: tuple[int, int, str, float]) -> pl.DataFrame:
    return PROCESSES.from_columns(
        {
            "pid": [row[0] for row in rows],
            "ppid": [row[1] for row in rows],
            "name": [row[2] for row in rows],
            "started_s": [row[3] for row in rows],
            "ended_s": [None] * len(rows),
            "exit_status": [None] * len(rows),
        }
    )


def samples(*rows: tuple[float, int, int]) -> pl.DataFrame:
    """TIMELINE of (t, pid, RSS); three quarters of it are the process's own."""
    columns: dict[str, list[object]] = {name: [None] * len(rows) for name in TIMELINE.columns}
    columns |= {"t_s": [row[0] for row in rows], "pid": [row[1] for row in rows]}
    columns |= {"rss_bytes": [row[2] for row in rows], "anon_bytes": [row[2] * 3 // 4 for row in rows]}
    return TIMELINE.from_columns(columns)


def one_test_in(**workers: int) -> pl.DataFrame:
    """TESTS: one test in the process of each worker."""
    columns: dict[str, list[object]] = {name: [None] * len(workers) for name in TESTS.columns}
    columns |= {"pid": [*workers.values()], "worker": [*workers], "end_s": [5.0] * len(workers)}
    return TESTS.from_columns(columns)


#: The processes of the report: a shell, uv and tail below it, pytest, its worker, and what a test starts.
REPORT = processes(
    (92, 1, "zsh", 0.0),
    (99, 92, "uv", 0.1),
    (100, 92, "tail", 0.1),
    (101, 99, "pytest", 0.2),
    (104, 101, "python", 1.0),
    (110, 104, "gcc", 3.0),
)


def parts(frame: pl.DataFrame) -> dict[int, tuple[str, str, bool | None]]:
    rows = frame.select("pid", "part", "label", "runs_tests").iter_rows()
    return {pid: (part, label, runs) for pid, part, label, runs in rows}


def test_runner_main_worker_and_what_tests_start_are_told_apart() -> None:
    timeline = samples((1.0, 101, 400), (2.0, 104, 1000), (2.5, 104, 1600), (3.0, 110, 80))
    found = suite_processes(REPORT, timeline, one_test_in(gw0=104))
    assert parts(found) == {
        92: ("runner", "zsh", False),
        99: ("runner", "uv", False),
        100: ("child", "tail", False),
        101: ("main", "main", False),
        104: ("worker", "gw0", True),
        110: ("child", "gcc", False),
    }
    peaks = dict(found.select("pid", "peak_rss_bytes").iter_rows())
    assert peaks == {92: None, 99: None, 100: None, 101: 400, 104: 1600, 110: 80}
    assert found.filter(pl.col("pid") == 104)["peak_anon_bytes"].to_list() == [1200]


def test_without_workers_the_main_process_runs_the_tests() -> None:
    found = suite_processes(
        processes((7, 1, "python", 0.0), (9, 7, "git", 1.0)), samples(), one_test_in(main=7)
    )
    assert parts(found) == {7: ("main", "main", True), 9: ("child", "git", False)}


def test_where_nobody_saw_a_test_nobody_is_said_to_run_any() -> None:
    found = suite_processes(REPORT, samples(), one_test_in())
    assert parts(found)[101] == ("main", "main", None)
    assert parts(found)[104] == ("child", "python", None)


def test_two_workers_have_one_main() -> None:
    rows = processes((1, 0, "python", 0.0), (2, 1, "python", 1.0), (3, 1, "python", 1.1))
    assert parts(suite_processes(rows, samples(), one_test_in(gw0=2, gw1=3))) == {
        1: ("main", "main", False),
        2: ("worker", "gw0", True),
        3: ("worker", "gw1", True),
    }


def test_the_memory_of_one_process_is_a_tree_of_one() -> None:
    found = process_memory(samples((1.0, 5, 40), (2.0, 6, 90), (2.0, 5, 60), (3.0, 5, 0)), 5)
    assert found.rows() == [(1.0, 40, 40, 1), (2.0, 60, 60, 1)]


def test_what_is_started_when_all_tests_have_ended_is_none_of_theirs() -> None:
    rows = processes((1, 0, "python", 0.0), (2, 1, "git", 4.9), (3, 1, "python", 5.1))
    assert parts(suite_processes(rows, samples(), one_test_in(main=1))) == {
        1: ("main", "main", True),
        2: ("child", "git", False),
        3: ("after the tests", "python", False),
    }
