"""Is it the worker that is compared, and are the same tests run?"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from diagtools.analyse.worker_figures import FIRST_TEST, IN_TESTS, PEAK
from diagtools.investigations import changes
from diagtools.investigations.experiment import BASELINE
from diagtools.investigations.pytest_worker_runs import TOGETHER, WorkerExperiment, outcomes
from diagtools.values import Outcome, Target, Verdict

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux")

MIB = 2**20

#: The test holds a block, and so does a program that it starts: that is none of the worker's.
_SUITE = """
import os
import subprocess
import sys

def test_that_holds():
    block = bytearray(int(os.environ.get("MIB", "20")) << 20)
    child = "block = bytearray(64 << 20); import time; time.sleep(0.1)"
    assert subprocess.run([sys.executable, "-c", child]).returncode == 0
    assert block and "FAIL" not in os.environ
"""


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Target:
    (tmp_path / "test_suite.py").write_text(_SUITE)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\n")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    monkeypatch.chdir(tmp_path)
    words = ("-m", "pytest", "-q", "-p", "diagtools", "--diag", "test_suite.py")
    return Target(argv=(sys.executable, *words))


def test_the_worker_is_compared_and_what_it_starts_is_not(suite: Target, tmp_path: Path) -> None:
    experiment = WorkerExperiment(
        suite,
        [changes.env("MIB=4", name="small")],
        watched=[changes.env("MIB=60", name="large")],
        folder=tmp_path / "runs",
    )
    experiment.run(rounds=2)
    assert [len(experiment.runs_of(name)) for name in (BASELINE, "small", "large")] == [2, 2, 1]
    (effect,) = experiment.effects
    assert (effect.verdict, effect.same_output) == (Verdict.CONFIRMED, True)
    fell = experiment.median_of(PEAK) - experiment.median_of(PEAK, "small")
    assert fell == pytest.approx(16 * MIB, abs=MIB)
    assert experiment.median_of(PEAK, "large") - experiment.median_of(PEAK) == pytest.approx(
        40 * MIB, abs=MIB
    )
    assert experiment.median_of(FIRST_TEST, "large") == pytest.approx(
        experiment.median_of(FIRST_TEST), abs=MIB
    )
    assert (
        experiment.median_of(PEAK) < experiment.runs_of(BASELINE)[0].peak_rss_bytes
    )  # the tree has the child's too


def test_every_run_has_the_metrics_of_its_worker(suite: Target, tmp_path: Path) -> None:
    experiment = WorkerExperiment(
        suite,
        [changes.env("MIB=4", name="small"), changes.env("OTHER=1", name="other")],
        folder=tmp_path / "runs",
    )
    experiment.run(rounds=1)
    assert set(experiment.variants) == {BASELINE, "small", "other", TOGETHER}
    of_worker = experiment.pairs.filter(experiment.pairs["metric"].is_in([PEAK, FIRST_TEST, IN_TESTS]))
    assert of_worker.height == 4 * 3
    assert of_worker["value"].null_count() == 0
    mends = {hypothesis.variant: hypothesis.mend for hypothesis in experiment.hypotheses}
    assert mends == {"small": "MIB=4", "other": "OTHER=1", TOGETHER: "MIB=4, OTHER=1"}


def test_a_change_with_which_a_test_fails_is_seen(suite: Target, tmp_path: Path) -> None:
    experiment = WorkerExperiment(suite, [changes.env("FAIL=1", name="breaks")], folder=tmp_path / "runs")
    experiment.run(rounds=1)
    assert outcomes(experiment.runs_of("breaks")[0]) == {("test_suite.py::test_that_holds", "failed")}
    assert experiment.same_tests("breaks") is False
    assert "test_suite.py::test_that_holds is failed, was passed" in experiment.outputs.changed["breaks"]
    found = experiment.pairs.filter(experiment.pairs["variant"] == "breaks")
    assert set(found["outcome"]) == {Outcome.FAILED}
    assert experiment.effects[0].verdict is Verdict.INCONCLUSIVE
