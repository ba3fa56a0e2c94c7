"""The sampler by itself, with real targets: what it records, what it survives, what it leaves behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from diagtools.probes import procfs, records
from tests.capture.processes import (
    FAMILY,
    PYTHON,
    is_alive,
    numbers_in,
    sampler,
    started,
    until,
    wait_gone,
)
from tests.capture.recorded import MIB, Recorded

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sampler of Linux")

LEAVES = (
    FAMILY + "while len(open('pids').read().split()) < 5: time.sleep(0.01)\ntime.sleep(0.1)\nos._exit(6)\n"
)


def at_rest(folder: Path, *options: str) -> Recorded:
    """A recording that has ended."""
    recorded = Recorded(folder)
    recorded.check_whole()
    return recorded


# --- what it records -------------------------------------------------------------------------------------


def test_a_recording_from_its_header_to_its_closing_mark(tmp_path: Path) -> None:
    code = "keep = b'x' * (64 * 2**20)\nimport time; time.sleep(0.3)\nraise SystemExit(3)"
    with sampler(tmp_path / "run", [PYTHON, "-S", "-c", code], "hz=200", "cap=10000000000") as running:
        root = running.root()
        assert running.rest() == [["lost", "0"], ["ended", "3"]]

    recorded = at_rest(tmp_path / "run")
    header = recorded.records[0]
    assert header.kind == records.HEADER
    assert header.pid == root
    assert header.payload == (records.VERSION, procfs.PAGE, header.payload[2], 200_000, os.getpid())
    assert recorded.exit_status == 3
    assert recorded.event("started").payload[0] == 5_000_000
    assert recorded.event("cap").payload[:2] == (10_000_000_000, 0)
    assert 64 * MIB < recorded.peak_rss(root) < 96 * MIB
    assert all(
        record.payload[1] < record.payload[0] <= record.payload[2] for record in recorded.samples(root)
    )
    (exit_,) = recorded.of(records.EXIT)
    assert exit_.payload[0] == 3
    assert exit_.payload[1] >= 64 * MIB
    assert len(recorded.of(records.SYSTEM)) >= 2
    assert recorded.of(records.SYSTEM)[0].payload[1] > 0


def test_the_high_water_mark_tells_of_a_peak_between_two_samples(tmp_path: Path) -> None:
    code = "x = b'x' * (200 * 2**20); del x\nimport time; time.sleep(0.5)"
    with sampler(tmp_path / "run", [PYTHON, "-S", "-c", code], "hz=2") as running:
        root = running.root()
        running.rest()

    assert max(record.payload[2] for record in at_rest(tmp_path / "run").samples(root)) >= 200 * MIB


@pytest.mark.parametrize("hz", ["1", "1000"])
def test_the_slowest_and_the_fastest_rate(tmp_path: Path, hz: str) -> None:
    with sampler(tmp_path / "run", ["sleep", "0.3"], f"hz={hz}") as running:
        running.root()
        running.rest()

    recorded = at_rest(tmp_path / "run")
    assert recorded.exit_status == 0
    taken, missed = recorded.event("closed").payload[:2]
    assert taken >= (1 if hz == "1" else 50)
    assert missed == sum(record.payload[0] for record in recorded.events("missed"))


def test_every_tick_is_one_instant(tmp_path: Path) -> None:
    """The memory of a tree is a sum over one time: no process stands twice at it."""
    code = "import subprocess; [subprocess.run(['sleep', '0.02']) for _ in range(5)]"
    with sampler(tmp_path / "run", [PYTHON, "-S", "-c", code], "hz=500") as running:
        running.root()
        running.rest()

    seen = [(record.t_ns, record.pid) for record in at_rest(tmp_path / "run").samples()]
    assert len(seen) == len(set(seen))


def test_a_process_that_executes_another_program_gets_its_name(tmp_path: Path) -> None:
    code = "import os, time; time.sleep(0.05); os.execvp('sleep', ['sleep', '1.2'])"
    with sampler(tmp_path / "run", [PYTHON, "-S", "-c", code]) as running:
        root = running.root()
        running.rest()

    assert at_rest(tmp_path / "run").names()[root] == "sleep"


@pytest.mark.parametrize(
    "busy",
    [
        "sum(range(60_000_000))",
        "sorted(__import__('random').random() for _ in range(800_000))",
        "__import__('ctypes').PyDLL(None).usleep(900_000)",
        "__import__('re').match('(a+)+$', 'a' * 24 + 'b')",
    ],
    ids=["sum", "sorted", "sleep", "regex"],
)
def test_a_target_that_never_lets_go_of_its_interpreter_lock_is_sampled(tmp_path: Path, busy: str) -> None:
    with sampler(tmp_path / "run", [PYTHON, "-S", "-c", busy]) as running:
        running.root()
        running.rest()

    recorded = at_rest(tmp_path / "run")
    taken, missed = recorded.event("closed").payload[:2]
    assert taken >= 20
    # On a machine with something to spare it is all of them: what is measured there is `make bench`'s business.
    assert missed <= max(1, 0.01 * (taken + missed)) + _stolen_ticks(recorded)


def _stolen_ticks(recorded: Recorded) -> float:
    """How many ticks did this machine's other work cost, by the time that a waiting sampler was kept waiting?"""
    if os.getloadavg()[0] <= 1.5:
        return 0
    return 0.25 * sum(recorded.event("closed").payload[:2])


