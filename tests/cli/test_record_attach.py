"""``diagtools record --pid``, as a shell sees it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from diagtools.run import Run
from tests.capture.processes import (
    PYTHON,
    command,
    diagtools,
    is_alive,
    numbers_in,
    started,
    until,
)
from tests.capture.recorded import Recorded

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sampler of Linux")


def test_attaching_records_a_process_until_it_ends(tmp_path: Path) -> None:
    code = "import os; keep = bytearray(b'x' * 50_000_000); open('ready', 'w').close(); input()"
    with started([PYTHON, "-c", code], cwd=tmp_path, stdin=subprocess.PIPE) as target:
        until((tmp_path / "ready").exists, "the target has its memory")
        with started(command("record", "--pid", str(target.pid), "-o", "run"), cwd=tmp_path) as recorder:
            until(lambda: _n_samples(tmp_path / "run") >= 5, "samples")
            assert target.stdin is not None
            target.stdin.write(b"\n")
            target.stdin.flush()
            assert target.wait(60) == 0
            assert recorder.wait(60) == 0

    recorded = Recorded(tmp_path / "run")
    recorded.check_whole()
    assert recorded.event("attached").pid == target.pid
    assert recorded.peak_rss(target.pid) > 50_000_000
    assert not recorded.events("started")
    assert not (tmp_path / "run" / "stdout.log").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_attached_process_goes_on_whatever_ends_the_recording(
    tmp_path: Path, number: signal.Signals
) -> None:
    with started(["sleep", "100"]) as target:
        with started(command("record", "--pid", str(target.pid), "-o", "run"), cwd=tmp_path) as recorder:
            until(lambda: _n_samples(tmp_path / "run") >= 3, "samples")
            recorder.send_signal(number)
            status = recorder.wait(60)
        until(lambda: Recorded(tmp_path / "run").events("closed"), "the recording is closed")

        assert target.poll() is None
        assert status == (-number if number == signal.SIGKILL else 0)
    Recorded(tmp_path / "run").check_whole()


def test_there_is_nothing_to_attach_to_where_a_process_has_ended(tmp_path: Path) -> None:
    """A zombie: its parent has not asked for its status."""
    parent = (
        "import os, time; pid = os.fork(); pid or os._exit(0); open('pids', 'w').write(f'{pid}\\n'); input()"
    )
    with started([PYTHON, "-c", parent], cwd=tmp_path, stdin=subprocess.PIPE):
        (zombie,) = numbers_in(tmp_path / "pids", 1)
        until(lambda: not is_alive(zombie), "a zombie")
        done = diagtools("record", "--pid", str(zombie), cwd=tmp_path)

    assert done.returncode == 125
    assert f"There is no process {zombie}, or it has ended." in done.stderr


def test_a_process_that_runs_already_is_looked_at_from_outside(tmp_path: Path) -> None:
    code = "import time; kept = bytearray(b'x') * (50 << 20); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        recorder = subprocess.Popen(
            [
                *(sys.executable, "-m", "diagtools", "record", "--ledger", "--snapshot-every", "0.5"),
                *("-o", "run", "--pid", str(process.pid)),
            ],
            cwd=tmp_path,
        )
        until(lambda: len(list((tmp_path / "run").glob("heap.*.1.json"))) == 1, what="a second snapshot")
        recorder.send_signal(signal.SIGINT)
        recorder.wait()
    finally:
        process.kill()
        process.wait()
    ledger = Run.open(tmp_path / "run").ledger
    at_end = ledger.filter(pl.col("index") == ledger["index"].max())
    sizes = dict(at_end.select("component", "bytes").iter_rows())
    assert sizes["anonymous memory"] > 50 << 20
    assert set(at_end["moment"]) == {"outside"}
    assert "Python used" not in sizes


def _n_samples(folder: Path) -> int:
    return len(Recorded(folder).samples()) if (folder / "timeline.bin").exists() else 0
