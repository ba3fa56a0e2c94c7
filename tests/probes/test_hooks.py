"""Who is told that a moment has come, and in which order."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from diagtools.capture.tracked import read_notes
from diagtools.probes import boot, hooks, moments, ticker, workers
from tests.capture.processes import until
from tests.support.interpreters import every_python

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the ledger of Linux")

MIB = 2**20
BOTH = {"ledger": "ledger signal", "holders": "holders signal"}
#: A marker (with more held than ever, so one is due at once), the signal, the exit.
MOMENTS = """
import os, signal
from diagtools import mark
mark.phase('one')
os.kill(os.getpid(), signal.SIGRTMIN + 9)
"""


class Schedule:
    """Stands for one of `moments`, and says what it is asked to take."""

    answers, cap, period_s = True, 0, 0.0

    def __init__(self, name: str, said: list[str], within: Callable[[], None] = lambda: None) -> None:
        self._name, self._said, self._within = name, said, within

    def take(self, kind: str, _edge: str, _label: bytes) -> None:
        self._said.append(f"{self._name} {kind}")
        self._within()

    def close(self) -> None:
        self._said.append(f"{self._name} closed")


def run_of(python: str, code: str, folder: Path, **asked: str) -> subprocess.CompletedProcess[str]:
    (folder / "program.py").write_text(code)
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "DIAGTOOLS_", "PYTEST"))}
    env = {**plain, **boot.environment(plain, str(folder), **asked)}
    command = [python, "-W", "error", "program.py"]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)


def taken_in(folder: Path) -> list[tuple[int, str]]:
    """The processes and instruments of all snapshots, in their order."""
    notes = read_notes(folder, moments.NOTES)
    return [(note.pid, note.text.partition(":")[0]) for note in notes if note.kind == "taken"]


@every_python
@pytest.mark.parametrize("asked", [BOTH, dict(reversed(BOTH.items()))], ids=["in order", "the other way"])
def test_the_ledger_comes_first_at_every_moment(python: str, asked: dict[str, str], tmp_path: Path) -> None:
    done = run_of(python, MOMENTS, tmp_path, **asked)

    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    assert [name for _, name in taken_in(tmp_path)] == ["ledger", "holders"] * 3
    ledgers = sorted(tmp_path.glob("heap.*.json"))
    assert [json.loads(path.read_bytes())["kind"] for path in ledgers] == ["phase", "signal", "exit"]


def test_what_the_objects_took_is_not_in_the_ledger_of_the_exit(tmp_path: Path) -> None:
    code = "kept = [[str(n)] for n in range(300_000)]"
    alone, both = tmp_path / "alone", tmp_path / "both"
    for folder, asked in ((alone, {"ledger": "ledger"}), (both, BOTH)):
        folder.mkdir()
        run_of(sys.executable, code, folder, **asked)
    assert rss_of(both) - rss_of(alone) < 4 * MIB  # 13 MiB the other way round


def rss_of(folder: Path) -> int:
    """As the one ledger in it has it."""
    (path,) = folder.glob("heap.*.json")
    said = json.loads(path.read_bytes())
    return sum(mapping[said["mapping_fields"].index("rss")] for mapping in said["mappings"])


@every_python
def test_one_thread_is_enough_for_all(python: str, tmp_path: Path) -> None:
    code = "import os, time; time.sleep(0.2); print(len(os.listdir('/proc/self/task')))"
    words = f"signal every_s=60 cap={1 << 40}"
    asked = {
        "ledger": f"ledger {words}",
        "holders": f"holders {words}",
        "allocations": "tracemalloc every_s=60",
    }
    assert run_of(python, code, tmp_path, **asked).stdout == "2\n"


@every_python
def test_a_worker_ends_once(python: str, tmp_path: Path) -> None:
    code = """
import multiprocessing
if __name__ == '__main__':
    multiprocessing.set_start_method('fork')
    process = multiprocessing.Process(target=int)
    process.start()
    process.join()
"""
    assert run_of(python, code, tmp_path, **BOTH).stderr == ""
    taken = taken_in(tmp_path)
    first = list(dict.fromkeys(pid for pid, _ in taken))
    assert len(first) == 2  # the worker's, then its parent's
    assert taken == [(pid, name) for pid in first for name in ("ledger", "holders")]


def test_who_asks_by_the_signal_gets_one_of_each(tmp_path: Path) -> None:
    code = "import time\nprint('ready', flush=True)\nfor _ in range(600): time.sleep(0.1)"
    env = {**os.environ, **boot.environment(os.environ, str(tmp_path), **BOTH)}
    process = subprocess.Popen([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGRTMIN + hooks.SIGNAL_OFFSET)
        until(lambda: len(taken_in(tmp_path)) == 2, what="two snapshots")
        assert taken_in(tmp_path) == [(process.pid, "ledger"), (process.pid, "holders")]
    finally:
        process.kill()
        process.communicate()


def test_a_signal_is_not_lost_while_snapshots_are_taken() -> None:
    said: list[str] = []
    asked_once = iter([lambda: heard._take_as_asked()])
    first = Schedule("first", said, within=lambda: next(asked_once, lambda: None)())
    heard: Any = hooks.Hooks([first, Schedule("second", said)], workers, ticker)
    heard._take([first], "interval")
    assert said == ["first interval", "first signal", "second signal"]


def test_nothing_is_taken_after_the_exit() -> None:
    said: list[str] = []
    heard: Any = hooks.Hooks([Schedule("one", said)], workers, ticker)
    heard._close()
    heard._close()
    heard._take_as_asked()
    assert said == ["one exit", "one closed"]
