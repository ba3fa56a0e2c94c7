"""Which lines asked for the memory of a test, from what memray wrote when it ran once more."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from diagtools.investigations.asking_lines import asking_lines
from diagtools.read.suite_tests import SuiteCosts, suite_costs
from tests.support import captures
from tests.support.suite_logs import line, log, whole_test

NAME = "tests.7-1.memray"


def costs(*, peak: int = 56, capture: str = NAME) -> SuiteCosts:
    """A test that needed ``peak`` - 50 MiB and ran once more."""
    repeat = line("repeat", number=1, phase="call", capture=capture)
    return suite_costs([log(*whole_test(1, "a.py::t", begin=50, peak=peak), repeat)])


def test_the_heaviest_lines_first(tmp_path: Path) -> None:
    pytest.importorskip("memray")
    shutil.copy(captures.capture(), tmp_path / NAME)
    head, first, *others = asking_lines(tmp_path, costs())
    assert head == "a.py::t needed 6.00 MiB; in its call, run once more, these lines held most at the peak:"
    assert first.split()[:2] == ["5.00", "MiB"]
    assert first.endswith("program.py:8 hold")
    assert len(others) <= 4


def test_a_repeat_that_was_another_one_says_so(tmp_path: Path) -> None:
    pytest.importorskip("memray")
    shutil.copy(captures.capture(), tmp_path / NAME)
    (told,) = asking_lines(tmp_path, costs(peak=450))
    assert told.startswith("a.py::t needed 400 MiB, but only ")
    assert told.endswith("when it ran once more: which lines asked is not known.")


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    assert asking_lines(tmp_path, costs()) == [f"a.py::t: '{NAME}' is not there any more."]
    (tmp_path / NAME).write_bytes(b"no capture")
    (told,) = asking_lines(tmp_path, costs())
    assert told.startswith("a.py::t: ")


@pytest.mark.parametrize("capture", ["../outside.memray", "/etc/passwd", "link", "fifo"])
def test_nothing_outside_the_run_is_read(tmp_path: Path, capture: str) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (tmp_path / "outside.memray").write_bytes(b"x")
    (folder / "link").symlink_to(tmp_path / "outside.memray")
    os.mkfifo(folder / "fifo")
    (told,) = asking_lines(folder, costs(capture=capture))
    assert told.endswith("it is not read.")
