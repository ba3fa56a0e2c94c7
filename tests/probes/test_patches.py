"""A package that is blocked is not installed, for everything that asks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from diagtools.capture.bootstrap import call, interpreter_argv
from diagtools.probes import patches
from tests.support.interpreters import every_python

#: A probe that executes the statement it is given.
RUNNER = "def run(argv):\n    exec(argv[0], {'__name__': '__main__'})\n"


def without(
    names: str, code: str, folder: Path, python: str = sys.executable
) -> subprocess.CompletedProcess[str]:
    """What this code prints where these packages are blocked."""
    runner = ModuleType("runner")
    runner.__file__ = str(folder / "runner.py")
    (folder / "runner.py").write_text(RUNNER)
    calls = [call(patches, folder, python, "block", names), call(runner, folder, python, "run")]
    command = interpreter_argv(python, calls, [code])
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=60)


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """Packages ``big`` with ``big.part``, and ``bigger``; and the metadata of a distribution ``big``."""
    for name in ("big", "bigger"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
        (tmp_path / name / "part.py").write_text("")
    info = tmp_path / "Big-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: Big\nVersion: 1.0\n")
    return tmp_path


@every_python
def test_it_cannot_be_imported_and_says_so_as_ever(python: str, world: Path) -> None:
    done = without("big", "import big", world, python)
    plain = subprocess.run([python, "-c", "import nowhere_at_all"], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == plain.stderr.splitlines()[-1].replace("nowhere_at_all", "big")
    assert "_find_spec" not in done.stderr
    assert done.returncode == 1


@every_python
def test_nothing_else_that_asks_finds_it(python: str, world: Path) -> None:
    code = (
        "import importlib, importlib.util as u, importlib.metadata as m, json\n"
        "found = [str(u.find_spec('big')), str(u.find_spec('bigger') is not None)]\n"
        "for ask in (lambda: m.version('big'), lambda: importlib.import_module('big.part')):\n"
        "    try: found.append(str(ask()))\n"
        "    except Exception as error: found.append(f'{type(error).__name__}: {error.name}')\n"
        "print(json.dumps(found))"
    )
    done = without("big", code, world, python)
    assert done.returncode == 0, done.stderr
    spec, other, version, part = json.loads(done.stdout)
    assert (spec, other) == ("None", "True")
    assert version.startswith("PackageNotFoundError")
    assert part == "ModuleNotFoundError: big"


@every_python
def test_a_module_in_it_can_be_blocked_alone(python: str, world: Path) -> None:
    code = "import big\ntry: import big.part\nexcept ImportError as error: print(error.name)"
    assert without("big.part,other", code, world, python).stdout == "big.part\n"


@every_python
def test_what_was_loaded_before_is_gone(python: str, world: Path) -> None:
    """A file of site-packages that names modules to import may have loaded it already."""
    (world / "block.py").write_text(Path(patches.__file__).read_text())
    code = (
        "import sys, json.decoder; names = {'__name__': 'patches'}; "
        "exec(open('block.py').read(), names); names['block']('json'); "
        "print('json' in sys.modules, 'json.decoder' in sys.modules, 're' in sys.modules)"
    )
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, cwd=world)
    assert done.stdout == "False False True\n", done.stderr


@every_python
def test_the_distribution_that_brings_it_is_not_installed_either(python: str, world: Path) -> None:
    """Its name may be another than the package's."""
    info = (world / "Big-1.0.dist-info").rename(world / "Py_Big-1.0.dist-info")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: Py-Big\nVersion: 1.0\n")
    code = (
        "import importlib.metadata as m\n"
        "try: m.version('py_big')\nexcept m.PackageNotFoundError: print('gone')\n"
    )
    assert without("big;Py-Big", code, world, python).stdout == "gone\n"
    assert without("bigger;", code, world, python).stdout == ""
