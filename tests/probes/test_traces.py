"""Snapshots of tracemalloc: taken when they should be, on every CPython, at a bounded price."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from diagtools.probes import boot
from tests.support.interpreters import every_python
from tests.support.tracked import MIB, notes_of, parsed, recorded, snapshots_of

PYTHON = sys.executable


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


KNOWN = """
from diagtools import mark
def hold(n):
    return bytearray(n << 20)
mark.phase('load\\tall')
kept = hold(64)
mark.phase('work')
other = hold(16)
"""


@every_python
def test_what_is_held_is_found_at_its_line(python: str, run: Path) -> None:
    done = recorded("tracemalloc n_frames=4", [python, "-W", "error", "program.py"], run, code=KNOWN)

    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    last = snapshots_of(run)[-1]
    assert (last.kind, last.edge, last.label) == ("exit", "", "")
    program = f"{run.parent}/program.py"
    large = {site.frames: (site.size, site.n_total) for site in last.sites if site.size > MIB}
    assert large == {
        (f"{program}:4", f"{program}:6"): (pytest.approx(64 * MIB, abs=4096), 2),
        (f"{program}:4", f"{program}:8"): (pytest.approx(16 * MIB, abs=4096), 2),
    }
    assert sum(site.size for site in last.sites) + last.ours == pytest.approx(last.traced, abs=16 << 10)
    n = len(snapshots_of(run))
    assert [kind for kind, _, _ in notes_of(run)] == ["begun", *["taken"] * n, "closed"]


@every_python
def test_no_module_is_added_but_the_tracers_own(python: str, run: Path) -> None:
    code = "import sys; print(*sorted(sys.modules))"
    plain = recorded("", [python, "program.py"], run, code=code).stdout.split()
    traced = recorded("tracemalloc", [python, "program.py"], run, code=code).stdout.split()
    assert set(traced) - set(plain) <= {"_tracemalloc"}
    assert set(plain) <= set(traced)


def test_a_phase_is_shown_as_it_ends(run: Path) -> None:
    recorded("tracemalloc", [PYTHON, "program.py"], run, code="import time\n" + KNOWN + "time.sleep(0.2)\n")
    shown = [(each.kind, each.edge, each.label) for each in snapshots_of(run)]
    assert shown[-1] == ("exit", "", "")
    assert {kind for kind, _, _ in shown} <= {"phase", "exit"}


def test_a_peak_between_two_phases_soon_after_another_is_shown(run: Path) -> None:
    code = """
from diagtools import mark
with mark.phase('load'):
    x = bytearray(100_000_000)
with mark.phase('in'):
    pass
del x
y = bytearray(1_000_000)
"""
    recorded("tracemalloc", [PYTHON, "program.py"], run, code=code)
    largest = max(snapshots_of(run), key=lambda each: each.traced)
    assert (largest.kind, largest.edge, largest.label) == ("phase", "end", "load")
    assert sum(site.size for site in largest.sites) > 100_000_000


def test_a_peak_at_the_end_of_an_item_is_shown(run: Path) -> None:
    code = """
from diagtools import mark
for n in (1, 50, 1):
    with mark.item(f'item {n}'):
        x = bytearray(n << 20)
"""
    recorded("tracemalloc", [PYTHON, "program.py"], run, code=code)
    largest = max(snapshots_of(run), key=lambda each: each.traced)
    assert (largest.label, largest.traced > 50 * MIB) == ("item 50", True)


def test_a_loop_of_items_that_grow_takes_a_snapshot_each_tenth_more(run: Path) -> None:
    code = """
from diagtools import mark
kept = []
for n in range(20_000):
    with mark.item(n):
        kept.append(bytearray(5_000))
"""
    recorded("tracemalloc", [PYTHON, "program.py"], run, code=code)
    items = [each.traced for each in snapshots_of(run) if each.kind == "item"]
    assert 2 <= len(items) <= 60
    assert max(items) > 20 * MIB  # a busy machine leaves less time for them


def test_no_frame_of_ours_is_in_a_site(run: Path) -> None:
    code = "from diagtools import mark\nfor n in range(5000):\n    with mark.item(n): pass\n"
    recorded("tracemalloc every_s=0.05", [PYTHON, "program.py"], run, code=code)
    files = {
        frame.rpartition(":")[0] for each in snapshots_of(run) for site in each.sites for frame in site.frames
    }
    ours = {file for file in files if "/diagtools/probes/" in file or file.endswith("/diagtools/mark.py")}
    assert ours <= {f"{boot.INJECTED}/sitecustomize.py"}  # another sitecustomize runs beneath it
    assert snapshots_of(run)[-1].ours > 0


def test_a_loop_of_many_items_takes_few_snapshots(run: Path) -> None:
    code = """
from diagtools import mark
import time
until = time.monotonic() + 2.5
n = 0
while time.monotonic() < until:
    n += 1
    with mark.item(f'item {n}'):
        pass
