"""A program that allocates so much is recorded as one that does, with its own lines, however it ends."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import memray
import pytest

from diagtools.probes import boot
from tests.support.tracked import MIB, captures, files_in, notes_of, peak_sites, recorded

PYTHON = sys.executable
VERSION = f"memray {memray.__version__}"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


def kinds(run: Path) -> list[str]:
    return [kind for kind, _, _ in notes_of(run)]


def test_what_is_allocated_is_found_at_its_line(run: Path) -> None:
    code = """
import atexit
def hold(n):
    return bytearray(n << 20)
kept = hold(64)
atexit.register(lambda: globals().update(late=hold(16)))
"""
    done = recorded("memray", [PYTHON, "program.py"], run, code=code)

    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    (capture,) = captures(run)
    assert peak_sites(capture, 8 * MIB) == {
        ("<module>:5", "hold:4"): pytest.approx(64 * MIB, abs=4096),
        ("<lambda>:6", "hold:4"): pytest.approx(16 * MIB, abs=4096),
    }
    assert notes_of(run) == [("begun", "", VERSION), ("closed", "", "")]


def test_nothing_of_ours_stands_in_the_stacks_of_the_program(run: Path) -> None:
    recorded(
        "memray python_allocators", [PYTHON, "program.py"], run, code="kept = [bytes(1000) for _ in range(9)]"
    )
    (capture,) = captures(run)
    ours = {file for file in files_in(capture) if "diagtools" in file}
    # Which were on the stack when it began: they hold what `site` still imports after us.
    assert ours <= {str(Path(boot.INJECTED) / "sitecustomize.py"), boot.__file__, *_probes()}
    with memray.FileReader(capture) as reader:
        records = list(reader.get_high_watermark_allocation_records(merge_threads=True))
    of_ours = [
        r.size for r in records if any("diagtools" in file for _, file, _ in r.stack_trace(max_stacks=99))
    ]
    assert sum(of_ours) < 64 << 10


def _probes() -> set[str]:
    return {str(path) for path in Path(boot.__file__).parent.glob("*.py")}


def test_threads_have_their_own_stacks_and_names(run: Path) -> None:
    code = """
import threading
def work():
    kept.append(bytearray(32 << 20))
kept = []
thread = threading.Thread(target=work, name='the worker')
thread.start()
thread.join()
"""
    recorded("memray", [PYTHON, "program.py"], run, code=code)
    (capture,) = captures(run)
    with memray.FileReader(capture) as reader:
        records = list(reader.get_high_watermark_allocation_records(merge_threads=False))
    (record,) = [each for each in records if each.size >= 32 * MIB]
    assert record.thread_name.endswith("the worker")
    assert record.stack_trace()[0][0] == "work"


@pytest.mark.parametrize(
    ("end", "status"),
    [("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL), ("os._exit(3)", 3)],
    ids=["killed", "left"],
)
def test_what_is_not_closed_can_be_read(run: Path, end: str, status: int) -> None:
    code = f"import os, signal\nkept = bytearray(64 << 20)\n{end}"
    done = recorded("memray", [PYTHON, "program.py"], run, code=code)
    assert done.returncode == status
    assert kinds(run) == ["begun"]
    assert peak_sites(captures(run)[0], 8 * MIB) == {("<module>:2",): pytest.approx(64 * MIB, abs=4096)}


def test_options_are_passed_on(run: Path) -> None:
    asked = "memray native python_allocators aggregated interval_ms=100"
    recorded(asked, [PYTHON, "program.py"], run, code="kept = bytearray(64 << 20)")
    metadata = memray.FileReader(captures(run)[0]).metadata
    assert metadata.has_native_traces
    assert metadata.trace_python_allocators
    assert metadata.file_format == memray.FileFormat.AGGREGATED_ALLOCATIONS


def test_a_python_that_executes_another_keeps_both(run: Path) -> None:
    code = """
import os, sys
kept = bytearray(32 << 20)
os.execv(sys.executable, [sys.executable, '-c', 'kept = bytearray(48 << 20)'])
"""
    recorded("memray", [PYTHON, "program.py"], run, code=code)
    sizes = [sum(peak_sites(each, 8 * MIB).values()) // MIB for each in captures(run)]
    assert sorted(sizes) == [32, 48]
    assert kinds(run) == ["begun", "begun", "closed"]


# --- children ---------------------------------------------------------------------------------------------------

FORKS = """
import os, sys
def child():
    kept = bytearray(32 << 20)
    sys.exit(0)
def parent():
    pid = os.fork()
    if pid == 0:
        child()
    return os.waitpid(pid, 0)[1]
if __name__ == '__main__':
    print(parent())
"""
WORKERS = """
import multiprocessing, sys
def work():
    global kept
    kept = bytearray(32 << 20)
if __name__ == '__main__':
    process = multiprocessing.get_context(sys.argv[1]).Process(target=work)
    process.start()
    process.join()
    print(process.exitcode)
