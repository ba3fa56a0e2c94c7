"""What the kernel says of processes, compared with processes of which we know it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from diagtools.probes import procfs
from tests.capture.processes import PYTHON, numbers_in, started, until
from tests.capture.recorded import MIB

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc of Linux")

#: A process with an odd name: blanks, brackets and a line end in what /proc/PID/stat shows between brackets.
ODD = """
import ctypes, os
ctypes.CDLL(None).prctl(15, b') R 1 (\\n x', 0, 0, 0)
keep = b'x' * (64 * 2**20)
for _ in range(3): sum(range(1_000_000))
open('pids', 'w').write(f'{os.getpid()}\\n')
input()
"""


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[int]:
    with started([PYTHON, "-S", "-c", ODD], cwd=tmp_path, stdin=subprocess.PIPE):
        (pid,) = numbers_in(tmp_path / "pids", 1)
        yield pid


def test_sizes_times_and_names_of_a_process(odd: int) -> None:
    process = procfs.Process(odd)
    process.read_fast()
    process.read_slow(5)

    assert 64 * MIB < process.rss < 96 * MIB
    assert 0 < process.shared < 32 * MIB
    assert process.hwm >= process.rss
    assert process.n_threads == 1
    assert process.t_slow == 5
    assert 10_000 <= process.cpu_us < 10**9
    assert process.name == b") R 1 (\n x"
    process.close()


def test_its_start_names_a_process_for_ever(odd: int) -> None:
    assert procfs.start_ticks(odd) >= procfs.start_ticks(os.getpid())
    assert procfs.start_ticks(odd) == procfs.start_ticks(odd)


def test_its_proportional_size_is_about_its_own_when_it_shares_little(odd: int) -> None:
    pss = procfs.pss_bytes(odd)

    assert pss is not None
    assert 64 * MIB < pss < 96 * MIB


def test_its_descriptors_and_storage(odd: int) -> None:
    assert procfs.n_fds(odd) == 3
    assert procfs.Process(odd).io_bytes() is not None


def test_a_process_that_has_ended_and_is_not_collected(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as child:
        until(lambda: procfs.has_ended(child.pid), "it has ended")
        process = procfs.Process(child.pid)
        process.read_fast()
        process.read_slow(1)

        assert (process.rss, process.hwm) == (0, 0)
        assert procfs.pss_bytes(child.pid) == 0
        assert procfs.command_name(child.pid) == b"true"
        process.close()


def test_a_process_that_is_gone() -> None:
    with subprocess.Popen(["sleep", "100"]) as child:
        process = procfs.Process(child.pid)
        process.read_fast()
        process.read_slow(1)
        hwm = process.hwm
        child.kill()
    with pytest.raises(OSError, match="No such process"):
        process.read_fast()

    assert hwm > 0
    assert procfs.has_ended(child.pid)
    assert procfs.pss_bytes(child.pid) == 0
    assert process.io_bytes() is None
    assert procfs.n_fds(child.pid) is None
    assert procfs.command_name(child.pid) == b"?"
    assert procfs.children(child.pid) == []
    with pytest.raises(OSError, match="No such"):
        procfs.Process(child.pid)
    process.close()


def test_a_process_that_could_not_be_opened_leaves_no_descriptor_behind() -> None:
    before = procfs.n_fds(os.getpid())
    for _ in range(10):
        with pytest.raises(OSError, match="No such"):
            procfs.Process(2**22 + 1)

    assert procfs.n_fds(os.getpid()) == before


def test_children_of_any_thread_are_found() -> None:
    found: list[subprocess.Popen[bytes]] = []
    thread = threading.Thread(target=lambda: found.append(subprocess.Popen(["sleep", "100"])))
    thread.start()
    thread.join()
    found.append(subprocess.Popen(["sleep", "100"]))
    try:
        pids = {child.pid for child in found}
        assert pids <= set(procfs.children(os.getpid()))
        assert pids <= set(procfs.children_by_scan()[os.getpid()])
        assert procfs.has_children_files()
    finally:
        for child in found:
            child.kill()
            child.wait()


def test_the_last_pid_moves_when_a_process_is_started() -> None:
    before = procfs.last_pid()
    subprocess.run(["true"])

    assert procfs.last_pid() != before


def test_the_machine() -> None:
    assert procfs.available_bytes() > MIB
    psi = procfs.psi_some_percent()
    assert psi is None or 0 <= psi <= 100


def test_numbers_and_counters_in_files(tmp_path: Path) -> None:
    (tmp_path / "memory.current").write_text("4096\n")
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.events").write_text("low 0\noom 3\noom_kill 2\noom_group_kill 1\n")
    (tmp_path / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 5\n")

    assert procfs.number_in(str(tmp_path / "memory.current")) == 4096
    assert procfs.number_in(str(tmp_path / "memory.max")) is None
    assert procfs.number_in(str(tmp_path / "nothing")) is None
    assert procfs.counter_in(str(tmp_path / "memory.events"), b"oom_kill") == 2
    assert procfs.counter_in(str(tmp_path / "memory.oom_control"), b"oom_kill") == 5
    assert procfs.counter_in(str(tmp_path / "memory.oom_control"), b"nothing") is None
    assert procfs.counter_in(str(tmp_path / "nothing"), b"oom_kill") is None
