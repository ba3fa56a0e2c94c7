"""A process records itself, goes on with its own work, and may be killed or close what it likes meanwhile."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent

import polars as pl
import pytest

from diagtools.capture.beside import BesideRecording
from diagtools.errors import RecorderError, UsageError
from diagtools.run import Run
from diagtools.values import State

MIB = 2**20


def program(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Runs this beside its own recording in ``folder``; ``recording`` and ``wait`` are there."""
    head = """
        import os, signal, subprocess, sys, time
        from pathlib import Path
        from diagtools.capture.beside import BesideRecording

        folder = Path(sys.argv[1])
        recording = BesideRecording(("me", "--password=hunter2"), folder)

        def wait(n=1):
            '''Until n more samples are written.'''
            until, before = time.monotonic() + 30, size()
            while size() < before + n * 64 and time.monotonic() < until:
                time.sleep(0.01)

        def size():
            timeline = folder / "timeline.bin"
            return timeline.stat().st_size if timeline.exists() else 0
    """
    code = dedent(head) + dedent(text)
    return subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, timeout=120, check=False
    )


def test_the_process_and_its_children_are_sampled_the_sampler_is_not(tmp_path: Path) -> None:
    done = program(
        tmp_path / "run",
        """
        held = bytearray(80 << 20)
        child = subprocess.Popen([sys.executable, "-c", "held = bytearray(60 << 20); input()"], stdin=subprocess.PIPE)
        wait(120)
        child.communicate(b"go")
        del held
        wait(20)
        recording.close(5)
        print(os.getpid(), child.pid)
        """,
    )
    assert (done.returncode, done.stderr) == (0, "")
    me, child = map(int, done.stdout.split())
    run = Run.open(tmp_path / "run")
    peaks = dict(run.timeline.group_by("pid").agg(pl.col("rss_bytes").max()).iter_rows())
    assert set(peaks) == {me, child}
    assert peaks[me] > 80 * MIB
    assert 60 * MIB < peaks[child] < 100 * MIB
    assert (run.manifest.state, run.manifest.exit_status) == ("finished", 5)
    assert "hunter2" not in (tmp_path / "run" / "run.json").read_text()
    assert State.TRUNCATED not in {one.state for one in run.validity}


def test_descriptors_that_the_program_closes_are_not_missed(tmp_path: Path) -> None:
    done = program(
        tmp_path / "run",
        """
        os.closerange(3, 256)
        held = bytearray(80 << 20)
        wait(120)
        recording.close(0)
        """,
    )
    assert (done.returncode, done.stderr) == (0, "")
    run = Run.open(tmp_path / "run")
    assert run.timeline["rss_bytes"].max() > 80 * MIB
    assert run.manifest.state == "finished"
    assert State.TRUNCATED not in {one.state for one in run.validity}


def test_where_all_are_closed_and_taken_by_others_nothing_of_theirs_is_closed(tmp_path: Path) -> None:
    done = program(
        tmp_path / "run",
        """
        os.closerange(3, 4096)
        mine = os.open("/dev/null", os.O_RDONLY)
        for number in range(4, 1024):
            os.dup2(mine, number)
        recording.close(0)
        for number in range(3, 1024):
            os.fstat(number)
        print("all there")
        """,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "all there\n", "")
    assert Run.open(tmp_path / "run").manifest.state == "finished"


def test_a_forked_child_ends_nothing(tmp_path: Path) -> None:
    done = program(
        tmp_path / "run",
        """
        pid = os.fork()
        if not pid:
            recording.close(9)
            os._exit(0)
        os.waitpid(pid, 0)
        wait(20)
        recording.close(0)
        """,
    )
    assert (done.returncode, done.stderr) == (0, "")
    run = Run.open(tmp_path / "run")
    assert (run.manifest.state, run.manifest.exit_status) == ("finished", 0)


@pytest.mark.parametrize("who", ["program", "sampler"])
def test_whoever_is_killed_the_run_opens_and_says_so(tmp_path: Path, who: str) -> None:
    victim = "os.getpid()" if who == "program" else "recording._sampler._process.pid"
    done = program(
        tmp_path / "run",
        f"""
        held = bytearray(80 << 20)
        wait(120)
        os.kill({victim}, signal.SIGKILL)
        recording.close(0)
        """,
    )
    assert done.returncode == (-signal.SIGKILL if who == "program" else 0), done.stderr
    until = time.monotonic() + 30
    while _sampler_lives(tmp_path / "run") and time.monotonic() < until:
        time.sleep(0.05)
    assert not _sampler_lives(tmp_path / "run")
    run = Run.open(tmp_path / "run")
    assert run.timeline["rss_bytes"].max() > 80 * MIB
    assert run.validity
    if who == "sampler":
        assert ("timeline", State.TRUNCATED) in {(one.what, one.state) for one in run.validity}
    else:
        assert run.manifest.state == "recording"


def _sampler_lives(folder: Path) -> bool:
    """Is there a process that records into this folder?"""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if f"folder={folder}".encode() in path.read_bytes():
                return True
        except OSError:  # it has just ended
            continue
    return False


def test_a_place_that_cannot_be_had_is_an_error_and_stays_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    with pytest.raises(UsageError, match="exists already"):
        BesideRecording(("me",), tmp_path / "taken")
    with pytest.raises(RecorderError, match="cannot be written"):
        BesideRecording(("me",), tmp_path / "taken" / "file" / "run")
    assert [path.name for path in (tmp_path / "taken").iterdir()] == ["file"]


@pytest.mark.parametrize("instead", ["nothing", "a file"])
def test_a_run_that_cannot_be_completed_is_told(tmp_path: Path, instead: str) -> None:
    recording = BesideRecording(("me",), tmp_path / "run")
    (tmp_path / "run").rename(tmp_path / "moved")
    if instead == "a file":
        (tmp_path / "run").touch()
    with pytest.raises(RecorderError, match="could not be completed"):
        recording.close(0)
    recorded = json.loads((tmp_path / "moved" / "run.json").read_text())
    assert recorded["state"] == "recording"
