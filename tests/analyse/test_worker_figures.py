"""What did the worker hold before its first test, and at most?"""

from __future__ import annotations

import polars as pl

from diagtools.analyse.worker_figures import FIRST_TEST, IN_TESTS, PEAK, worker_figures
from diagtools.frames import TESTS, TIMELINE


def measured_tests(*rows: tuple[int, str, float, int, int]) -> pl.DataFrame:
    """TESTS of (pid, worker, begin, RSS at its begin, peak)."""
    columns: dict[str, list[object]] = {name: [None] * len(rows) for name in TESTS.columns}
    for place, name in enumerate(["pid", "worker", "begin_s", "begin_rss_bytes", "peak_bytes"]):
        columns[name] = [row[place] for row in rows]
    return TESTS.from_columns(columns)


def samples(*rows: tuple[float, int, int, int]) -> pl.DataFrame:
    """TIMELINE of (t, pid, RSS, own)."""
    columns: dict[str, list[object]] = {name: [None] * len(rows) for name in TIMELINE.columns}
    for place, name in enumerate(["t_s", "pid", "rss_bytes", "anon_bytes"]):
        columns[name] = [row[place] for row in rows]
    return TIMELINE.from_columns(columns)


def test_the_worker_that_held_most_is_told() -> None:
    tests = measured_tests((4, "gw0", 6.0, 170, 175), (4, "gw0", 5.0, 160, 168), (5, "gw1", 5.5, 165, 240))
    timeline = samples((4.9, 5, 150, 110), (5.4, 5, 164, 120), (6.5, 5, 220, 180), (5.0, 4, 190, 140))
    found = worker_figures(tests, timeline)
    assert found is not None
    assert (found.pid, found.worker, found.first_test_s) == (5, "gw1", 5.5)
    assert found.first_test_anon_bytes == 120  # by the last sample before its first test
    assert found.metrics == {
        PEAK: 240,
        FIRST_TEST: 165,
        IN_TESTS: 75,
    }  # the kernel's peak is above every sample


def test_a_sample_may_be_above_what_tests_saw() -> None:
    found = worker_figures(measured_tests((4, "main", 5.0, 160, 170)), samples((9.0, 4, 200, 150)))
    assert found is not None
    assert (found.peak_bytes, found.first_test_anon_bytes) == (200, None)


def test_without_a_test_nothing_is_known() -> None:
    assert worker_figures(measured_tests(), samples((1.0, 4, 100, 80))) is None
