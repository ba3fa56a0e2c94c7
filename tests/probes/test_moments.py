"""When snapshots are taken, by whichever instrument."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from diagtools.capture.runner import capture
from diagtools.investigations.holders_report import HoldersReport
from diagtools.probes import boot, moments
from diagtools.run import Run
from diagtools.values import Limit, Snapshots, Target
from tests.capture.processes import until

MIB = 2**20


class Instrument:
    """Stands for one: as much is held as the test says."""

    name = "stand-in"
    held = 0

    def held_bytes(self) -> int:
        return self.held


def test_snapshots_of_more_than_ever_take_a_small_share_of_the_time() -> None:
    instrument, now_ns = Instrument(), 0
    schedule: Any = moments.Schedule(instrument, None, moments, {})  # never started
    schedule._now_ns = lambda: now_ns
    schedule._most = 10 * MIB
    instrument.held = int(10.9 * MIB)
    assert not schedule._is_most()
    instrument.held = 12 * MIB
    assert schedule._is_most()
    schedule._spent_ns = schedule._cost_ns = 800_000_000
    assert [schedule._is_most() for _ in range(4)] == [True, True, True, False], (
        "four are taken whatever they cost"
    )
    now_ns = 7_000_000_000
    assert schedule._is_most()


def test_a_process_that_executes_another_program_counts_on(tmp_path: Path) -> None:

    pid = os.getpid()
    for name in (f"heap.{pid}.0.json", f"heap.{pid}.3.json", f"heap.{pid}9.7.json", f"heap.{pid}.x.json"):
        (tmp_path / name).touch()
    assert moments._taken(str(tmp_path), "heap.*.json") == 4
    assert moments._taken(str(tmp_path), "objects.*.graph") == 0


def test_options_are_words_with_or_without_a_value() -> None:
    assert moments.options(["cap=5", "signal"]) == {"cap": "5", "signal": ""}


@pytest.mark.skipif(sys.platform != "linux", reason="the ledger of Linux")
def test_one_who_asks_by_the_signal_gets_a_snapshot(tmp_path: Path) -> None:
    code = "import time\nprint('ready', flush=True)\nfor _ in range(600): time.sleep(0.1)"
    env = {**os.environ, **boot.environment(os.environ, str(tmp_path), ledger="ledger signal")}
    process = subprocess.Popen([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGRTMIN + moments.SIGNAL_OFFSET)
        (taken,) = until(lambda: list(tmp_path.glob("heap.*.json")), what="a snapshot")
        assert json.loads(taken.read_bytes())["kind"] == "signal"
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(sys.platform != "linux", reason="the ledger of Linux")
def test_before_the_cap_both_say_what_is_held_and_by_whom(tmp_path: Path) -> None:
    code = "import time\nkept = []\nwhile True:\n    kept.append(b'x' * (1 << 20))\n    time.sleep(0.01)\n"
    (tmp_path / "app.py").write_text(code)
    target = Target(
        argv=(sys.executable, "app.py"),
        cwd=tmp_path,
        limit=Limit(memory_bytes=200 * MIB),
        snapshots=Snapshots(ledger=True, holders=True),
    )
    run = Run.open(capture(target, tmp_path / "run").folder)
    assert run.exit_status == 128 + signal.SIGKILL
    last = run.ledger.filter(pl.col("index") == run.ledger["index"].max())
    assert set(last["moment"]) == {"cap"}
    assert last["bytes"].sum() > 100 * MIB
    first = HoldersReport(run).holders.row(0, named=True)
    assert (first["root"], first["kind"]) == ("__main__.kept", "global")
    assert first["retained_bytes"] > 100 * MIB
