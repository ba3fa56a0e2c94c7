"""memray's extension comes into a program, and next to nothing with it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import memray
import pytest

from diagtools.probes import memray_alone
from tests.support.tracked import recorded

PYTHON = sys.executable
#: Built in or not, these are extension modules, of which not all can be loaded twice.
EXTENSIONS = {
    "_collections",
    "_functools",
    "_operator",
    "_heapq",
    "zlib",
    "cython_runtime",
    "atexit",
    "itertools",
}
LOADED = "import sys, json; print(json.dumps(sorted(sys.modules)))"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


def loaded(asked: str, run: Path) -> set[str]:
    done = recorded(asked, [PYTHON, "program.py"], run, code=LOADED)
    assert done.stderr == ""
    return set(json.loads(done.stdout))


def test_a_program_gets_a_small_named_set_of_modules(run: Path) -> None:
    added = loaded("memray", run) - loaded("", run)
    others = {name for name in added if not name.startswith("_cython_")} - memray_alone.STAYS - EXTENSIONS
    assert others == set()
    assert "threading" in added
    assert list(run.glob("*.memray"))


def test_what_the_program_imports_is_whole(run: Path) -> None:
    code = """
import threading, pathlib, datetime, dataclasses, typing, enum, contextlib, platform, collections.abc, functools
@dataclasses.dataclass
class Point:
    x: int = 3
    y: typing.Optional[int] = dataclasses.field(default=None)
class Colour(enum.Enum):
    RED = 1
with contextlib.suppress(KeyError):
    raise KeyError
assert threading.current_thread() is threading.main_thread() and threading.active_count() == 1
print(Point(), Colour.RED, pathlib.Path('/').exists(), datetime.date(2020, 1, 2), platform.python_implementation())
"""
    done = recorded("memray", [PYTHON, "-W", "error", "program.py"], run, code=code)
    assert done.stderr == ""
    assert done.stdout == "Point(x=3, y=None) Colour.RED True 2020-01-02 CPython\n"


def test_the_program_may_import_memray_itself(run: Path) -> None:
    code = """
import sys
assert not any(name.startswith(('memray', 'rich')) for name in sys.modules)
import memray, pathlib, datetime, rich.progress
from memray import _memray
print(memray.__version__, memray._memray is _memray, _memray.pathlib is pathlib, _memray.datetime is datetime.datetime,
      _memray.Progress is rich.progress.Progress, memray.FileDestination(path='x') == memray.FileDestination(path='x'))
from memray._destination import FileDestination
print(FileDestination is memray.FileDestination, memray.FileFormat.ALL_ALLOCATIONS.name)
list(memray.FileReader(sys.argv[1]).get_high_watermark_allocation_records())
"""
    capture = run.parent / "other.memray"
    with memray.Tracker(capture):
        bytearray(10)
    done = recorded("memray", [PYTHON, "program.py", str(capture)], run, code=code)
    assert done.stderr == ""
    assert done.stdout == f"{memray.__version__} True True True True True\nTrue ALL_ALLOCATIONS\n"


def test_a_capture_holds_no_arguments(run: Path) -> None:
    recorded("memray", [PYTHON, "program.py", "--token=hunter2"], run)
    (capture,) = run.glob("*.memray")
    assert b"hunter2" not in capture.read_bytes()
    assert memray.FileReader(capture).metadata.command_line == "program.py"


def test_it_says_which_memray_there_is(tmp_path: Path) -> None:
    done = subprocess.run([PYTHON, memray_alone.__file__], capture_output=True, text=True)
    assert (done.stdout.strip(), done.returncode) == (memray.__version__, 0)


def test_it_says_that_there_is_none(tmp_path: Path) -> None:
    done = subprocess.run([PYTHON, "-I", "-S", memray_alone.__file__], capture_output=True, text=True)
    assert done.stdout == "ModuleNotFoundError: No module named 'memray'\n"
    assert done.returncode == memray_alone.EXIT_STATUS


def test_an_extension_of_another_version_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "memray").mkdir()
    (tmp_path / "memray" / "__init__.py").touch()
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); sys.argv = ['x']; import runpy; "
    code += f"runpy.run_path({memray_alone.__file__!r}, run_name='__main__')"
    done = subprocess.run([PYTHON, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert done.stdout == "ModuleNotFoundError: No module named 'memray._memray'\n"
    assert done.returncode == memray_alone.EXIT_STATUS
