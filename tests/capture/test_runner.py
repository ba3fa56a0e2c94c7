"""A recorder, a sampler and a target: whoever of them is killed, nobody is left over and nothing is lost."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from diagtools.capture import runner
from diagtools.capture.runner import Streams, attach, capture
from diagtools.errors import RecorderError, StartError, UnavailableError, UsageError
from diagtools.probes import procfs, records
from diagtools.values import Enforcer, Limit, State, Target
from tests.capture.processes import (
    FAMILY_THAT_STAYS,
    N_FAMILY,
    PYTHON,
    command,
    diagtools,
    end,
    environment,
    is_alive,
    numbers_in,
    started,
    until,
    wait_gone,
)
from tests.capture.recorded import MIB, Recorded

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sampler of Linux")


#: A notebook kernel, as far as a recording is concerned: it captures in its main thread or in another one.
KERNEL = """
import sys, threading
from pathlib import Path
from diagtools.capture.runner import capture
from diagtools.values import Target
def record():
    capture(Target(argv=tuple(sys.argv[2:]), cwd=Path.cwd()), Path('run'))
if sys.argv[1] == 'thread':
    thread = threading.Thread(target=record)
    thread.start()
    thread.join()
else:
    record()
"""


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Every run lands in the test's own folder, and no child of this process stays behind."""
    monkeypatch.setenv("DIAGTOOLS_STORE", str(tmp_path / "store"))
    before = procfs.children(os.getpid())
    yield tmp_path / "store"
    assert procfs.children(os.getpid()) == before


def python(code: str, *arguments: str, **more: object) -> Target:
    return Target(argv=(PYTHON, "-S", "-c", code, *arguments), **more)  # type: ignore[arg-type]


def sampler_of(folder: Path) -> int:
    """The pid of the sampler that records into this folder, once it does."""
    until(lambda: (folder / "timeline.bin").exists() and Recorded(folder).records, "a first record")
    recorded = Recorded(folder)
    return next(r.payload[0] for r in recorded.of(records.PROCESS) if r.pid == recorded.root)


# --- one run ---------------------------------------------------------------------------------------------


def test_what_a_capture_leaves_behind(tmp_path: Path) -> None:
    target = python(
        "import os; print(os.environ['FLAVOUR'], os.getcwd())", env={"FLAVOUR": "salt"}, cwd=tmp_path
    )

    captured = capture(target, tmp_path / "run", hz=50)

    folder = tmp_path / "run"
    assert captured.exit_status == 0
    assert captured.warnings == ()
    assert captured.folder == folder
    assert (folder / "stdout.log").read_text() == f"salt {tmp_path}\n"
    manifest = json.loads((folder / "run.json").read_text())
    recorded = Recorded(folder)
    recorded.check_whole()
    assert manifest["state"] == "finished"
    assert manifest["hz"] == 50
    assert manifest["start_ns"] == recorded.records[0].t_ns
    assert manifest["wall_ns"] == recorded.records[0].payload[2]
    assert manifest["artefacts"]["timeline.bin"]["size_bytes"] == (folder / "timeline.bin").stat().st_size
    assert {"stdout.log", "stderr.log", "timeline.bin"} <= set(manifest["artefacts"])
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_target_of_a_notebook_gets_no_input_and_no_terminal(tmp_path: Path) -> None:
    captured = capture(
        python("import sys; print(repr(sys.stdin.read()), sys.stdout.isatty())"), tmp_path / "run"
    )

    assert (captured.folder / "stdout.log").read_text() == "'' False\n"


def test_output_is_copied_to_the_descriptors_given(tmp_path: Path) -> None:
    with (tmp_path / "copy").open("wb") as copy:
        streams = Streams(stdout=copy.fileno())
        capture(python("print('words')"), tmp_path / "run", streams=streams)

    assert (tmp_path / "copy").read_text() == "words\n"