# --- children and orphans --------------------------------------------------------------------------------


def test_children_grandchildren_and_daemons_are_sampled_and_ended(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with working_in(tmp_path), sampler(run, [PYTHON, "-S", "-c", LEAVES]) as running:
        root = running.root()
        pids = numbers_in(tmp_path / "pids", 5)
        assert running.rest() == [["leftovers", "4"], ["lost", "0"], ["ended", "6"]]
        wait_gone(pids)

    recorded = at_rest(run)
    assert recorded.exit_status == 6
    assert set(pids) <= recorded.pids()
    assert all(recorded.samples(pid) for pid in pids)
    assert recorded.event("leftovers").payload[0] == 4
    parents = {record.pid: record.payload[0] for record in recorded.of(records.PROCESS)}
    assert parents[root] == running.process.pid
    assert {record.pid for record in recorded.of(records.EXIT)} >= set(pids)


def test_what_the_root_starts_with_its_last_breath_is_ended(tmp_path: Path) -> None:
    """It lives for less than a tick before it is alone."""
    for number in range(10):
        run = tmp_path / str(number)
        script = f"(echo $BASHPID > {tmp_path}/pid-{number}; exec sleep 1000) & exit 0"
        with sampler(run, ["bash", "-c", script], "hz=10") as running:
            running.rest()
        path = tmp_path / f"pid-{number}"
        if path.exists() and path.read_text().strip():
            assert not is_alive(int(path.read_text()))
        assert at_rest(run).exit_status == 0


def test_a_leftover_that_ignores_a_request_is_killed(tmp_path: Path) -> None:
    script = (
        "trap '' TERM; "
        "(echo $BASHPID > pids; "
        "while :; "
        "do sleep 1; "
        "done) & until [ -s pids ]; "
        "do :; "
        "done; "
        "sleep 0.1"
    )
    with working_in(tmp_path), sampler(tmp_path / "run", ["bash", "-c", script]) as running:
        running.rest()

    wait_gone(numbers_in(tmp_path / "pids", 1))
    assert at_rest(tmp_path / "run").exit_status == 0


def test_children_that_live_50_ms_are_seen(tmp_path: Path) -> None:
    code = (
        "import os, time\n"
        "for _ in range(30):\n"
        "    pid = os.fork()\n"
        "    if not pid: time.sleep(0.05); os._exit(0)\n"
        "    os.waitpid(pid, 0)"
    )
    with sampler(tmp_path / "run", [PYTHON, "-S", "-c", code]) as running:
        root = running.root()
        running.rest()

    recorded = at_rest(tmp_path / "run")
    assert len(recorded.pids() - {root}) >= (30 if os.getloadavg()[0] <= 1.5 else 24)


def test_threads_that_fork(tmp_path: Path) -> None:
    """The kernel lists children under the thread that started them."""
    code = (
        "import subprocess, threading, time\n"
        "def run(): subprocess.run(['sleep', '1.2'])\n"
        "threads = [threading.Thread(target=run) for _ in range(5)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]"
    )
    with sampler(tmp_path / "run", [PYTHON, "-S", "-c", code]) as running:
        running.root()
        running.rest()

    assert list(at_rest(tmp_path / "run").names().values()).count("sleep") == 5


def test_more_processes_than_a_shell_may_open_files_for(tmp_path: Path) -> None:
    """Two descriptors a process: the sampler takes what it may have, the target keeps its limit."""
    code = (
        "import os, resource, time\n"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], flush=True)\n"
        "for _ in range(60):\n"
        "    if not os.fork(): time.sleep(1000)\n"
        "time.sleep(0.6)"
    )
    script = 'ulimit -S -n 64; exec "$@"'
    with sampler(tmp_path / "run", [PYTHON, "-S", "-c", code], prefix=["sh", "-c", script, "sh"]) as running:
        running.root()
        running.rest()

    recorded = at_rest(tmp_path / "run")
    assert len(recorded.pids()) == 61
    assert (tmp_path / "run" / "stdout.log").read_text() == "64\n"


