"""``%%record``: a cell in a fresh process, from a shell in this process and from a real notebook."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
from pathlib import Path

import nbclient
import nbformat
import pytest
from IPython.core.error import UsageError as ShownInOneLine
from IPython.core.interactiveshell import InteractiveShell

from diagtools.run import Run
from diagtools.values import State
from tests.capture.processes import until
from tests.support.interpreters import every_python

LOAD = "from diagtools.notebook.record_cell import load; load(get_ipython())"


def recorded(shell: InteractiveShell, line: str, cell: str) -> Run:
    done = shell.run_cell(f"%%record {line}\n{cell}")
    done.raise_error()
    assert isinstance(done.result, Run)
    return done.result


def answer(run: Run) -> object:
    """What the cell printed last, as JSON."""
    return json.loads((run.path / "stdout.log").read_text().splitlines()[-1])


# --- the process -------------------------------------------------------------------------------------


def test_the_run_is_bound_and_shown(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    run = recorded(shell, "big", "keep = bytearray(100 << 20)\nprint(len(keep))")
    assert shell.user_ns["big"] is run
    assert run.exit_status == 0
    assert run.peak_rss_bytes is not None
    assert run.peak_rss_bytes > 100 << 20
    assert capsys.readouterr() == (f"{100 << 20}\nOut[0]: {run!r}\n", "")


def test_it_is_a_process_of_its_own_and_bare(shell: InteractiveShell) -> None:
    """Nothing of ours or of the kernel is loaded, and no name of ours is there."""
    shell.user_ns["secret"] = 1
    cell = """
names = sorted(globals())
import json, os, sys
loaded = [name for name in sys.modules if name.partition(".")[0] in ("IPython", "linecache", "traceback", "asyncio")]
print(json.dumps([os.getpid(), __name__, [name for name in names if not name.startswith("__")], loaded]))
"""
    pid, name, names, loaded = answer(recorded(shell, "run", cell))  # type: ignore[misc]
    assert pid != os.getpid()
    assert (name, names, loaded) == ("__main__", [], [])


def test_modules_beside_the_notebook_are_found(
    shell: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "beside.py").write_text("value = 5")
    monkeypatch.chdir(tmp_path)
    assert answer(recorded(shell, "run", "import beside\nprint(beside.value)")) == 5


def test_no_script_is_left(shell: InteractiveShell) -> None:
    run = recorded(shell, "run", "import json\nprint(json.dumps(__file__))")
    assert not Path(str(answer(run))).parent.exists()


def test_variables_are_passed(shell: InteractiveShell) -> None:
    shell.user_ns.update(sizes=[1, 2.5, None], options={"deep": {"on": True}}, place=Path("a") / "b")
    cell = "import json\nprint(json.dumps([sizes, options, place]))"
    run = recorded(shell, "run -p sizes -p options -p place", cell)
    assert answer(run) == [[1, 2.5, None], {"deep": {"on": True}}, "a/b"]


def test_strings_of_the_cell_are_not_touched(shell: InteractiveShell) -> None:
    cell = 'def f():\n    return """a\n  %b\n!c\n"""\nimport json\nprint(json.dumps(f()))'
    assert answer(recorded(shell, "run", cell)) == "a\n  %b\n!c\n"


def test_it_may_await(shell: InteractiveShell) -> None:
    cell = """
import asyncio, json
async def one(x):
    await asyncio.sleep(0)
    return x
print(json.dumps(await asyncio.gather(one(1), one(2))))
"""
    assert answer(recorded(shell, "run", cell)) == [1, 2]


def test_it_may_start_a_loop_of_its_own(shell: InteractiveShell) -> None:
    cell = "import asyncio\nasync def one():\n    return 1\nprint(asyncio.run(one()))"
    assert answer(recorded(shell, "run", cell)) == 1


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_its_processes_find_what_it_defines(shell: InteractiveShell, method: str) -> None:
    shell.user_ns["factor"] = 7
    cell = f"""
import multiprocessing
def times(x):
    return x * factor
if __name__ == "__main__":
    with multiprocessing.get_context("{method}").Pool(2) as pool:
        print(pool.map(times, [1, 2]))
