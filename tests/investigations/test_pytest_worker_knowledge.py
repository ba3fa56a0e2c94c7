"""The report on the suite of the knowledge base, reproduced; with another twin to begin with, its verdict flips."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from diagtools.analyse.worker_figures import FIRST_TEST, PEAK
from diagtools.investigations.experiment import BASELINE
from diagtools.investigations.pytest_worker import PytestWorker
from diagtools.investigations.pytest_worker_runs import TOGETHER
from diagtools.values import Verdict

pytestmark = [pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux"), pytest.mark.slow]

MIB = 2**20


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its runs go into a folder of this test, and nothing of the session that runs it reaches the suite."""
    monkeypatch.setenv("DIAGTOOLS_STORE", str(tmp_path / "runs"))
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    monkeypatch.chdir(repository)


def verdicts(case: PytestWorker) -> dict[str, Verdict]:
    return {effect.hypothesis.name: effect.verdict for effect in case.effects}


def test_the_report_is_reproduced() -> None:
    case = PytestWorker()
    assert verdicts(case) == {
        "lazy twin": Verdict.CONFIRMED,
        "thin fixtures": Verdict.REFUTED,
        "polars deferred": Verdict.CONFIRMED,
        TOGETHER: Verdict.CONFIRMED,
    }
    assert all(effect.same_output for effect in case.effects)
    of = case.experiment
    assert of.median_of(FIRST_TEST) > 0.6 * of.median_of(PEAK)  # most of it is there before the first test
    assert of.median_of(PEAK, "lazy twin") < 0.6 * of.median_of(PEAK)
    mocks = of.median_of(FIRST_TEST, "without the session mocks") - of.median_of(FIRST_TEST)
    assert abs(mocks) < 2 * MIB
    assert of.median_of(PEAK, "without the session mocks") > of.median_of(PEAK) + 30 * MIB
    said = str(case.conclusion())
    assert "'thin fixtures' leaves the worker as it is, and yet the tree of all processes peaks at" in said
    assert "imports 'workloads.knowledge.eager': knowledge/chosen.py:" in said
    assert "→ eager/__init__.py:" in str(case.what_is_there())
    assert "below 143 MiB" in str(case.keep_budget())


def test_with_the_lazy_twin_to_begin_with_nothing_is_left_to_confirm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KNOWLEDGE_TWIN", "lazy")
    case = PytestWorker()
    assert set(verdicts(case).values()) == {Verdict.REFUTED}
    assert case.experiment.median_of(FIRST_TEST, BASELINE) < 80 * MIB
    assert "No suspect was confirmed" in str(case.conclusion())
