"""A note is whole or not there, and names the program's own line."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from diagtools.probes import tracker_notes
from diagtools.probes.tracker_notes import Notes, place_of
from tests.support.tracked import notes_of


def test_notes_are_added_one_a_line(tmp_path: Path) -> None:
    Notes(str(tmp_path)).write("failed", "a\ttab, a\nline and \udcff", "x.py:3")
    Notes(str(tmp_path)).write("begun", "memray 1")
    lines = (tmp_path / tracker_notes.NAME).read_bytes().splitlines()
    assert [line.split(b"\t")[2:5] for line in lines] == [
        [b"failed", b"x.py:3", b"a\\ttab, a\\nline and \xff"],
        [b"begun", b"", b"memray 1"],
    ]


def test_a_torn_line_is_ended_by_the_next_writer(tmp_path: Path) -> None:
    (tmp_path / tracker_notes.NAME).write_bytes(b"123\t4\tbeg")
    Notes(str(tmp_path)).write("closed")
    assert (tmp_path / tracker_notes.NAME).read_bytes().startswith(b"123\t4\tbeg\n")


def test_once_is_once_a_process(tmp_path: Path) -> None:
    notes = Notes(str(tmp_path))
    notes.write_once("profiler", "one")
    notes.write_once("profiler", "two")
    if (pid := os.fork()) == 0:
        notes.write_once("profiler", "child")
        os._exit(0)
    os.waitpid(pid, 0)
    assert [text for _, _, text in notes_of(tmp_path)] == ["one", "child"]


def test_a_folder_that_is_gone_is_no_error(tmp_path: Path) -> None:
    Notes(str(tmp_path / "gone")).write("begun")


def test_the_place_is_the_programs_own() -> None:
    frame = sys._getframe()
    assert place_of(frame) == f"{__file__}:{frame.f_lineno}"
    assert place_of(None) == ""


@pytest.mark.parametrize("file", ["<frozen importlib._bootstrap>", "/x/site-packages/memray/commands/run.py"])
def test_frames_of_the_machinery_are_passed_over(file: str) -> None:
    names = {"place_of": place_of, "sys": sys}
    found = eval(compile("place_of(sys._getframe())", file, "eval"), names)
    assert found.startswith(f"{__file__}:")
