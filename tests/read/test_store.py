"""The store lists its runs, newest first, and is not stopped by anything else in it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from diagtools.errors import UsageError
from diagtools.read.store import RunSummary, list_runs
from tests.support.runs import Recording, make_run


def age(folder: Path, seconds: float) -> None:
    then = time.time() - seconds
    for path in folder.iterdir():
        os.utime(path, (then, then))


def test_a_run_is_summed_up(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", stdout=b"12345", manifest={"exit_status": 137, "duration_s": 22.5})
    size = sum(path.stat().st_size for path in folder.iterdir())
    assert list_runs(tmp_path) == [
        RunSummary(
            path=folder,
            name="run",
            started_at="2025-11-04T12:00:00Z",
            argv=("python", "index.py"),
            exit_status=137,
            duration_s=22.5,
            size_bytes=size,
            state="finished",
        )
    ]


def test_the_newest_run_comes_first(tmp_path: Path) -> None:
    for day in (3, 5, 4):
        make_run(tmp_path / f"run-{day}", manifest={"started_at": f"2025-11-0{day}T12:00:00Z"})
    assert [run.name for run in list_runs(tmp_path)] == ["run-5", "run-4", "run-3"]


def test_no_store_holds_no_runs(tmp_path: Path) -> None:
    assert list_runs(tmp_path / "nowhere") == []


def test_a_store_that_is_a_file_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be listed"):
        list_runs(tmp_path / "file")


def test_rubbish_is_passed_over(tmp_path: Path) -> None:
    make_run(tmp_path / "run")
    (tmp_path / "notes.txt").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "run.json").write_text('{"scripts": {}}')
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "run.json").touch()
    (tmp_path / "latest").symlink_to(tmp_path / "run")
    (tmp_path / "nothing").symlink_to(tmp_path / "nowhere")
    assert [run.name for run in list_runs(tmp_path)] == ["run"]


def test_a_recording_that_nobody_writes_any_more_is_unfinished(tmp_path: Path) -> None:
    recording = {"state": "recording", "exit_status": None, "duration_s": None}
    make_run(tmp_path / "now", Recording().start(), manifest=recording)
    age(make_run(tmp_path / "killed", Recording().start(), manifest=recording), 3600)
    assert {run.name: run.state for run in list_runs(tmp_path)} == {
        "now": "recording",
        "killed": "unfinished",
    }


def test_half_a_run_is_listed(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "half", Recording().start())
    (folder / "run.json").write_text("{")
    age(folder, 3600)
    (found,) = list_runs(tmp_path)
    assert (found.state, found.argv, found.started_at) == ("unfinished", (), "2025-11-04T12:00:00Z")


def test_a_run_of_a_newer_format_is_listed_as_unreadable(tmp_path: Path) -> None:
    make_run(tmp_path / "run", manifest={"format": 99})
    (found,) = list_runs(tmp_path)
    assert (found.state, found.exit_status) == ("unreadable", None)
    assert found.size_bytes > 0


def test_links_are_not_counted_as_what_they_lead_to(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(10**6))
    folder = make_run(tmp_path / "store" / "run")
    (folder / "link").symlink_to(tmp_path / "large")
    (folder / "more").symlink_to(tmp_path)
    assert list_runs(tmp_path / "store")[0].size_bytes < 10**4