print(n)
"""
    done = recorded("tracemalloc", [PYTHON, "program.py"], run, code=code)
    items = [each for each in snapshots_of(run) if each.kind == "item"]
    assert int(done.stdout) > 100
    assert 1 <= len(items) <= 2
    assert all(each.label.startswith("item ") and each.edge == "end" for each in items)


def test_snapshots_at_intervals(run: Path) -> None:
    code = "import time\nkept = bytearray(8 << 20)\ntime.sleep(1)\n"
    recorded("tracemalloc every_s=0.1", [PYTHON, "program.py"], run, code=code)
    taken = [each for each in snapshots_of(run) if each.kind == "interval"]
    assert len(taken) >= 2
    assert taken[-1].traced > 8 * MIB


def test_the_newest_before_the_cap_survives_the_kill(run: Path) -> None:
    code = """
import os, signal, time
kept = []
for _ in range(85):
    kept.append(bytearray(1 << 20))
    time.sleep(0.01)
time.sleep(0.5)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = recorded(f"tracemalloc cap={100 * MIB}", [PYTHON, "program.py"], run, code=code)
    assert done.returncode == -signal.SIGKILL
    last = snapshots_of(run)[-1]
    assert last.kind == "cap"
    assert max(site.size for site in last.sites) > 40 * MIB
    assert "closed" not in [kind for kind, _, _ in notes_of(run)]


def test_what_there_is_no_room_for_is_left_out_and_noted(run: Path) -> None:
    code = "from diagtools import mark\nkept = [object() for _ in range(300_000)]\nmark.phase('x')\n"
    recorded(f"tracemalloc cap={40 * MIB}", [PYTHON, "program.py"], run, code=code)
    assert "skipped" in [kind for kind, _, _ in notes_of(run)]
    assert [each for each in snapshots_of(run) if each.kind == "exit"] == []


# --- children ---------------------------------------------------------------------------------------------------


@every_python
def test_a_forked_child_has_a_log_of_its_own(python: str, run: Path) -> None:
    code = """
import os, sys
before = bytearray(16 << 20)
pid = os.fork()
if pid == 0:
    after = bytearray(32 << 20)
    sys.exit(0)
print(os.waitpid(pid, 0)[1])
"""
    done = recorded("tracemalloc every_s=60", [python, "-W", "error", "program.py"], run, code=code)
    assert (done.stdout, done.stderr) == ("0\n", "")
    held = [round(sum(site.size for site in each.sites) / MIB) for each in snapshots_of(run)]
    assert sorted(held) == [16, 48]


@pytest.mark.parametrize("how", ["fork", "spawn"])
def test_workers_leave_a_last_snapshot(run: Path, how: str) -> None:
    code = """
import multiprocessing, sys
def work():
    global kept
    kept = bytearray(32 << 20)
if __name__ == '__main__':
    process = multiprocessing.get_context(sys.argv[1]).Process(target=work)
    process.start()
    process.join()
"""
    done = recorded("tracemalloc", [PYTHON, "program.py", how], run, code=code)
    assert done.stderr == ""
    held = [sum(site.size for site in each.sites) // MIB for each in snapshots_of(run) if each.kind == "exit"]
    assert 32 <= max(held) < 40


# --- a program that traces itself -------------------------------------------------------------------------------


def test_a_program_that_stops_tracing_is_noted(run: Path) -> None:
    code = "import tracemalloc\ntracemalloc.stop()\n"
    done = recorded("tracemalloc", [PYTHON, "program.py"], run, code=code)
    assert done.stderr == ""
    assert [kind for kind, _, _ in notes_of(run)] == ["begun", "stopped", "closed"]
    assert snapshots_of(run) == []


def test_one_that_traces_already_keeps_its_own_depth(run: Path) -> None:
    code = "import tracemalloc\nprint(tracemalloc.get_traceback_limit())\n"
    done = recorded("tracemalloc n_frames=9", [PYTHON, "program.py"], run, code=code, PYTHONTRACEMALLOC="3")
    assert done.stdout == "3\n"
    assert [kind for kind, _, _ in notes_of(run)] == ["second", "begun", "taken", "closed"]


def test_its_own_snapshots_work(run: Path) -> None:
    code = "import tracemalloc\nprint(len(tracemalloc.take_snapshot().traces) > 0)\n"
    assert recorded("tracemalloc", [PYTHON, "program.py"], run, code=code).stdout == "True\n"


def test_a_torn_tail_loses_only_the_last(run: Path) -> None:
    code = "import time\ntime.sleep(0.5)\n"
    recorded("tracemalloc every_s=0.1", [PYTHON, "program.py"], run, code=code)
    (log,) = run.glob("*.tracemalloc")
    data = log.read_bytes()
    whole = parsed(data)
    assert len(whole) >= 2
    for cut in range(len(data) - 200, len(data) - 1, 7):
        assert [each.index for each in parsed(data[:cut])] == [each.index for each in whole[:-1]]