"""
    run = recorded(shell, "run -p factor", cell)
    assert answer(run) == [7, 14]


def test_a_folder_and_another_rate(shell: InteractiveShell, tmp_path: Path) -> None:
    run = recorded(shell, f"run --hz 250 -o {tmp_path / 'mine'}", "1")
    assert run.path == tmp_path / "mine"
    assert run.manifest.hz == 250


def test_another_run_is_neither_overwritten_nor_shown(
    shell: InteractiveShell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = f"%%record run -o {tmp_path / 'mine'}\n"
    shell.run_cell(f"{line}print('first')").raise_error()
    capsys.readouterr()
    assert shell.run_cell(f"{line}print('second')").error_in_exec is not None
    shown = capsys.readouterr()
    assert shown.out == ""
    assert f"UsageError: '{tmp_path / 'mine'}' exists already" in shown.err


def test_a_backend_of_the_notebook_is_not_the_cells(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    cell = "import json, os\nprint(json.dumps(os.environ['MPLBACKEND']))"
    assert answer(recorded(shell, "run", cell)) == "agg"
    monkeypatch.setenv("MPLBACKEND", "svg")
    assert answer(recorded(shell, "run", cell)) == "svg"


# --- failures ----------------------------------------------------------------------------------------


def test_a_cell_that_fails_is_a_run_and_its_traceback_shows_its_lines(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    run = recorded(shell, "run", 'def fail():\n    """a\nb"""\n    raise KeyError("x")  # here\n\nfail()')
    assert run.exit_status == 1
    said = re.sub(r"\n *[~^]+(?=\n)", "", capsys.readouterr().err)
    assert said == (
        "Traceback (most recent call last):\n"
        '  File "cell run", line 6, in <module>\n    fail()\n'
        '  File "cell run", line 4, in fail\n    raise KeyError("x")  # here\n'
        "KeyError: 'x'\n"
        "The cell did not end well (exit status 1).\n"
    )


def test_an_awaiting_cell_that_fails(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    recorded(shell, "run", "async def fail():\n    1 / 0\n\nawait fail()")
    lines = [line for line in capsys.readouterr().err.splitlines() if not set(line) <= set(" ~^")]
    assert lines[1:5] == [
        '  File "cell run", line 4, in <module>',
        "    await fail()",
        '  File "cell run", line 2, in fail',
        "    1 / 0",
    ]


def test_a_thread_that_fails(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    cell = "import threading\none = threading.Thread(target=lambda: 1 / 0, name='T')\none.start(); one.join()"
    run = recorded(shell, "run", cell)
    assert run.exit_status == 0
    said = capsys.readouterr().err
    assert said.startswith(
        'Exception in thread T:\nTraceback (most recent call last):\n  File "cell run", line 2, in'
    )
    assert "target=lambda: 1 / 0" in said


def test_python_s_own_tools_have_the_cells_lines(shell: InteractiveShell) -> None:
    cell = """
import inspect, json, traceback
def one():
    return 1
try:
    1 / 0  # here
except ZeroDivisionError:
    print(json.dumps([inspect.getsource(one), "1 / 0  # here" in traceback.format_exc()]))
"""
    assert answer(recorded(shell, "run", cell)) == ["def one():\n    return 1\n", True]


def test_a_cell_that_is_no_python(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    run = recorded(shell, "run", "x = 1\ndef f(:\n    pass")
    assert run.exit_status == 1
    assert capsys.readouterr().err.startswith('  File "cell run", line 2\n    def f(:\n')


def test_a_cell_that_exits(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    assert recorded(shell, "run", "import sys\nsys.exit(3)").exit_status == 3
    assert capsys.readouterr().err == "The cell did not end well (exit status 3).\n"


def test_a_cell_that_interrupts_itself_ends_as_any_program(shell: InteractiveShell) -> None:
    assert recorded(shell, "run", "raise KeyboardInterrupt").exit_status == 128 + signal.SIGINT


def test_a_cell_above_its_limit(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    run = recorded(shell, "run --limit 80MB", "import time\nx = bytearray(300 << 20)\ntime.sleep(60)")
    assert run.exit_status == 128 + signal.SIGKILL
    said = capsys.readouterr().err
    assert said.startswith(
        "The cell did not end well (exit status 137): the watchdog of diagtools ended it at "
    )
    assert len(said.splitlines()) == 1


def test_quiet_shows_only_why_it_failed(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    print_both = "import sys\nprint('out')\nprint('err', file=sys.stderr)\n"
    recorded(shell, "run --quiet", print_both)
    assert capsys.readouterr().err == ""
    run = recorded(shell, "run --quiet", f"{print_both}sys.exit(1)")
    shown = capsys.readouterr()
    assert shown.err == "err\nThe cell did not end well (exit status 1).\n"
    assert "out\n" not in shown.out
    assert (run.path / "stdout.log").read_text() == "out\n"


@pytest.mark.parametrize(
    ("line", "cell", "said"),
    [
        ("", "1", "required: NAME"),
        ("run -p nope", "1", "-p nope: there is no such variable. Hint: run the cell that sets it first."),
        ("run -p shell", "1", "-p shell: a value of type"),
        (
            "run",
            "x = 1\n!ls | wc",
            "IPython's syntax: '!ls | wc'; it runs in a plain Python process. Hint: put that",
        ),
        ("run", "%time 1", "IPython's syntax: '%time 1'"),
        ("run", "x = !ls", "IPython's syntax: 'x = !ls'"),
        ("run", "%%time\n1", "IPython's syntax: '%%time'"),
        ("run", "len?", "IPython's syntax: 'len?'"),
        ("run --python no/such/python", "1", "There is no command 'no/such/python'"),
        ("run --hz 5000", "1", "5000 Hz is not possible"),
    ],
)
def test_a_request_that_makes_no_sense_is_one_line(
    shell: InteractiveShell, line: str, cell: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.user_ns["shell"] = shell
    done = shell.run_cell(f"%%record {line}\n{cell}")
    assert isinstance(done.error_in_exec, ShownInOneLine)
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.err.startswith("UsageError: ")
    assert len(shown.err.splitlines()) == 1
    assert "run" not in shell.user_ns


def test_a_whole_cell_with_an_indent_or_prompts_is_python(shell: InteractiveShell) -> None:
    assert answer(recorded(shell, "run", "    x = 1\n    print(x)")) == 1
    assert answer(recorded(shell, "run", ">>> x = 2\n>>> print(x)")) == 2


# --- interpreters ------------------------------------------------------------------------------------


@every_python
def test_any_python_runs_it_and_shows_its_lines(
    shell: InteractiveShell, python: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cell = """
