"""``diagtools record`` with items, trackers and snapshots, as a shell sees it."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from pathlib import Path

import pytest

from diagtools.probes import procfs
from diagtools.probes.hooks import snapshot_signal
from tests.capture.processes import PYTHON, command, diagtools, started, until
from tests.capture.recorded import manifest_of, run_in

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sampler of Linux")


# --- items that were asked for ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "python", "why"),
    [
        (["--items-calls", "mod:nope"], [PYTHON], "none was recorded: mod:nope was never found"),
        (["--items-calls", "app:f"], [PYTHON, "-I"], "no Python process of the command loaded the recorder"),
        (["--items-opened-under", "."], [PYTHON], "no such file opened for reading was seen"),
    ],
)
def test_items_that_were_asked_for_and_not_recorded_are_one_line(
    tmp_path: Path, options: list[str], python: list[str], why: str
) -> None:
    done = diagtools("record", *options, "--", *python, "-c", "print()", cwd=tmp_path)

    assert done.returncode == 0
    said, ending = done.stderr.splitlines()
    assert said.startswith("diagtools: items: skipped (")
    assert why in said
    assert "exited with 0" in ending


def test_items_that_were_recorded_are_no_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("")
    done = diagtools("record", "--items-opened-under", ".", "--", PYTHON, "-c", "open('a.txt')", cwd=tmp_path)

    assert done.stderr.count("\n") == 1


# --- allocations -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--native"], "--native needs --memray."),
        (["--python-allocators", "--tracemalloc"], "--python-allocators needs --memray."),
        (["--no-follow-fork"], "--no-follow-fork needs --memray."),
        (["--aggregated"], "--aggregated needs --memray."),
        (["--snapshot-every", "3"], "--snapshot-every needs --ledger, --holders or --tracemalloc."),
        (
            ["--snapshot-every", "3", "--memray"],
            "--snapshot-every needs --ledger, --holders or --tracemalloc.",
        ),
        (["--trim"], "What malloc_trim gives back is a part of the ledger."),
        (["--holders", "--snapshot-every", "0"], "Snapshots need some time between them."),
        (["--twice"], "--twice needs a tracker for the second run."),
        (["--memray", "--tracemalloc"], "Argument --tracemalloc: not allowed with argument --memray."),
        (["--tracemalloc", "0"], "0 frames of a stack cannot be kept."),
        (["--tracemalloc", "--snapshot-every", "0"], "Snapshots need some time between them."),
    ],
)
def test_trackers_that_make_no_sense_are_refused_before_anything_runs(
    tmp_path: Path, words: list[str], said: str
) -> None:
    done = diagtools("record", *words, "--", "touch", "ran", cwd=tmp_path)

    assert done.returncode == 125
    assert done.stderr.startswith(f"diagtools: {said}\n  Hint: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["--memray"], ["--tracemalloc"], ["--memray", "--twice"]])
def test_a_process_that_runs_already_cannot_be_tracked(tmp_path: Path, words: list[str]) -> None:
    done = diagtools("record", *words, "--pid", str(os.getpid()), cwd=tmp_path)

    assert done.returncode == 125
    assert "no command, limit, items or tracker" in done.stderr


@pytest.mark.parametrize(
    ("words", "artefact", "tracking"),
    [
        (["--memray"], "allocations.*.memray", {"tool": "memray", "follow_fork": "yes", "interval_ms": "10"}),
        (
            ["--memray", "--native", "--python-allocators", "--no-follow-fork", "--aggregated"],
            "allocations.*.memray",
            {
                "tool": "memray",
                "native": "yes",
                "python_allocators": "yes",
                "aggregated": "yes",
                "interval_ms": "10",
            },
        ),
        (["--tracemalloc"], "allocations.*.tracemalloc", {"tool": "tracemalloc", "n_frames": "10"}),
        (
            ["--tracemalloc", "7", "--snapshot-every", "2.5"],
            "allocations.*.tracemalloc",
            {"tool": "tracemalloc", "n_frames": "7", "every_s": "2.5"},
        ),
    ],
)
def test_allocations_are_recorded_as_asked(
    tmp_path: Path, words: list[str], artefact: str, tracking: dict[str, str]
) -> None:
    done = diagtools("record", *words, "--", PYTHON, "-c", "print('here')", cwd=tmp_path)

    folder = run_in(tmp_path)
    assert (done.stdout, done.returncode) == ("here\n", 0)
    assert done.stderr.count("\n") == 1
    (found,) = folder.glob(artefact)
    manifest = manifest_of(folder)
    assert found.name in manifest["artefacts"]  # type: ignore[operator]  # it is an object
    recorded = dict(manifest["tracking"])  # type: ignore[call-overload]  # it is an object
    assert recorded.pop("tracker").startswith(tracking["tool"])
    assert recorded == tracking


def test_without_memray_the_command_does_not_run(tmp_path: Path) -> None:
    base = getattr(sys, "_base_executable", sys.executable)

    done = diagtools("record", "--memray", "--", base, "-c", "open('ran', 'w')", cwd=tmp_path)

    assert done.returncode == 125
    assert "cannot load memray: ModuleNotFoundError" in done.stderr
    assert "-m pip install memray, or record with --tracemalloc" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_twice_runs_it_plain_and_then_tracked(tmp_path: Path) -> None:
    code = "import os; print('tracked' if os.environ.get('DIAGTOOLS_ALLOCATIONS') else 'plain'); raise SystemExit(7)"

    done = diagtools("record", "--memray", "--twice", "-o", "run", "--", PYTHON, "-c", code, cwd=tmp_path)

    assert (done.stdout, done.returncode) == ("plain\n", 7)
    assert "Under the tracker: The command exited with 7. See: diagtools show run/tracked" in done.stderr
    assert (tmp_path / "run" / "stdout.log").read_text() == "plain\n"
    assert (tmp_path / "run" / "tracked" / "stdout.log").read_text() == "tracked\n"
    assert manifest_of(tmp_path / "run")["tracking"] == {}
    shown = diagtools("show", "--json", "run/tracked", cwd=tmp_path)
    validity = json.loads(shown.stdout)["validity"]
    assert [each["state"] for each in validity if each["what"] == "memory"] == ["observed under a tracker"]


def test_where_memory_is_heading_is_said_while_the_command_runs(tmp_path: Path) -> None:
    code = """
