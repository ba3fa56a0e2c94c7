"""Work in a process of its own: what it prints comes back, and nothing that records this session goes there."""

from __future__ import annotations

import os
import sys

import pytest

from diagtools.pytest_plugin.aside import plain_environment, run_aside


def test_what_it_prints_comes_back() -> None:
    said = run_aside("calendar", "2026", "2")
    assert "February 2026" in said


@pytest.mark.parametrize(
    ("module", "words", "said"),
    [
        ("no_such_module_of_ours", [], "No module named"),
        ("calendar", ["never"], "argument year: invalid int value"),
    ],
    ids=["no module", "its own error"],
)
def test_a_failure_is_told_by_its_last_line(module: str, words: list[str], said: str) -> None:
    with pytest.raises(OSError, match=said):
        run_aside(module, *words)


def test_one_that_takes_too_long_is_ended() -> None:
    with pytest.raises(OSError, match=r"http\.server took longer than 1 s"):
        run_aside("http.server", "0", "--bind", "127.0.0.1", patience_s=1)


def test_its_environment_records_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DIAGTOOLS_RUN", "DIAGTOOLS_TESTS", "COV_CORE_SOURCE"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("PYTHONPATH", "/mine")
    monkeypatch.setenv("OF_THE_USER", "kept")
    found = plain_environment()
    assert not [name for name in found if name.startswith(("DIAGTOOLS_", "COV_CORE_"))]
    assert (found["PYTHONPATH"].split(os.pathsep)[-1], found["OF_THE_USER"]) == ("/mine", "kept")


def test_an_empty_environment_and_a_folder_that_is_gone_are_enough(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("gone")
    for name in list(os.environ):
        monkeypatch.delenv(name)
    monkeypatch.chdir(folder)
    folder.rmdir()
    try:
        assert "2026" in run_aside("calendar", "2026", "2")
        assert sys.executable
    finally:
        os.chdir("/")