import asyncio, threading
await asyncio.sleep(0)
one = threading.Thread(target=lambda: 1 / 0)  # in a thread
one.start()
one.join()
raise KeyboardInterrupt  # in the cell
"""
    shell.user_ns["python"] = python
    run = recorded(shell, "run --python {python} -p python", cell)
    said = capsys.readouterr().err
    assert 'File "cell run", line 4, in <lambda>' in said
    assert "1 / 0)  # in a thread" in said
    assert "raise KeyboardInterrupt  # in the cell" in said
    assert "<diagtools>" not in said
    assert run.exit_status == 128 + signal.SIGINT


# --- trackers ----------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="memray as Linux has it")
def test_a_capture_names_the_cell_and_its_lines(shell: InteractiveShell) -> None:
    memray = pytest.importorskip("memray")
    run = recorded(shell, "run --memray", "def make():\n    return bytearray(50 << 20)\n\nx = make()")
    assert State.UNDER_TRACKER in [one.state for one in run.validity]
    (capture,) = run.path.glob("allocations.*.memray")
    with memray.FileReader(capture) as reader:
        largest = max(reader.get_high_watermark_allocation_records(), key=lambda one: one.size)
        cell, below = largest.stack_trace()[:2], largest.stack_trace()[2:]
    assert cell == [("make", "cell run", 2), ("<module>", "cell run", 4)]
    names = [(function, file) for function, file, _ in below]
    assert names == [("start", "<diagtools>"), ("<module>", "<diagtools>"), ("<module>", "<string>")]


def test_tracemalloc_is_asked_for(shell: InteractiveShell) -> None:
    run = recorded(shell, "run --tracemalloc", "x = bytearray(1 << 20)")
    assert list(run.path.glob("allocations.*.tracemalloc"))


# --- a real notebook ---------------------------------------------------------------------------------


@pytest.fixture
def notebook_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIAGTOOLS_STORE", str(tmp_path / "runs"))
    repository = Path(__file__).parents[2]
    monkeypatch.setenv("PYTHONPATH", str(repository))
    return tmp_path


def executed(folder: Path, *cells: str) -> tuple[nbclient.NotebookClient, nbformat.NotebookNode]:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in (LOAD, *cells)])
    resources = {"metadata": {"path": str(folder)}}
    return nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources=resources
    ), notebook


def text_of(cell: nbformat.NotebookNode, name: str) -> str:
    return "".join(one.text for one in cell.outputs if one.get("name") == name)


def test_a_notebook_shows_the_cells_output_in_its_place(notebook_folder: Path) -> None:
    recording = "%%record run -p n\nimport sys\nprint('out', n)\nprint('err', file=sys.stderr)"
    client, notebook = executed(notebook_folder, "n = 5", recording, "print(run.exit_status)")
    client.execute()
    _, _, cell, after = notebook.cells
    assert (text_of(cell, "stdout"), text_of(cell, "stderr")) == ("out 5\n", "err\n")
    result = cell.outputs[-1]
    assert result.output_type == "execute_result"
    assert re.match(r"Run '.*-cell-run-.*': exit status 0, ", result.data["text/plain"])
    assert text_of(after, "stdout") == "0\n"


def test_the_stop_button_ends_the_cell_and_keeps_the_run(notebook_folder: Path) -> None:
    """As a server does, the signal goes to the kernel's group.  The cells below are not run."""
    slow = (
        "%%record slow\nprint('begun')\nimport time\ntry:\n    time.sleep(600)\nfinally:\n    print('left')"
    )
    client, notebook = executed(notebook_folder, slow, "print(1)")

    def press() -> None:
        until(lambda: "begun" in text_of(notebook.cells[1], "stdout"), "the cell")
        os.killpg(os.getpgid(client.km.provisioner.pid), signal.SIGINT)

    button = threading.Thread(target=press)
    button.start()
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="KeyboardInterrupt"):
        client.execute()
    button.join()
    _, cell, below = notebook.cells
    assert text_of(cell, "stdout") == "begun\nleft\n"
    assert "Interrupted; slow is the run until then." in text_of(cell, "stderr")
    assert below.outputs == []
    (folder,) = (notebook_folder / "runs").iterdir()
    assert Run.open(folder).exit_status == 128 + signal.SIGINT
    assert Run.open(folder).manifest.state == "finished"
