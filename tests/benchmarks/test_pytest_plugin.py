"""Do the suites of the benchmark of the pytest plugin run, and are its goals computed from their times?"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import pytest_plugin
from benchmarks.results import Bench, Collected, Size

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks read /proc")


@pytest.mark.slow
def test_every_side_runs_every_suite(tmp_path: Path) -> None:
    outcome = pytest_plugin.run(Bench(Size.TINY, tmp_path, lambda text: None))

    sides = {(series.measure, series.side) for series in outcome.series}
    for what in (pytest_plugin.ONE, pytest_plugin.MANY, pytest_plugin.WORK):
        for side in (pytest_plugin.PLAIN, pytest_plugin.LOADED, pytest_plugin.OURS):
            assert (f"{what}: seconds", side) in sides
            assert (f"{what}: CPU time", side) in sides
    assert len(outcome.goals) == 3
    assert (
        len(list(tmp_path.glob("*-run/run.json"))) == 4
    )  # a first one and one of each suite, under --diag alone


def test_the_goals_are_the_differences_of_the_pairs() -> None:
    found = Collected()
    times = {
        pytest_plugin.ONE: [(1.0, 1.3), (1.0, 1.5), (1.0, 1.4)],
        pytest_plugin.MANY: [(2.0, 2.9), (2.0, 2.8), (2.0, 3.0)],
        pytest_plugin.WORK: [(30.0, 30.9)],
    }
    for what, pairs in times.items():
        for plain, ours in pairs:
            found.add(f"{what}: seconds", pytest_plugin.PLAIN, plain, "s")
            found.add(f"{what}: seconds", pytest_plugin.OURS, ours, "s")

    session, test, work = pytest_plugin._goals(found, pytest_plugin._PLANS[Size.FULL])

    assert session.value == pytest.approx(0.4)
    assert test.value == pytest.approx(0.5)  # 0.9 s, less 0.4 s of the session, for 1,000 tests
    assert work.value == pytest.approx(3.0)
    assert (session.is_met, test.is_met, work.is_met) == (True, True, True)