def test_with_hardly_any_descriptors_all_is_sampled_and_ended(tmp_path: Path) -> None:
    """It opens each file anew then, and keeps a few descriptors free for that."""
    script = 'ulimit -n 18; exec "$@"'
    code = (
        "import os, time\n"
        "for _ in range(30):\n"
        "    if not os.fork(): time.sleep(1000)\n"
        "time.sleep(0.5)\n"
        "os._exit(8)"
    )
    with sampler(tmp_path / "run", [PYTHON, "-S", "-c", code], prefix=["sh", "-c", script, "sh"]) as running:
        running.root()
        assert running.rest()[-1] == ["ended", "8"]

    recorded = at_rest(tmp_path / "run")
    assert recorded.exit_status == 8
    assert len(recorded.pids()) == 31
    assert all(recorded.samples(pid) for pid in recorded.pids())
    wait_gone(list(recorded.pids()))


def test_where_proc_cannot_be_read_the_target_goes_on(tmp_path: Path) -> None:
    """Not one descriptor is left: ticks are missed and said, and the status is passed on."""
    script = 'ulimit -n 10; exec "$@"'
    with sampler(
        tmp_path / "run", ["sh", "-c", "sleep 0.3; exit 8"], prefix=["sh", "-c", script, "sh"]
    ) as running:
        running.root()
        assert running.rest()[-1] == ["ended", "8"]

    recorded = at_rest(tmp_path / "run")
    assert recorded.event("closed").payload[1] > 0


# --- what is aimed at it ---------------------------------------------------------------------------------


def test_an_interrupt_of_the_whole_process_group_does_not_touch_it(tmp_path: Path) -> None:
    script = "trap 'exit 4' INT; echo; while :; do sleep 0.01; done"
    with (
        started(["sleep", "1000"], process_group=0) as leader,
        sampler(tmp_path / "run", ["sh", "-c", script], process_group=leader.pid) as running,
    ):
        running.root()
        until(lambda: (tmp_path / "run" / "stdout.log").stat().st_size, "the trap is set")
        os.killpg(leader.pid, signal.SIGINT)
        assert running.rest()[-1] == ["ended", "4"]

    assert not at_rest(tmp_path / "run").events("signal")


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2]
)
def test_a_signal_for_it_is_meant_for_the_target(tmp_path: Path, number: signal.Signals) -> None:
    with sampler(tmp_path / "run", ["sleep", "1000"]) as running:
        root = running.root()
        running.process.send_signal(number)
        assert running.rest()[-1] == ["ended", str(128 + number)]

    event = at_rest(tmp_path / "run").event("signal")
    assert (event.pid, event.payload[0]) == (root, number)


def test_when_nobody_listens_any_more_it_ends_its_tree(tmp_path: Path) -> None:
    """A notebook may drop a recording without ending itself."""
    with sampler(tmp_path / "run", [PYTHON, "-S", "-c", "import time; time.sleep(1000)"]) as running:
        root = running.root()
        running.hang_up()
        wait_gone([root])
        running.process.wait(60)

    recorded = at_rest(tmp_path / "run")
    assert recorded.event("recorder_died").pid == os.getpid()
    assert recorded.exit_status == 128 + signal.SIGTERM


def test_when_it_is_killed_its_target_dies_with_it(tmp_path: Path) -> None:
    with sampler(tmp_path / "run", ["sleep", "1000"]) as running:
        root = running.root()
        running.process.kill()
        wait_gone([root])

    Recorded(tmp_path / "run").check_whole(may_be_cut=True)


# --- 160 kills at random moments -------------------------------------------------------------------------


@pytest.mark.parametrize("victim", ["sampler", "target"])
def test_whoever_is_killed_every_record_is_whole(tmp_path: Path, victim: str) -> None:
    """80 times: all records whole, their numbers without a gap, the file a multiple of their size."""
    delays = [random.Random(number).uniform(0, 0.05) for number in range(80)]

    def kill_one(number: int) -> None:
        run = tmp_path / str(number)
        with sampler(run, ["sleep", "1000"], "hz=1000") as running:
            root = running.root()
            time.sleep(delays[number])
            os.kill(running.process.pid if victim == "sampler" else root, signal.SIGKILL)
            running.process.wait(60)
        recorded = Recorded(run)
        recorded.check_whole(may_be_cut=victim == "sampler")
        assert recorded.root == root
        if victim == "target":
            assert recorded.exit_status == 137
        wait_gone([root])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(kill_one, range(len(delays))))


# --- a disk without room ---------------------------------------------------------------------------------


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own with this much room."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("no right to mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_ends_no_recording_and_no_target(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "64k") as disk:
        with sampler(disk / "run", ["sleep", "1.5"], "hz=1000") as running:
            running.root()
            rest = dict(running.rest())

        assert rest["ended"] == "0"
        assert int(rest["lost"]) > 0
        recorded = Recorded(disk / "run")
        recorded.check_whole(may_be_cut=True)
        assert len(recorded.records) >= 500
        assert recorded.records[0].kind == records.HEADER


