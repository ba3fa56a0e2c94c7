"""The sampler on psutil: the same run, with what it cannot know left out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from diagtools.capture.runner import attach, capture
from diagtools.errors import StartError, UsageError
from diagtools.probes import records
from diagtools.values import Limit, Target
from tests.capture.processes import PYTHON, command, end, is_alive, numbers_in, started, until, wait_gone
from tests.capture.recorded import MIB, Recorded

UNKNOWN = records.UNKNOWN

#: As ``diagtools record`` would be where there is no /proc.
RECORDER = """
import sys
from pathlib import Path
from diagtools.capture.runner import Streams, capture
from diagtools.values import Target
streams = Streams(interactive=True, stdout=1, stderr=2)
raise SystemExit(capture(Target(argv=tuple(sys.argv[1:])), Path('run'), streams=streams, backend='psutil').exit_status)
"""


def python(code: str, **more: object) -> Target:
    return Target(argv=(PYTHON, "-S", "-c", code), **more)  # type: ignore[arg-type]


def whole(folder: Path) -> Recorded:
    recorded = Recorded(folder)
    recorded.check_whole()
    return recorded


def test_a_run_says_what_it_does_not_know(tmp_path: Path) -> None:
    code = "keep = b'x' * (64 * 2**20); print('out', flush=True)\nimport time; time.sleep(0.4)\nraise SystemExit(3)"

    captured = capture(python(code), tmp_path / "run", backend="psutil")

    recorded = whole(tmp_path / "run")
    root = recorded.root
    assert captured.exit_status == recorded.exit_status == 3
    assert any("unknown" in warning for warning in captured.warnings)
    assert recorded.peak_rss(root) > 64 * MIB
    assert {record.payload[1:3] for record in recorded.samples()} == {(UNKNOWN, UNKNOWN)}
    assert recorded.of(records.SYSTEM) == []
    assert recorded.names()[root].startswith("python")
    assert [record.payload[0] for record in recorded.of(records.OUTPUT)] == [4]
    manifest = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (manifest["backend"], manifest["validity"][0]["state"]) == ("psutil", "skipped")


@pytest.mark.parametrize(("script", "status"), [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 137)])
def test_the_status_of_the_command(tmp_path: Path, script: str, status: int) -> None:
    captured = capture(Target(argv=("sh", "-c", script)), tmp_path / "run", backend="psutil")

    assert captured.exit_status == status
    assert whole(tmp_path / "run").exit_status == status


def test_what_cannot_start(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="There is no command"):
        capture(Target(argv=("no-such-command-here",)), tmp_path / "run", backend="psutil")
    with pytest.raises(UsageError, match="working folder"):
        capture(Target(argv=("true",), cwd=Path("no/such/folder")), tmp_path / "run", backend="psutil")
    assert not (tmp_path / "run").exists()


def test_a_tree_over_its_cap_is_killed(tmp_path: Path) -> None:
    code = "import os\nos.fork()\nkeep = []\nwhile True: keep.append(b'x' * 2**20)"
    captured = capture(python(code, limit=Limit(memory_bytes=150 * MIB)), tmp_path / "run", backend="psutil")

    recorded = whole(tmp_path / "run")
    assert captured.exit_status == 137
    assert recorded.event("cap").payload[0] == 150 * MIB
    assert recorded.events("watchdog")[0].payload[0] > 150 * MIB
    wait_gone(list(recorded.pids()))


def test_what_outlives_the_root_is_ended_and_said(tmp_path: Path) -> None:
    script = "sleep 1000 & echo $! > pids; sleep 0.3; exit 5"

    captured = capture(Target(argv=("sh", "-c", script), cwd=tmp_path), tmp_path / "run", backend="psutil")

    (child,) = numbers_in(tmp_path / "pids", 1)
    wait_gone([child])
    assert captured.exit_status == 5
    assert whole(tmp_path / "run").event("leftovers").payload[0] >= 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.skipif(sys.platform != "linux", reason="signals are taken over on Linux")
def test_a_signal_is_passed_on(tmp_path: Path, number: signal.Signals) -> None:
    script = f"trap 'echo got >> got; exit 4' {int(number)}; echo $$ > pids; while :; do sleep 0.02; done"
    with started([PYTHON, "-c", RECORDER, "sh", "-c", script], cwd=tmp_path) as recorder:
        numbers_in(tmp_path / "pids", 1)
        recorder.send_signal(number)
        assert recorder.wait(60) == 4

    assert (tmp_path / "got").read_text() == "got\n"
    assert whole(tmp_path / "run").event("signal").payload[0] == number


def test_when_the_recorder_is_killed_the_tree_ends(tmp_path: Path) -> None:
    script = "sleep 1000 & echo $! > pids; echo $$ >> pids; wait"
    with started([PYTHON, "-c", RECORDER, "sh", "-c", script], cwd=tmp_path) as recorder:
        pids = numbers_in(tmp_path / "pids", 2)
        until(lambda: set(pids) <= Recorded(tmp_path / "run").pids(), "both are seen")
        recorder.kill()
        wait_gone(pids)
    until(lambda: Recorded(tmp_path / "run").events("closed"), "the closing mark")

    assert whole(tmp_path / "run").events("recorder_died")


def test_when_the_sampler_is_killed_the_recorder_ends_the_tree(tmp_path: Path) -> None:
    """Nothing ties the target to this sampler: only the recorder can do it."""
    script = "sleep 1000 & echo $! > pids; echo $$ >> pids; wait"
    with started([PYTHON, "-c", RECORDER, "sh", "-c", script], cwd=tmp_path) as recorder:
        pids = numbers_in(tmp_path / "pids", 2)
        until(lambda: set(pids) <= Recorded(tmp_path / "run").pids(), "both are seen")
        recorded = Recorded(tmp_path / "run")
        sampler = next(r.payload[0] for r in recorded.of(records.PROCESS) if r.pid == recorded.root)
        os.kill(sampler, signal.SIGKILL)
        assert recorder.wait(60) == 1
        assert recorder.stderr is not None
        assert b"The sampler was killed" in recorder.stderr.read()
        wait_gone(pids)

    Recorded(tmp_path / "run").check_whole(may_be_cut=True)


def test_a_long_recording_is_decimated(tmp_path: Path) -> None:
    """Here too somebody collects the copy that does it, or it would happen only once."""
    reading, writing = os.pipe()
    (tmp_path / "run").mkdir()
    argv = [
        f"folder={tmp_path}/run",
        f"recorder={os.getpid()}",
        f"status={writing}",
        "hz=500",
        "segment=8192",
    ]
    from diagtools.capture.sampler_process import sampler_command

    with subprocess.Popen([*sampler_command("psutil"), *argv, "--", "sleep", "1.5"], pass_fds=(writing,)):
        os.close(writing)
        with os.fdopen(reading) as messages:
            assert messages.read().endswith("ended 0\n")

    recorded = whole(tmp_path / "run")
    assert recorded.events("decimated")
    assert sum(path.stat().st_size for path in (tmp_path / "run").glob("timeline*")) < 5 * 8192


def test_attaching(tmp_path: Path) -> None:
    with started(["sleep", "0.5"]) as target:
        captured = attach(target.pid, tmp_path / "run", backend="psutil")

    assert captured.exit_status is None
    assert whole(tmp_path / "run").samples(target.pid)
    assert not (tmp_path / "run" / "stdout.log").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="signals are taken over on Linux")
def test_an_attached_process_goes_on(tmp_path: Path) -> None:
    code = (
        "import sys; "
        "from pathlib import Path; "
        "from diagtools.capture.runner import attach; "
        "attach(int(sys.argv[1]), Path('run'), backend='psutil')"
    )
    with (
        started(["sleep", "1000"]) as target,
        started([PYTHON, "-c", code, str(target.pid)], cwd=tmp_path) as recorder,
    ):
        until(
            lambda: (tmp_path / "run" / "timeline.bin").exists() and Recorded(tmp_path / "run").samples(),
            "samples",
        )
        recorder.send_signal(signal.SIGTERM)
        assert recorder.wait(60) == 0
        assert is_alive(target.pid)
        end(target.pid)

    assert whole(tmp_path / "run").events("stopped")


def test_this_is_not_the_default_here() -> None:
    assert sys.platform != "linux" or "psutil" not in command("record")
