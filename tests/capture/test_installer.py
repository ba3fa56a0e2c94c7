"""Which tool is asked, and that nothing lying in the working folder is taken for it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from diagtools.capture import installer
from diagtools.capture.installer import Pip, Refused, Uv, installers, pip_words, said
from diagtools.capture.refusals import Reason
from tests.support.releases import only_here, wheel


def test_uv_is_asked_first_and_then_pip() -> None:
    found = [type(tool) for tool in installers(sys.executable)]
    assert found == ([Uv, Pip] if installer.uv_program() else [Pip])


def test_a_pip_in_the_working_folder_is_not_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pip.py").write_text("raise SystemExit('not pip')")
    monkeypatch.chdir(tmp_path)
    words = pip_words(sys.executable)
    assert words is not None
    assert said([*words, "--version"], os.environ).stdout.startswith("pip ")


def test_ours_works_for_an_interpreter_without_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment as uv makes it."""
    index = only_here(tmp_path, monkeypatch)
    wheel(index, "madeup", "1.0")
    done = said([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], os.environ)
    assert done.returncode == 0, done.stdout
    python = str(tmp_path / "bare" / "bin" / "python")
    words = pip_words(python)
    assert words is not None
    assert words[-2:] == ("--python", python)
    assert Pip(python=python, words=words).wanted(["madeup"]) == {"madeup": "1.0"}


def test_a_tool_that_refuses_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_here(tmp_path, monkeypatch)
    for tool in installers(sys.executable):
        with pytest.raises(Refused) as caught:
            tool.wanted(["nosuch==1"])
        assert caught.value.refusal.reason is Reason.UNKNOWN


def test_a_tool_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installer, "_PATIENCE_S", 0.2)
    with pytest.raises(Refused, match="it took longer"):
        said(["sleep", "60"], os.environ)
