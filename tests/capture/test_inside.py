"""A process that runs already takes snapshots of itself, where its interpreter can be asked to."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from diagtools.capture.inside import Asker
from diagtools.errors import NoDataError, UnavailableError
from diagtools.investigations.holders_report import HoldersReport
from diagtools.investigations.ledger_report import LedgerReport
from diagtools.run import Run
from tests.capture.processes import diagtools, started, until
from tests.capture.recorded import Recorded
from tests.support.interpreters import installed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="attaching on Linux")

PROGRAM = """
import sys, time
class Node:
    def __init__(self, i): self.payload = "y" * 500 + str(i)
REGISTRY = [Node(i) for i in range(20_000)]
open("ready", "w").close()
before = sorted(sys.modules), sorted(globals())
for _ in range(600):
    time.sleep(0.05)
    assert sorted(globals()) == sorted({*before[1], "before", "_"})
"""
CAN_BE_ASKED = [path for minor in (14, 15) for path in installed(f"3.{minor}")[:1]]


@pytest.fixture(params=CAN_BE_ASKED or [None])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    if request.param is None:
        pytest.skip("no CPython 3.14 or later here")
    with started([request.param, "-c", PROGRAM], cwd=tmp_path) as process:
        until((tmp_path / "ready").exists, "the target has its memory")
        yield process


def test_a_process_that_runs_says_who_holds_its_objects(
    target: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    until_some = ["--snapshot-every", "1"]
    recorder = subprocess.Popen(
        [
            *(sys.executable, "-m", "diagtools", "record", "--holders", "--ledger", *until_some),
            *("-o", "run", "--pid", str(target.pid)),
        ],
        cwd=tmp_path,
    )
    run = tmp_path / "run"
    until(lambda: len(list(run.glob("objects.*.1.graph"))) == 1, "a second snapshot")
    recorder.terminate()
    recorder.wait()
    assert target.poll() is None
    holders = HoldersReport(Run.open(run))
    assert "__main__.REGISTRY (global) holds" in str(holders.findings()[0])
    second = HoldersReport(Run.open(run), index=1)
    assert "diagtools" not in str(second.objects(n=10_000))
    assert second.holders.filter(second.holders["kind"] == "garbage")["retained_bytes"].sum() < 100_000
    ledger = LedgerReport(Run.open(run)).ledger
    assert ledger.filter(ledger["component"] == "Python used")["bytes"].sum() > 1 << 20


def test_a_process_that_waits_in_c_answers_later_or_that_is_said(tmp_path: Path) -> None:
    if not CAN_BE_ASKED:
        pytest.skip("no CPython 3.14 or later here")
    code = "open('ready', 'w').close(); import time; time.sleep(100)"
    with started([CAN_BE_ASKED[0], "-c", code], cwd=tmp_path) as target:
        until((tmp_path / "ready").exists, "it sleeps")
        recorder = subprocess.Popen(
            [sys.executable, "-m", "diagtools", "record", "--holders", "-o", "run", "--pid", str(target.pid)],
            cwd=tmp_path,
        )
        until(lambda: len(Recorded(tmp_path / "run").samples()) > 100, "it was asked")
        recorder.terminate()
        recorder.wait()
    notes = [str(one) for one in Run.open(tmp_path / "run").validity if one.what == "holders"]
    assert len(notes) == 1
    assert "did not come to answer" in notes[0]


def test_what_cannot_be_asked_is_refused_before_anything_is_recorded(tmp_path: Path) -> None:
    with started(["sleep", "100"]) as process:
        done = diagtools("record", "--holders", "--pid", str(process.pid), cwd=tmp_path)
        with pytest.raises(UnavailableError, match=r"3\.14"):
            Asker(process.pid, ["holders"], 1.0)
    assert done.returncode == 125
    assert "diagtools record --holders -- CMD" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_no_other_program_is_started_to_ask(tmp_path: Path) -> None:
    """A program that has an interpreter within it would start as a whole."""
    started_again = tmp_path / "started"
    with started(["sh", "-c", f"echo x >> {started_again}; sleep 100"]) as process:
        until(started_again.exists, "it runs")
        with pytest.raises(UnavailableError, match=r"3\.14"):
            Asker(process.pid, ["holders"], 1.0)
    assert started_again.read_text() == "x\n"
    with pytest.raises(NoDataError, match="no process"):
        Asker(2**22 + 1, ["holders"], 1.0)
