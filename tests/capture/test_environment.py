"""What an interpreter is and has."""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from diagtools.capture.environment import environment
from diagtools.errors import UsageError
from tests.support.interpreters import every_python, installed


def test_ours_has_what_we_have_installed() -> None:
    found = environment(sys.executable)
    assert found.version == ".".join(map(str, sys.version_info[:3]))
    assert found.installed["polars"] == version("polars")
    assert "typing-extensions" in found.installed  # by its normalised name


@every_python
def test_every_interpreter_tells(python: str) -> None:
    found = environment(python)
    assert found.version.startswith("3.")
    assert found.path
    assert all(path.is_absolute() for path in found.path)


def test_a_python_may_be_named_from_here(monkeypatch: pytest.MonkeyPatch) -> None:
    python = Path(sys.executable)
    monkeypatch.chdir(python.parents[1])
    found = environment(f"{python.parent.name}/{python.name}")
    assert found.identity == environment(sys.executable).identity


def test_two_interpreters_are_not_the_same() -> None:
    one_of_each = [path for minor in range(9, 16) for path in installed(f"3.{minor}")[:1]]
    identities = {environment(path).identity for path in [sys.executable, *one_of_each]}
    assert len(identities) == 1 + len(one_of_each)  # ours is an environment of one of them


def test_an_editable_install_names_its_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Metadata as pip writes it; a copy has none, and what is broken is none."""
    for name, told in {
        "edited": json.dumps({"url": (tmp_path / "my project").as_uri(), "dir_info": {"editable": True}}),
        "copied": json.dumps({"url": tmp_path.as_uri(), "dir_info": {}}),
        "broken": "[1",
    }.items():
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "direct_url.json").write_text(told)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = environment(sys.executable)
    assert tmp_path / "my project" in found.projects
    assert tmp_path not in found.projects
    assert found.installed["broken"] == "1.0"


def test_what_lies_in_the_working_folder_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "stray-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stray\nVersion: 1.0\n")
    monkeypatch.chdir(tmp_path)
    assert "stray" not in environment(sys.executable).installed


@pytest.mark.parametrize("python", ["/no/such/python", "true", os.devnull])
def test_what_is_no_python_is_said(python: str) -> None:
    with pytest.raises(UsageError, match=f"'{python}' does not run as a Python"):
        environment(python)


@pytest.mark.parametrize("old", ["2.7", "3.6", "3.8"])
def test_an_old_python_is_said(old: str) -> None:
    for python in installed(old)[:1]:
        with pytest.raises(UsageError, match=rf"is \S+ {old}.*, not CPython 3.9\+"):
            environment(python)
