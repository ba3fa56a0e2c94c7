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
from diagtools.capture.tracked import read_notes
from diagtools.investigations.holders_report import HoldersReport
from diagtools.probes import boot, moments
from diagtools.run import Run
from diagtools.values import Limit, Snapshots, Target
from tests.support.interpreters import every_python

MIB = 2**20


class Instrument:
    """Stands for one: as much is held as the test says."""

    name = "stand-in"
    held = 0

    def held_bytes(self) -> int:
        return self.held


def test_snapshots_of_more_than_ever_take_a_small_share_of_the_time() -> None:
    instrument, now_ns = Instrument(), 0
    schedule: Any = moments.Schedule(instrument, None, {})  # never started
    schedule._now_ns = lambda: now_ns
    schedule._most = 10 * MIB
    instrument.held = int(10.9 * MIB)
    assert not schedule.is_most()
    instrument.held = 12 * MIB
    assert schedule.is_most()
    schedule._spent_ns = schedule._cost_ns = 800_000_000
    assert [schedule.is_most() for _ in range(4)] == [True, True, True, False], (
        "four are taken whatever they cost"
    )
    now_ns = 7_000_000_000
    assert schedule.is_most()


def test_a_process_that_executes_another_program_counts_on(tmp_path: Path) -> None:

    pid = os.getpid()
    for name in (f"heap.{pid}.0.json", f"heap.{pid}.3.json", f"heap.{pid}9.7.json", f"heap.{pid}.x.json"):
        (tmp_path / name).touch()
    assert moments._taken(str(tmp_path), "heap.*.json") == 4
    assert moments._taken(str(tmp_path), "objects.*.graph") == 0


def test_options_are_words_with_or_without_a_value() -> None:
    assert moments.options(["cap=5", "signal"]) == {"cap": "5", "signal": ""}


@pytest.mark.skipif(sys.platform != "linux", reason="the ledger of Linux")
@every_python
def test_a_note_says_when_each_was_taken_and_how_long_it_took(python: str, tmp_path: Path) -> None:
    asked = boot.environment(os.environ, str(tmp_path), ledger="ledger", holders="holders")
    subprocess.run([python, "-c", ""], env={**os.environ, **asked}, check=True)
    taken = [note for note in read_notes(tmp_path, moments.NOTES) if note.kind == "taken"]
    assert [note.text.rpartition(" ")[0] for note in taken] == ["ledger: 0", "holders: 0"]
    ledger, holders = taken
    took_ns, holders_took_ns = (int(note.text.split()[-1]) for note in taken)
    (file,) = tmp_path.glob(f"heap.{ledger.pid}.0.json")
    assert json.loads(file.read_bytes())["t_ns"] + took_ns <= ledger.t_ns  # the note is its end
    assert ledger.t_ns + holders_took_ns < holders.t_ns


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
    taken = [note.text for note in read_notes(run.path, moments.NOTES) if note.kind == "taken"]
    assert [text.partition(":")[0] for text in taken[:2]] == ["ledger", "holders"]
    last = run.ledger.filter(pl.col("index") == run.ledger["index"].max())
    assert set(last["moment"]) == {"cap"}
    assert last["bytes"].sum() > 100 * MIB
    first = HoldersReport(run).holders.row(0, named=True)
    assert (first["root"], first["kind"]) == ("__main__.kept", "global")
    assert first["retained_bytes"] > 100 * MIB
