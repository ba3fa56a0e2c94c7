"""Which Python does a command start?"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from diagtools.capture.interpreter import interpreter_of

PYTHON = sys.executable


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    for name in ("python3.11", "python", "pythonista", "ls"):
        (tmp_path / "bin" / name).symlink_to(PYTHON)
    return tmp_path


def script(place: Path, first: str) -> Path:
    path = place / "bin" / "tool"
    path.write_text(f"{first}\nprint()\n")
    path.chmod(0o755)
    return path


def asked(word: str, place: Path) -> str | None:
    return interpreter_of(word, {"PATH": f"{place}/bin"}, place)


def test_a_python_by_its_path_and_by_its_name(place: Path) -> None:
    assert asked("python3.11", place) == f"{place}/bin/python3.11"
    assert asked("bin/python", place) == f"{place}/bin/python"
    assert asked(f"{place}/bin/python", Path("/")) == f"{place}/bin/python"


@pytest.mark.parametrize("word", ["ls", "pythonista", "nothing", "bin/nothing", "bin"])
def test_what_is_no_python_is_not_asked(place: Path, word: str) -> None:
    assert asked(word, place) is None


@pytest.mark.parametrize(
    "first", ["#!{}/bin/python3.11 -E", "#!/usr/bin/env python3.11", "#!/usr/bin/env -S A=b python3.11 -E"]
)
def test_a_script_names_its_own(place: Path, first: str) -> None:
    script(place, first.format(place))
    assert asked("tool", place) == f"{place}/bin/python3.11"


@pytest.mark.parametrize("first", ["#!/bin/sh", "#!", "#!/usr/bin/env", "#!/usr/bin/env 'odd", "\x7fELF", ""])
def test_a_script_of_another_kind(place: Path, first: str) -> None:
    script(place, first)
    assert asked("tool", place) is None
