"""Who belongs to a run, and the end of those that nobody else can end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from diagtools.capture import leftovers
from diagtools.probes import records
from diagtools.probes.writer import CURRENT, HISTORY, WAITING
from tests.capture.processes import PYTHON, is_alive, numbers_in, started, until, wait_gone

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc of Linux")


def process(pid: int, ticks: int) -> bytes:
    return records.pack_process(1, pid, 1, 0, ticks, b"any")


def test_processes_of_all_files_are_known(tmp_path: Path) -> None:
    (tmp_path / HISTORY).write_bytes(records.pack(records.HEADER, 1, 9, 0, (1, 0, 0, 0, 0)) + process(11, 1))
    (tmp_path / WAITING).write_bytes(process(12, 1) + records.pack(records.SAMPLE, 1, 99, 2, (4, 4, 4, 4, 4)))
    damaged = bytearray(process(14, 1))
    damaged[40] ^= 1
    (tmp_path / CURRENT).write_bytes(process(13, 1) + bytes(damaged) + process(15, 1)[:50])

    assert leftovers.pids(tmp_path) == {11, 12, 13}
    assert leftovers.pids(tmp_path / "nothing") == set()


def test_the_first_sign_of_an_end_counts(tmp_path: Path) -> None:
    ends = [
        records.pack(records.EXIT, t_ns, pid, 1, (0, 0, 0, 0, 0)) for t_ns, pid in [(7, 12), (8, 11), (9, 11)]
    ]
    (tmp_path / CURRENT).write_bytes(process(11, 1) + b"".join(ends))

    assert leftovers.ended_ns(tmp_path, 11) == 8
    assert leftovers.ended_ns(tmp_path, 13) is None


def test_a_recorded_process_is_ended_wherever_its_record_stands(tmp_path: Path) -> None:
    with started(["sleep", "1000"]) as one, started(["sleep", "1000"]) as other:
        (tmp_path / HISTORY).write_bytes(process(one.pid, leftovers.start_ticks(one.pid)))
        (tmp_path / CURRENT).write_bytes(process(other.pid, leftovers.start_ticks(other.pid)))

        assert leftovers.end(tmp_path) == 2
        wait_gone([one.pid, other.pid])


def test_a_process_that_only_has_the_pid_of_another_is_let_be(tmp_path: Path) -> None:
    with started(["sleep", "1000"]) as stranger:
        (tmp_path / CURRENT).write_bytes(process(stranger.pid, leftovers.start_ticks(stranger.pid) - 1))

        assert leftovers.end(tmp_path) == 0
        assert is_alive(stranger.pid)


def test_a_process_that_carries_the_name_of_the_run_is_ended(tmp_path: Path) -> None:
    others = tmp_path / "run-of-another"
    with (
        started(
            [PYTHON, "-S", "-c", "import time; time.sleep(1000)"], env={"DIAGTOOLS_RUN": str(others)}
        ) as other,
        started(["sleep", "1000"], cwd=tmp_path, env={"DIAGTOOLS_RUN": str(tmp_path / "run")}) as ours,
    ):
        environment = Path(
            f"/proc/{ours.pid}/environ"
        )  # there a moment after the exec that `started` waits for
        until(lambda: b"DIAGTOOLS_RUN=" in environment.read_bytes(), "the environment of the process")
        assert leftovers.end(tmp_path / "run") == 1
        wait_gone([ours.pid])
        assert is_alive(other.pid)


def test_what_starts_others_while_it_is_ended_loses_the_race(tmp_path: Path) -> None:
    code = (
        "import os, time\n"
        "for _ in range(200):\n"
        "    if os.fork():\n"
        "        time.sleep(1000)\n"
        "    open('pids', 'a').write(f'{os.getpid()}\\n')\n"
        "    time.sleep(0.002)\n"
        "time.sleep(1000)"
    )
    with started([PYTHON, "-S", "-c", code], cwd=tmp_path, env={"DIAGTOOLS_RUN": str(tmp_path / "run")}):
        numbers_in(tmp_path / "pids", 5)
        assert leftovers.end(tmp_path / "run") >= 5
        wait_gone([int(line) for line in (tmp_path / "pids").read_text().split()])


def test_a_process_that_has_ended_has_no_start(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as child:
        until(lambda: not is_alive(child.pid), "it has ended")
        with pytest.raises(ProcessLookupError):
            leftovers.start_ticks(child.pid)
        (tmp_path / CURRENT).write_bytes(process(child.pid, 1))
        assert leftovers.end(tmp_path) == 0
    with pytest.raises(ProcessLookupError):
        leftovers.start_ticks(child.pid)


def test_without_proc_psutil_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "_HAS_PROC", False)

    assert leftovers.start_ticks(os.getpid()) == leftovers.start_ticks(os.getpid()) > 0
    with pytest.raises(ProcessLookupError):
        leftovers.start_ticks(2**22 + 1)