def test_a_disk_that_has_room_again_gets_the_newest_records(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "64k") as disk:
        (disk / "ballast").write_bytes(b"x" * 40_000)
        with sampler(disk / "run", ["sleep", "1000"], "hz=1000") as running:
            root = running.root()
            path = disk / "run" / "timeline.bin"
            until(lambda: _has_stopped_growing(path), "the disk is full")
            size = path.stat().st_size
            (disk / "ballast").unlink()
            until(lambda: path.stat().st_size > size, "it goes on")
            os.kill(root, signal.SIGTERM)
            running.rest()
        recorded = Recorded(disk / "run")
        recorded.check_whole(may_be_cut=True)


def _has_stopped_growing(path: Path) -> bool:
    size = path.stat().st_size
    time.sleep(0.05)
    return path.stat().st_size == size


def test_a_limit_on_the_size_of_files_is_no_end_either(tmp_path: Path) -> None:
    script = 'ulimit -f 16; exec "$@"'  # in 512 bytes: 8 KiB
    with sampler(tmp_path / "run", ["sleep", "0.6"], "hz=1000", prefix=["sh", "-c", script, "sh"]) as running:
        running.root()
        rest = dict(running.rest())

    assert rest["ended"] == "0"
    assert int(rest["lost"]) > 0
    Recorded(tmp_path / "run").check_whole(may_be_cut=True)
    assert (tmp_path / "run" / "timeline.bin").stat().st_size == 8192


# --- days ------------------------------------------------------------------------------------------------


def test_a_long_recording_stays_bounded_and_keeps_its_maxima(tmp_path: Path) -> None:
    segment = 32 * 1024
    code = (
        "import time\n"
        "time.sleep(0.5); x = b'x' * (80 * 2**20); time.sleep(0.1); del x\n"
        "for n in range(10): print(n, flush=True); time.sleep(0.2)"
    )
    with sampler(tmp_path / "run", [PYTHON, "-S", "-c", code], "hz=1000", f"segment={segment}") as running:
        root = running.root()
        assert dict(running.rest())["lost"] == "0"

    recorded = at_rest(tmp_path / "run")
    files = {path.name: path.stat().st_size for path in (tmp_path / "run").glob("timeline*")}
    assert "timeline.0.bin" in files
    assert sum(files.values()) <= 4 * segment
    assert recorded.peak_rss(root) > 80 * MIB
    assert max(record.payload[2] for record in recorded.samples(root)) > 80 * MIB
    assert [record.pid for record in recorded.of(records.PROCESS)].count(root) >= 1
    assert recorded.event("started").pid == root
    assert not any(record.pid == root for record in recorded.of(records.EXIT)[:-1])


def test_killing_the_copy_that_decimates_loses_nothing(tmp_path: Path) -> None:
    """What it worked on is still there, and another copy takes it up."""
    with sampler(tmp_path / "run", ["sleep", "1000"], "hz=1000", "segment=32768") as running:
        root = running.root()
        killed: set[int] = set()
        while len(killed) < 5:
            for pid in procfs.children(running.process.pid):
                if pid != root and pid not in killed:
                    os.kill(pid, signal.SIGKILL)
                    killed.add(pid)
            time.sleep(0.001)
        until((tmp_path / "run" / "timeline.0.bin").exists, "a copy that succeeds")
        os.kill(root, signal.SIGTERM)
        running.rest()

    recorded = at_rest(tmp_path / "run")
    assert recorded.exit_status == 128 + signal.SIGTERM
    taken = recorded.event("closed").payload[0]
    first = recorded.samples(root)[0].t_ns
    assert taken > 500
    assert first - recorded.of(records.HEADER)[0].t_ns < 2_000_000_000
    assert not list((tmp_path / "run").glob("*.tmp"))


def test_its_own_working_folder_does_not_matter(tmp_path: Path) -> None:
    with working_in(tmp_path), sampler(tmp_path / "run", ["pwd"]) as running:
        running.rest()

    assert (tmp_path / "run" / "stdout.log").read_text() == f"{tmp_path}\n"


@contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Runs the block in another working folder."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def test_an_attached_process_is_let_be_when_the_recording_is_stopped(tmp_path: Path) -> None:
    with started(["sleep", "1000"]) as target:
        with sampler(tmp_path / "run", [], f"attach={target.pid}") as running:
            assert running.root() == target.pid
            until(lambda: Recorded(tmp_path / "run").samples(target.pid), "samples")
            running.process.send_signal(signal.SIGTERM)
            assert running.rest()[-1] == ["ended", str(records.UNKNOWN)]
        assert target.poll() is None

    assert at_rest(tmp_path / "run").event("stopped").pid == target.pid
