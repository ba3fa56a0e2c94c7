"""Where a run lands, and that it never lands on something else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from diagtools.capture import folder
from diagtools.errors import RecorderError, UsageError


def test_the_store_is_runs_here_unless_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIAGTOOLS_STORE", raising=False)
    assert folder.store() == Path("runs")
    monkeypatch.setenv("DIAGTOOLS_STORE", "elsewhere")
    assert folder.store() == Path("elsewhere")


@pytest.mark.parametrize(
    ("argv", "label"),
    [
        (["python", "app.py", "--fast"], "python-app.py"),
        (["/usr/bin/env", "bash"], "env-bash"),
        (["tool", "--password", "hunter2"], "tool"),
        (["tool", "ghp_abcdefghijklmnopqrstuvwxyz"], "tool"),
        (["a b", "ü", ""], "run"),
        (["x" * 99], "x" * 40),
        (["..", "/"], "run"),
    ],
)
def test_a_run_is_named_by_its_time_and_command_without_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argv: list[str], label: str
) -> None:
    monkeypatch.setenv("DIAGTOOLS_STORE", str(tmp_path / "a" / "store"))

    made = folder.new_run_folder(argv)

    assert re.fullmatch(r"\d{8}-\d{6}-" + re.escape(label) + "-[0-9a-f]{4}", made.name)
    assert made.stat().st_mode & 0o777 == 0o700


def test_a_name_that_is_taken_is_not_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIAGTOOLS_STORE", str(tmp_path))
    names = iter(["same", "same", "other"])
    monkeypatch.setattr(folder, "_name", lambda _: next(names))

    made = [folder.new_run_folder(["true"]), folder.new_run_folder(["true"])]

    assert [path.name for path in made] == ["same", "other"]


def test_a_folder_that_is_named_is_taken_when_it_is_new_or_empty(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    assert folder.new_run_folder(["true"], tmp_path / "empty") == tmp_path / "empty"
    assert folder.new_run_folder(["true"], tmp_path / "not" / "there") == tmp_path / "not" / "there"


@pytest.mark.parametrize("kind", ["file", "full", "link", "dangling"])
def test_what_is_there_stays(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    (tmp_path / "link").symlink_to("full")
    (tmp_path / "dangling").symlink_to("nowhere")

    with pytest.raises(UsageError, match="exists already"):
        folder.new_run_folder(["true"], tmp_path / kind)
    assert (tmp_path / "file").read_text() == "mine"
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine"]


@pytest.mark.parametrize("place", ["file/below", "x" * 300])
def test_a_place_that_cannot_be_is_one_error(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RecorderError, match="cannot be written"):
        folder.new_run_folder(["true"], tmp_path / place)
    monkeypatch.setenv("DIAGTOOLS_STORE", str(tmp_path / place))
    with pytest.raises(RecorderError, match="cannot be written"):
        folder.new_run_folder(["true"])


def test_a_run_that_never_began_leaves_nothing_of_its_own(tmp_path: Path) -> None:
    ours = folder.new_run_folder(["true"], tmp_path / "ours")
    theirs = folder.new_run_folder(["true"], tmp_path / "theirs")

    folder.discard(ours, keep_folder=False)
    folder.discard(theirs, keep_folder=True)
    folder.discard(ours, keep_folder=False)

    assert not ours.exists()
    assert list(theirs.iterdir()) == []