def test_two_runs_at_once_are_two_folders(store: Path) -> None:
    threads = [threading.Thread(target=capture, args=(Target(argv=("true",)),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(list(store.iterdir())) == 4
    for folder in store.iterdir():
        Recorded(folder).check_whole()


@pytest.mark.parametrize("hz", [0, 0.99, 1001, float("nan"), float("inf"), -5])
def test_impossible_rates(hz: float, store: Path) -> None:
    with pytest.raises(UsageError, match="Hz is not possible"):
        capture(Target(argv=("true",)), hz=hz)
    assert not store.exists()


@pytest.mark.parametrize(
    ("target", "error", "said"),
    [
        (Target(argv=("no-such-command-here",)), StartError, "There is no command"),
        (Target(argv=("true", "a\0b")), UsageError, "cannot be passed"),
        (Target(argv=("true",), env={"A=B": "c"}), UsageError, "cannot be passed"),
        (Target(argv=("true",), cwd=Path("no/such/folder")), UsageError, "working folder"),
    ],
)
def test_what_cannot_start_is_an_error_and_leaves_nothing(
    target: Target, error: type[Exception], said: str, store: Path
) -> None:
    with pytest.raises(error, match=said):
        capture(target)

    assert list(store.iterdir()) == []


def test_a_folder_without_room_is_an_error_before_the_target_runs(tmp_path: Path) -> None:
    """The first write of run.json fails, here for want of room in what a file may hold."""
    script = 'ulimit -f 0; exec "$@"'
    argv = ["sh", "-c", script, "sh", *command("record", "-o", "run", "--", "touch", "ran")]

    done = subprocess.run(argv, cwd=tmp_path, env=environment(), capture_output=True, text=True)

    assert done.returncode == 125
    assert done.stderr.startswith("diagtools: The run folder ")
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "run").exists()


def test_a_disk_that_fills_up_ends_neither_target_nor_recording(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48k", "none", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("no right to mount a file system")
    try:
        code = "import time; time.sleep(1.2); raise SystemExit(5)"
        done = diagtools(
            "record", "--hz", "1000", "-o", "disk/run", "--", PYTHON, "-S", "-c", code, cwd=tmp_path
        )

        assert done.returncode == 5
        assert "records found no room on the disk" in done.stderr
        assert "Traceback" not in done.stderr
        assert (disk / "run" / "timeline.bin").stat().st_size % records.SIZE == 0
        assert json.loads((disk / "run" / "run.json").read_text())["argv"][0]
        recorded = Recorded(disk / "run")
        recorded.check_whole(may_be_cut=True)
        assert len(recorded.samples()) > 100
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_read_only_store_is_an_error(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "ro", "none", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("no right to mount a file system")
    try:
        with pytest.raises(RecorderError, match="Read-only file system"):
            capture(Target(argv=("true",)), disk / "run")
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_run_folder_that_is_removed_meanwhile_is_no_crash(tmp_path: Path) -> None:
    target = Target(argv=("sh", "-c", "sleep 0.1; rm -r run; exit 3"), cwd=tmp_path)

    captured = capture(target, tmp_path / "run")

    assert captured.exit_status == 3
    assert any("run.json could not be completed" in warning for warning in captured.warnings)


def test_a_word_that_is_too_long_is_one_error() -> None:
    with pytest.raises(RecorderError, match="Argument list too long"):
        capture(Target(argv=("true", "x" * 200_000)))


# --- limits ----------------------------------------------------------------------------------------------


def test_a_limit_of_address_space(tmp_path: Path) -> None:
    limit = Limit(memory_bytes=300 * MIB, enforcer=Enforcer.RLIMIT_AS)

    captured = capture(python("bytearray(400 * 2**20)", limit=limit), tmp_path / "run")

    assert captured.exit_status == 1
    assert "MemoryError" in (tmp_path / "run" / "stderr.log").read_text()
    assert Recorded(tmp_path / "run").event("cap").payload[:2] == (300 * MIB, 2)


def test_a_limit_of_a_cgroup_is_the_kernels_own_kill(tmp_path: Path) -> None:
    limit = Limit(memory_bytes=80 * MIB, enforcer=Enforcer.CGROUP)
    try:
        captured = capture(python("keep = [b'x' * 2**20 for _ in range(300)]", limit=limit), tmp_path / "run")
    except UnavailableError as error:
        pytest.skip(error.message)

    recorded = Recorded(tmp_path / "run")
    manifest = json.loads((tmp_path / "run" / "run.json").read_text())
    assert captured.exit_status == 137
    assert recorded.event("oom_kill").payload[0] >= 1
    assert recorded.event("cap").payload[:2] == (80 * MIB, 1)
    assert recorded.peak_rss(recorded.root) < 90 * MIB
    assert not recorded.events("watchdog")
    usage = [record.payload[0] for record in recorded.of(records.SYSTEM)]
    assert all(number != records.UNKNOWN for number in usage)
    if manifest["kernel_log"]:  # needs rights, and a pid namespace that is the kernel's
        assert str(recorded.root) in manifest["kernel_log"][0]


def test_the_other_backend_has_the_watchdog_only(store: Path) -> None:
    limit = Limit(memory_bytes=80 * MIB, enforcer=Enforcer.CGROUP)

    with pytest.raises(UnavailableError, match="needs Linux"):
        capture(Target(argv=("true",), limit=limit), backend="psutil")
    assert not store.exists()


# --- one of them is killed -------------------------------------------------------------------------------


def test_when_the_recorder_is_killed_the_tree_ends_and_the_timeline_is_closed(tmp_path: Path) -> None:
    with started(
        command("record", "-o", "run", "--", PYTHON, "-S", "-c", FAMILY_THAT_STAYS), cwd=tmp_path
    ) as recorder:
        pids = numbers_in(tmp_path / "pids", N_FAMILY)
        recorder.kill()
        wait_gone(pids)
    until(lambda: Recorded(tmp_path / "run").events("closed"), "the closing mark")

    recorded = Recorded(tmp_path / "run")
    recorded.check_whole()
    assert recorded.events("recorder_died")
    assert recorded.exit_status == 128 + signal.SIGTERM


def test_when_the_sampler_is_killed_the_recorder_ends_the_tree_and_says_so(tmp_path: Path) -> None:
    with started(
        command("record", "-o", "run", "--", PYTHON, "-S", "-c", FAMILY_THAT_STAYS), cwd=tmp_path
    ) as recorder:
        pids = numbers_in(tmp_path / "pids", N_FAMILY)
        os.kill(sampler_of(tmp_path / "run"), signal.SIGKILL)
        assert recorder.wait(60) == 125
        wait_gone(pids)
        assert recorder.stderr is not None
        said = recorder.stderr.read().decode()

    assert "The sampler was killed" in said
    assert "Hint: diagtools show " in said
    Recorded(tmp_path / "run").check_whole(may_be_cut=True)
    manifest = json.loads((tmp_path / "run" / "run.json").read_text())
    assert manifest["state"] == "finished"
    assert manifest["exit_status"] is None
    assert manifest["validity"][0]["state"] == State.TRUNCATED


def test_when_the_sampler_is_killed_at_once_nobody_is_left(tmp_path: Path) -> None:
    """Before it has seen a single child: those carry the name of their run."""
    code = (
        "import os\n"
        "for _ in range(20):\n"
        "    if os.fork() == 0: break\n"
        "open('pids', 'a').write(f'{os.getpid()}\\n')\n"
        "import time; time.sleep(1000)"
    )
    with started(
        command("record", "-o", "run", "--hz", "1", "--", PYTHON, "-S", "-c", code), cwd=tmp_path
    ) as recorder:
        os.kill(sampler_of(tmp_path / "run"), signal.SIGKILL)
        assert recorder.wait(60) == 125
    pids = (
        [int(line) for line in (tmp_path / "pids").read_text().split()]
        if (tmp_path / "pids").exists()
        else []
    )

    wait_gone(pids)


@pytest.mark.parametrize("place", ["main", "thread"])
def test_when_a_notebook_kernel_is_killed_nobody_is_left(tmp_path: Path, place: str) -> None:
    argv = [PYTHON, "-c", KERNEL, place, PYTHON, "-S", "-c", FAMILY_THAT_STAYS]
    with started(argv, cwd=tmp_path) as kernel:
        pids = numbers_in(tmp_path / "pids", N_FAMILY)
        kernel.kill()
        wait_gone(pids)
    until(lambda: Recorded(tmp_path / "run").events("closed"), "the closing mark")

    Recorded(tmp_path / "run").check_whole()


@pytest.mark.parametrize("place", ["main", "thread"])
def test_when_a_notebook_kernel_s_sampler_is_killed_nobody_is_left(tmp_path: Path, place: str) -> None:
    argv = [PYTHON, "-c", KERNEL, place, PYTHON, "-S", "-c", FAMILY_THAT_STAYS]
    with started(argv, cwd=tmp_path) as kernel:
        pids = numbers_in(tmp_path / "pids", N_FAMILY)
        os.kill(sampler_of(tmp_path / "run"), signal.SIGKILL)
        wait_gone(pids)
        kernel.wait(60)
        assert kernel.stderr is not None
        assert b"RecorderError: The sampler was killed" in kernel.stderr.read()


def test_when_recorder_and_sampler_are_killed_the_target_still_dies(tmp_path: Path) -> None:
    """Its children do not: nobody is left to end them.  That is the best that can be had."""
    with started(
        command("record", "-o", "run", "--", PYTHON, "-S", "-c", FAMILY_THAT_STAYS), cwd=tmp_path
    ) as recorder:
        pids = numbers_in(tmp_path / "pids", N_FAMILY)
        sampler, root = sampler_of(tmp_path / "run"), Recorded(tmp_path / "run").root
        recorder.send_signal(signal.SIGSTOP)
        os.kill(sampler, signal.SIGKILL)
        recorder.kill()
        wait_gone([root])
        for pid in pids:
            end(pid)

    Recorded(tmp_path / "run").check_whole(may_be_cut=True)


def test_a_target_that_is_killed_is_a_finished_run(tmp_path: Path) -> None:
    with started(command("record", "-o", "run", "--", "sleep", "1000"), cwd=tmp_path) as recorder:
        sampler_of(tmp_path / "run")
        os.kill(Recorded(tmp_path / "run").root, signal.SIGKILL)
        assert recorder.wait(60) == 137

    recorded = Recorded(tmp_path / "run")
    recorded.check_whole()
    assert recorded.exit_status == 137


# --- an interrupt in a notebook --------------------------------------------------------------------------


def test_an_interrupt_ends_the_target_closes_the_run_and_is_raised(tmp_path: Path) -> None:
    """A kernel is interrupted with its whole process group, the target included."""
    argv = [
        PYTHON,
        "-c",
        KERNEL,
        "main",
        PYTHON,
        "-S",
        "-c",
        "open('pids', 'w').write('1'); import time; time.sleep(1000)",
    ]
    with started(argv, cwd=tmp_path, process_group=0) as kernel:
        numbers_in(tmp_path / "pids", 1)
        os.killpg(kernel.pid, signal.SIGINT)
        kernel.wait(60)
        assert kernel.stderr is not None
        said = kernel.stderr.read().decode()

    assert said.splitlines()[-2:] == ["KeyboardInterrupt", f"The run until here is kept in '{tmp_path}/run'."]
    recorded = Recorded(tmp_path / "run")
    recorded.check_whole()
    assert recorded.exit_status in (1, 130)
    assert not recorded.events("signal")
    assert json.loads((tmp_path / "run" / "run.json").read_text())["state"] == "finished"


def test_an_interrupt_of_the_kernel_alone_is_passed_on_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a target that will not hear of it is ended by stronger means."""
    monkeypatch.setattr(runner, "_PATIENCE_S", 0.2)
    code = (
        "import signal, time\n"
        "signal.signal(2, signal.SIG_IGN)\n"
        "signal.signal(15, signal.SIG_IGN)\n"
        "print(1, flush=True)\n"
        "time.sleep(1000)"
    )
    interrupt = threading.Thread(target=_interrupt_when_grown, args=(tmp_path / "run" / "stdout.log",))
    interrupt.start()

    with pytest.raises(KeyboardInterrupt) as raised:
        capture(python(code), tmp_path / "run")
    interrupt.join()

    recorded = Recorded(tmp_path / "run")
    recorded.check_whole()
    assert [record.payload[0] for record in recorded.events("signal")] == [signal.SIGINT, signal.SIGTERM]
    assert recorded.exit_status == 137
    assert raised.value.__notes__ == [f"The run until here is kept in '{tmp_path / 'run'}'."]


def _interrupt_when_grown(log: Path) -> None:
    """Again where nothing came of it: an interrupt that a callback of the garbage collector meets is lost."""
    until(lambda: log.exists() and log.stat().st_size, "the target is ready")
    for _ in range(3):
        signal.raise_signal(signal.SIGINT)
        with contextlib.suppress(AssertionError, TimeoutError):
            until(lambda: Recorded(log.parent).events("signal"), "the interrupt is passed on")
            return


def test_interrupting_a_notebook_that_is_attached_stops_the_recording_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; "
        "from pathlib import Path; "
        "from diagtools.capture.runner import attach; "
        "attach(int(sys.argv[1]), Path('run'))"
    )
    with (
        started(["sleep", "1000"]) as target,
        started([PYTHON, "-c", code, str(target.pid)], cwd=tmp_path) as kernel,
    ):
        until(
            lambda: (tmp_path / "run" / "timeline.bin").exists() and Recorded(tmp_path / "run").samples(),
            "samples",
        )
        kernel.send_signal(signal.SIGINT)
        assert kernel.wait(60) == 0
        assert target.poll() is None

    assert Recorded(tmp_path / "run").events("stopped")


# --- attach ----------------------------------------------------------------------------------------------


def test_attaching_to_a_process_that_ends(tmp_path: Path) -> None:
    with started(["sleep", "0.4"]) as target:
        captured = attach(target.pid, tmp_path / "run", hz=200)

    recorded = Recorded(tmp_path / "run")
    recorded.check_whole()
    assert captured.exit_status is None
    assert recorded.records[0].pid == target.pid
    assert recorded.samples(target.pid)
    assert not recorded.events("ended")
    assert json.loads((tmp_path / "run" / "run.json").read_text())["argv"] == ["attached", str(target.pid)]


def test_the_children_of_an_attached_process_do_not_prolong_its_recording(tmp_path: Path) -> None:
    script = "sleep 1000 & echo $! > pids; sleep 0.4; exit 0"
    with started(["sh", "-c", script], cwd=tmp_path) as target:
        numbers_in(tmp_path / "pids", 1)
        attach(target.pid, tmp_path / "run")

    (child,) = numbers_in(tmp_path / "pids", 1)
    assert is_alive(child)
    assert Recorded(tmp_path / "run").samples(child)
    end(child)


@pytest.mark.parametrize("pid", [0, -1, 2**22 + 1, 2**70])
def test_there_is_nothing_to_attach_to(pid: int, store: Path) -> None:
    with pytest.raises(UsageError, match="There is no process"):
        attach(pid)
    assert not store.exists()