"""


def test_a_forked_child_is_followed_and_its_capture_closed(run: Path) -> None:
    done = recorded("memray follow_fork", [PYTHON, "-W", "error", "program.py"], run, code=FORKS)
    assert (done.stdout, done.stderr) == ("0\n", "")
    (child,) = run.glob("allocations.*.memray.*")
    ((stack, size),) = peak_sites(child, 8 * MIB).items()
    assert [frame.partition(":")[0] for frame in stack] == ["<module>", "parent", "child"]
    assert size == pytest.approx(32 * MIB, abs=4096)
    assert kinds(run) == ["begun", "begun", "closed", "closed"]


def test_a_forked_child_that_is_not_followed_is_noted(run: Path) -> None:
    done = recorded("memray", [PYTHON, "program.py"], run, code=FORKS)
    assert (done.stdout, done.stderr) == ("0\n", "")
    assert len(captures(run)) == 1
    assert kinds(run) == ["begun", "forked", "closed"]


@pytest.mark.parametrize("how", ["fork", "spawn", "forkserver"])
def test_workers_are_followed_and_closed(run: Path, how: str) -> None:
    done = recorded("memray follow_fork", [PYTHON, "-W", "error", "program.py", how], run, code=WORKERS)
    assert (done.stdout, done.stderr) == ("0\n", "")
    sizes = [sum(peak_sites(each, 8 * MIB).values()) // MIB for each in captures(run)]
    assert sorted(sizes)[-2:] == [0, 32]
    assert "profiler" not in kinds(run)
    # A server of forks and the resource tracker may be ended without a word; the program and its worker are not.
    assert kinds(run).count("closed") >= 2


# --- a program that has a tracker or a profiler of its own ------------------------------------------------------


def test_a_second_tracker_is_refused_with_a_reason(run: Path) -> None:
    code = """
import memray
try:
    with memray.Tracker('own.memray'):
        pass
except RuntimeError as error:
    print(error)
"""
    done = recorded("memray", [PYTHON, "program.py"], run, code=code)
    assert done.stderr == ""
    assert "this program is being recorded by `diagtools record --memray`" in done.stdout
    assert ("second", f"{run.parent}/program.py:4", "memray.Tracker") in notes_of(run)


@pytest.mark.parametrize(
    ("own", "text"),
    [
        ("sys.setprofile(lambda *_: None); sys.setprofile(None)", "sys.setprofile"),
        ("threading.setprofile(lambda *_: None)", "threading.setprofile"),
    ],
)
def test_a_profiler_of_the_programs_own_is_noted_once(run: Path, own: str, text: str) -> None:
    code = f"""
import sys, threading
{own}
kept = []
def work():
    kept.append(bytearray(32 << 20))
for _ in range(2):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
def main():
    kept.append(bytearray(16 << 20))
main()
"""
    recorded("memray", [PYTHON, "program.py"], run, code=code)
    (noted,) = [note for note in notes_of(run) if note[0] == "profiler"]
    assert noted == ("profiler", f"{run.parent}/program.py:3", text)
    found = peak_sites(captures(run)[0], 8 * MIB)
    # What we say of such a program is what is so: sizes without stacks in the thread, or in the threads after it.
    empty = 16 if text == "sys.setprofile" else 64
    assert {len(stack) > 0: size // MIB for stack, size in found.items()} == {False: empty, True: 80 - empty}


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="it has events of its own from there on")
def test_a_deterministic_profiler_is_noted(run: Path) -> None:
    code = "import cProfile\ncProfile.run('1')\n"
    recorded("memray", [PYTHON, "program.py"], run, code=code)
    assert "profiler" in kinds(run)


def test_threads_of_the_program_are_no_profilers(run: Path) -> None:
    code = "import threading\nthread = threading.Thread(target=print)\nthread.start()\nthread.join()\n"
    recorded("memray", [PYTHON, "program.py"], run, code=code)
    assert kinds(run) == ["begun", "closed"]


# --- where it cannot be ------------------------------------------------------------------------------------------


def test_an_interpreter_without_memray_runs_the_program_and_notes_it(run: Path) -> None:
    base = getattr(sys, "_base_executable", sys.executable)
    done = recorded("memray", [base, "-s", "program.py"], run, code="print('here')")
    assert (done.stdout, done.stderr, done.returncode) == ("here\n", "", 0)
    assert notes_of(run) == [("absent", "", base)]


def test_a_capture_that_cannot_be_written_leaves_the_program_alone(run: Path) -> None:
    done = recorded(
        "memray",
        ["bash", "-c", f"ulimit -f 0; trap '' XFSZ; exec {PYTHON} program.py"],
        run,
        code="print('here')",
    )
    assert (done.stdout, done.returncode) == ("here\n", 0)


def test_greenlets_keep_their_stacks_apart(run: Path) -> None:
    pytest.importorskip("greenlet")
    code = """
import greenlet
def in_one():
    main.switch()
def back():
    return bytearray(32 << 20)
main = greenlet.getcurrent()
one = greenlet.greenlet(in_one)
one.switch()
kept = back()
"""
    done = recorded("memray", [PYTHON, "program.py"], run, code=code)
    assert done.stderr == ""
    assert list(peak_sites(captures(run)[0], 8 * MIB)) == [("<module>:10", "back:6")]
    assert kinds(run) == ["begun", "greenlet", "closed"]
