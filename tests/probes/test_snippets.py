"""Code of an experiment changes the program it is put into, and what became of it is known."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from diagtools.capture.applied import described
from diagtools.capture.changes import prepared
from diagtools.capture.tracked import read_notes
from diagtools.probes import boot, snippets
from diagtools.values import Changes, Patch, Target
from tests.support.interpreters import BARE, every_python

LIBRARY = """
import functools

RATE = 3

def fill(n):
    return list(range(n))

async def later(n):
    return n

@functools.lru_cache(None)
def square(n):
    return n * n

class Thing:
    @classmethod
    def make(cls, n):
        return cls.__name__, n

    @staticmethod
    def half(n):
        return n / 2

    def go(self, n):
        return "gone", n

class Other(Thing):
    pass
"""


def run_with(
    python: str, folder: Path, program: str, *codes: str, when: str | None = None, library: str = LIBRARY
) -> subprocess.CompletedProcess[str]:
    """What the program does with these snippets; its folder has a module ``library``."""
    (folder / "library.py").write_text(library)
    (folder / "program.py").write_text(program)
    run = folder / "run"
    run.mkdir()
    target = Target(argv=(python, "program.py"))
    changes = Changes(
        patches=tuple(Patch(name=f"patch {n}", code=code, when=when) for n, code in enumerate(codes))
    )
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "DIAGTOOLS_", "PYTEST"))}
    env = {**plain, **boot.environment(plain, str(run), **prepared(changes, target, run))}
    command = [python, "-W", "error", "program.py"]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)


def noted(folder: Path) -> list[tuple[str, str]]:
    return [(note.kind, note.text) for note in read_notes(folder / "run", snippets.NOTES)]


@every_python
def test_functions_and_methods_of_each_kind_are_replaced(python: str, tmp_path: Path) -> None:
    code = (
        "replace('library:fill', lambda n: [n])\n"
        "replace('library:Thing.make', lambda cls, n: (cls.__name__, -n))\n"
        "replace('library:Thing.half', lambda n: n / 4)\n"
        "replace('library:Thing.go', lambda self, n: (type(self).__name__, n))\n"
        "replace('library:RATE', 5)\n"
    )
    program = (
        "from library import RATE, Other, Thing, fill\n"
        "print(fill(7), Thing.make(1), Other.make(2), Thing.half(8), Thing().go(3), Other().go(4), RATE)\n"
    )
    done = run_with(python, tmp_path, program, code)
    assert done.stderr == ""
    assert done.stdout == "[7] ('Thing', -1) ('Other', -2) 2.0 ('Thing', 3) ('Other', 4) 5\n"
    kinds = [kind for kind, _ in noted(tmp_path)]
    assert kinds.count("waiting") == 5
    assert kinds.count("called") == 4
    assert kinds.count("replaced") == 1  # a number is no call
    assert "failed" not in kinds


@every_python
def test_a_wrapper_gets_the_original_and_all_it_was_called_with(python: str, tmp_path: Path) -> None:
    code = (
        "def twice(original, *args, **kwargs):\n"
        "    found = original(*args, **kwargs)\n"
        "    return found, found\n"
        "for name in ('fill', 'square', 'Thing.make', 'Thing.half', 'Thing.go'):\n"
        "    wrap('library:' + name, twice)\n"
    )
    program = (
        "import library\n"
        "thing = library.Other()\n"
        "print(library.fill(n=2), library.square(3), library.Other.make(1), thing.half(8), thing.go(n=3))\n"
        "print(library.fill.__name__, library.Thing.go.__qualname__)\n"
    )
    done = run_with(python, tmp_path, program, code)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "([0, 1], [0, 1]) (9, 9) (('Other', 1), ('Other', 1)) (4.0, 4.0) (('gone', 3), ('gone', 3))",
        "fill Thing.go",
    ]


@every_python
def test_a_coroutine_function_stays_one(python: str, tmp_path: Path) -> None:
    code = "def more(original, n):\n    return original(n + 1)\nwrap('library:later', more)\n"
    program = (
        "import asyncio, inspect, library\n"
        "print(asyncio.run(library.later(1)), inspect.iscoroutinefunction(library.later))\n"
    )
    done = run_with(python, tmp_path, program, code)
    assert done.stderr == ""
    assert done.stdout == "2 True\n"


@every_python
def test_it_runs_right_after_a_module_and_the_program_sees_no_trace(python: str, tmp_path: Path) -> None:
    """Also code that fails while it is imported shows the traceback that it always had."""
    program = (
        "import library, traceback\n"
        "print(library.RATE, type(library.__loader__).__name__, library.__spec__.loader is library.__loader__)\n"
        "try:\n    import broken\nexcept ZeroDivisionError:\n    print(len(traceback.format_exc().splitlines()))\n"
    )
    (tmp_path / "broken.py").write_text("1 / 0\n")
    done = run_with(python, tmp_path, program, "module.RATE = 9\nwrap('broken:x', len)", when="library")
    (tmp_path / "run").rename(tmp_path / "before")
    plain = subprocess.run(
        [python, "-W", "error", "program.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.stderr == plain.stderr == ""
    assert done.stdout == plain.stdout.replace("3 ", "9 ", 1)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero, line 1"),
        ("replace('library:nothing', 1)", "there is no library:nothing"),
        ("replace('library:Thing.none.at_all', 1)", "there is no library:Thing.none.at_all"),
        ("replace('library', 1)", "ValueError: 'library' names nothing to change"),
        ("wrap('library:RATE', print)", "library:RATE cannot be changed: it is no function but int"),
        ("replace('builtins:list.append', len)", "builtins:list.append cannot be changed"),
        (
            "@when_imported('library')\ndef change(module):\n    module.none",
            "AttributeError: ",
        ),
    ],
)
def test_what_cannot_be_changed_is_said_and_the_program_goes_on(code: str, said: str, tmp_path: Path) -> None:
    done = run_with(BARE, tmp_path, "import library\nprint(library.fill(2))\n", code)
    assert (done.stdout, done.stderr) == ("[0, 1]\n", "")
    failed = [text for kind, text in noted(tmp_path) if kind == "failed"]
    assert [text.startswith(f"0 {said}") for text in failed] == [True], failed


def test_what_a_snippet_raises_itself_is_told_from_what_the_program_raises(tmp_path: Path) -> None:
    code = (
        "def bad(original, n):\n"
        "    if n == 1:\n"
        "        return original('x')\n"
        "    raise KeyError('mine')\n"
        "wrap('library:fill', bad)\n"
    )
    program = (
        "import library\n"
        "for n in (1, 2):\n"
        "    try:\n"
        "        library.fill(n)\n"
        "    except Exception as error:\n"
        "        print(type(error).__name__)\n"
    )
    done = run_with(BARE, tmp_path, program, code)
    assert done.stdout == "TypeError\nKeyError\n"
    assert [text for kind, text in noted(tmp_path) if kind == "raised"] == [
        "0 library:fill: KeyError: 'mine'"
    ]


@every_python
def test_something_is_called_again_and_again_until_the_end(python: str, tmp_path: Path) -> None:
    """A fork has no second thread beside it, which newer CPythons warn of; the child has a clock of its own."""
    code = "calls = []\nevery(0.01, lambda: calls.append(1))\nimport builtins\nbuiltins.calls = calls\n"
    program = (
        "import os, time\n"
        "def wait():\n"
        "    before = len(calls)\n"
        "    until = time.monotonic() + 60\n"
        "    while len(calls) < before + 3 and time.monotonic() < until:\n"
        "        time.sleep(0.01)\n"
        "    return len(calls) >= before + 3\n"
        "print(wait(), flush=True)\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    os._exit(0 if wait() else 1)\n"
        "print(os.waitpid(child, 0)[1], wait())\n"
    )
    done = run_with(python, tmp_path, program, code)
    assert done.stderr == ""
    assert done.stdout == "True\n0 True\n"


def test_a_hot_function_is_noted_once(tmp_path: Path) -> None:
    code = "replace('library:fill', lambda n: n)"
    run_with(BARE, tmp_path, "import library\nfor n in range(1000):\n    library.fill(n)\n", code)
    assert [kind for kind, _ in noted(tmp_path)].count("called") == 1


def test_modules_of_c_and_those_that_replace_themselves(tmp_path: Path) -> None:
    library = (
        "import sys, types\nnew = types.ModuleType('library')\nnew.RATE = 1\nsys.modules['library'] = new\n"
    )
    code = (
        "@when_imported('library')\ndef change(module):\n    module.RATE += 1\n"
        "@when_imported('zlib')\ndef note(module):\n    module.seen = True\n"
        "@when_imported('sys')\ndef early(module):\n    module.seen = True\n"
    )
    program = "import library, sys, zlib\nprint(library.RATE, zlib.seen, sys.seen)\n"
    done = run_with(BARE, tmp_path, program, code, library=library)
    assert (done.stdout, done.stderr) == ("2 True True\n", "")


def test_the_manifest_names_what_was_asked_for() -> None:
    changes = Changes(without=("a", "b"), lazy=("/x/y.py:3",), patches=(Patch(name="fix.py", code=""),))
    assert described(changes) == {
        "without a": "a",
        "without b": "b",
        "lazy /x/y.py:3": "/x/y.py:3",
        "patch 0": "fix.py",
    }


def test_a_name_that_is_set_in_the_snippet_alone_changes_nothing(tmp_path: Path) -> None:
    done = run_with(BARE, tmp_path, "import library\nprint(library.RATE)\n", "RATE = 9", when="library")
    assert done.stdout == "3\n"
    assert ("failed", "0 it sets 'RATE' in itself: write module.RATE = RATE") in noted(tmp_path)


def test_what_a_thread_of_a_snippet_raises_is_noted(tmp_path: Path) -> None:
    code = (
        "import threading\n"
        "def work():\n"
        "    raise KeyError('later')\n"
        "thread = threading.Thread(target=work)\n"
        "thread.start()\n"
        "thread.join()\n"
    )
    run_with(BARE, tmp_path, "import threading\n", code)
    assert ("raised", "0 a thread: KeyError: 'later'") in noted(tmp_path)


@pytest.mark.parametrize("code", ["raise SystemExit(3)", "import sys; sys.exit(0)"])
def test_a_snippet_does_not_end_the_program(code: str, tmp_path: Path) -> None:
    done = run_with(BARE, tmp_path, "print('done')\n", code)
    assert (done.returncode, done.stdout) == (0, "done\n")
    assert "failed" in dict(noted(tmp_path))


def test_nothing_of_a_script_can_be_replaced(tmp_path: Path) -> None:
    run_with(BARE, tmp_path, "def f(): pass\nf()\n", "replace('__main__:f', len)")
    assert "put it into a module" in dict(noted(tmp_path))["failed"]
