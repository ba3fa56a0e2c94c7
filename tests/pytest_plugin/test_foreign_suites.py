"""Are the figures of suites that others wrote those that the kernel and the sampler have for the same processes?"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
import pytest

from diagtools.capture.runner import capture
from diagtools.run import Run
from diagtools.values import Target
from diagtools.values.suite import MAIN
from tests.support.suites import LEAN, MIB, Suite

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="peaks are exact on Linux only"),
]

NUMPY, NETWORKX = "numpy.ma.tests.test_core", "networkx.algorithms.centrality"
#: One of numpy's that needs 382 MiB and gives them back: 2**22 numbers of int16, averaged as something wider.
HEAVY = "TestMaskedArrayMathMethods::test_mean_overflow"


def _session(folder: Path, *words: str) -> Run:
    pytest.importorskip(words[words.index("--pyargs") + 1].partition(".")[0])
    done = Suite(folder, {}).run("-q", "--diag", *words)
    assert done.status == 0, done.text[-2000:]
    return done.run


def _highest_without(folder: Path, *words: str) -> int:
    """What did the same suite hold at most where nothing of ours is loaded, as the kernel tells from outside?

    Not `ru_maxrss`: a child begins with that of the process that it was forked from.
    """
    argv = (sys.executable, "-m", "pytest", "-p", "no:diagtools", *LEAN, "-q", *words)
    captured = capture(Target(argv=argv, cwd=folder), folder / "without")
    assert captured.exit_status == 0
    peak = Run.open(captured.folder).peak_rss_bytes
    assert peak is not None
    return peak


def _check_sums(run: Run) -> None:
    """What the tests of a process kept, with what changed between them, is what it holds more after the last."""
    tests = run.test_session.tests.sort("begin_s")
    for (worker,), mine in tests.group_by(["worker"]):
        begin, end = mine["begin_rss_bytes"], mine["end_rss_bytes"]
        between = int((begin[1:] - end[:-1]).sum())
        assert int(mine["kept_bytes"].sum()) + between == end[-1] - begin[0], worker
        assert abs(between) < 5 * MIB, worker  # pytest's own reports, and what is collected meanwhile


def _check_peaks(run: Run) -> None:
    """No sample taken within the tests is above their exact peaks, and the highest of them are alike."""
    tests = run.test_session.tests
    for (pid,), mine in tests.group_by(["pid"]):
        from_s, to_s = mine["begin_s"].min(), mine["end_s"].max()
        within = run.timeline.filter(pl.col("pid") == pid, pl.col("t_s").is_between(from_s, to_s))
        assert within["rss_bytes"].max() == pytest.approx(mine["peak_bytes"].max(), rel=0.05)


def test_a_suite_of_numpy(tmp_path: Path) -> None:
    words = ("--pyargs", NUMPY, "-k", "TestMaskedArrayMathMethods or TestMaskedArrayArithmetic")

    run = _session(tmp_path / "suite", *words)

    session = run.test_session
    heaviest = session.tests.sort("demand_bytes", descending=True).row(0, named=True)
    assert heaviest["test"].endswith(HEAVY)
    assert heaviest["demand_bytes"] > 300 * MIB
    assert abs(heaviest["kept_bytes"]) < 8 * MIB
    assert heaviest["peak_bytes"] == pytest.approx(_highest_without(tmp_path, *words), rel=0.03)
    assert session.tests["worker"].unique().to_list() == [MAIN]
    assert not session.costs.killed
    assert "op" not in session.fixtures["fixture"]  # what `parametrize` hands over is no fixture of anybody's
    _check_sums(run)
    _check_peaks(run)


def test_a_suite_of_networkx_by_two_workers(tmp_path: Path) -> None:
    run = _session(tmp_path / "suite", "--pyargs", NETWORKX, "-n", "2", "-k", "not big_graph")

    session = run.test_session
    assert set(session.tests["worker"]) == {"gw0", "gw1"}
    assert set(session.tests["outcome"]) <= {"passed", "skipped"}
    assert session.tests["test"].is_unique().all()
    conftest = session.files.filter(pl.col("path").str.ends_with("networkx/conftest.py"))
    assert conftest.height == 2  # each worker imports it
    assert conftest["kept_bytes"].min() > 5 * MIB
    _check_sums(run)
    _check_peaks(run)