import time
from diagtools import mark
kept = []
mark.phase("index").note(n_items=300)
for n in range(300):
    with mark.item(n):
        kept.append(b"x" * 1_000_000)
        time.sleep(0.05)
"""
    (tmp_path / "app.py").write_text(code)
    done = diagtools("record", "--limit", "200MB", "--", sys.executable, "app.py", cwd=tmp_path)
    assert done.returncode == 128 + signal.SIGKILL
    said, *_ = [line for line in done.stderr.splitlines() if "memory reaches the limit" in line]
    at = int(re.search(r"at item (\d+) of 300", said)[1])  # type: ignore[index]
    assert 150 < at < 220


# --- snapshots -------------------------------------------------------------------------------------------


def test_one_who_asks_the_recorder_asks_the_program(tmp_path: Path) -> None:
    """Neither the recorder nor the sampler ends by the signal, which is not for them."""
    code = "import time\nfor _ in range(600): time.sleep(0.1)"
    words = ("record", "--ledger", "--holders", "-o", "run", "--", PYTHON, "-c", code)
    with started(command(*words), cwd=tmp_path) as recorder:
        assert recorder.stderr is not None
        said = recorder.stderr.readline().decode()
        pid = int(said.split()[2].rstrip(":"))
        assert said == (
            f"diagtools: process {pid}: kill -RTMIN+9 {pid} takes a snapshot "
            f"(kill -RTMIN+9 {recorder.pid}: of each process of the command)\n"
        )
        (sampler,) = procfs.children(recorder.pid)
        os.kill(sampler, snapshot_signal())
        recorder.send_signal(snapshot_signal())
        until(lambda: list((tmp_path / "run").glob(f"objects.{pid}.0.graph")), what="a snapshot of objects")
        os.kill(pid, snapshot_signal())
        until(lambda: list((tmp_path / "run").glob(f"objects.{pid}.1.graph")), what="another")
        recorder.terminate()
        assert recorder.wait() == 128 + signal.SIGTERM
    moments = sorted(path.name for path in (tmp_path / "run").glob("heap.*"))
    assert moments == [f"heap.{pid}.0.json", f"heap.{pid}.1.json"]


def test_a_plain_recording_survives_who_asks_for_a_snapshot(tmp_path: Path) -> None:
    code = "import pathlib, time\npathlib.Path('ready').touch()\ntime.sleep(1)"
    with started(command("record", "-o", "run", "--", PYTHON, "-c", code), cwd=tmp_path) as recorder:
        until((tmp_path / "ready").exists, what="the program")
        recorder.send_signal(snapshot_signal())
        assert recorder.wait() == 0
    assert manifest_of(tmp_path / "run")["exit_status"] == 0
