"""Which of the kernel's lines are about our processes, and were written in our time?"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from diagtools.capture import kernel_log

SECOND = 1_000_000_000
LINES = [
    "6,1,1000000,-;Out of memory: Killed process 77 (python3) total-vm:1kB, anon-rss:2kB",
    "6,2,50000000,-;a line of something else that names 77",
    "3,3,60000000,-,caller=T77;Memory cgroup out of memory: Killed process 77 (idx:202) total-vm:9kB\n SUBSYSTEM=x",
    "3,4,61000000,-;Out of memory: Killed process 7 (sh) total-vm:1kB",
    "3,5,62000000,-;Killed process 78 (new \xff name), UID 0, total-vm:5kB",
]


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """One read gives one line, as with the real one; the list is what is still to come."""
    waiting = [line.encode("latin-1") for line in LINES]

    def read(_descriptor: int, _size: int) -> bytes:
        if not waiting:
            raise BlockingIOError
        line = waiting.pop(0)
        if line == b"overrun":
            raise BrokenPipeError
        return line

    (tmp_path / "kmsg").touch()
    monkeypatch.setattr(kernel_log, "_LOG", str(tmp_path / "kmsg"))
    monkeypatch.setattr("diagtools.capture.kernel_log.os.read", read)
    return waiting


def test_lines_of_our_processes_in_our_time(log: list[bytes]) -> None:
    found = kernel_log.oom_lines({77, 78}, 40 * SECOND)

    assert found == (
        "Memory cgroup out of memory: Killed process 77 (idx:202) total-vm:9kB",
        "Killed process 78 (new \N{REPLACEMENT CHARACTER} name), UID 0, total-vm:5kB",
    )


def test_a_line_of_an_earlier_process_with_the_same_pid_proves_nothing(log: list[bytes]) -> None:
    assert kernel_log.oom_lines({77}, 100 * SECOND) == ()
    assert log == []


def test_lines_that_the_kernel_has_dropped_meanwhile_are_no_end(log: list[bytes]) -> None:
    log.insert(0, b"overrun")

    assert len(kernel_log.oom_lines({77}, 0)) == 2


def test_a_log_that_may_not_be_read_says_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kernel_log, "_LOG", str(tmp_path / "nothing"))

    assert kernel_log.oom_lines({77}, 0) == ()


def test_the_real_one_can_be_asked() -> None:
    assert kernel_log.oom_lines({os.getpid()}, 0) == ()
