"""The lines of a process: none is lost, torn or written by another one, and none raises into the session."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from diagtools.pytest_plugin.journal import Journal
from diagtools.read.suite_log import SuiteLog, read_suite_logs
from diagtools.values.suite import FORMAT, MAIN, ProcessBegun, ProcessEnded, Remark

BEGUN = ProcessBegun(
    format=FORMAT,
    pid=os.getpid(),
    worker=MAIN,
    t_ns=5,
    rss=7,
    is_exact=True,
    python="3",
    pytest="9",
    is_traced=False,
)


def read(folder: Path) -> SuiteLog:
    """The one log in this folder."""
    (log,) = read_suite_logs(folder)
    assert log.n_damaged == 0
    return log


def test_what_was_written_before_it_was_opened_follows_the_process(tmp_path: Path) -> None:
    journal = Journal()
    early, late = Remark(text="early"), ProcessEnded(t_ns=9, rss=8)
    journal.write(early)
    assert list(tmp_path.iterdir()) == []
    journal.open(tmp_path, BEGUN)
    journal.write(late)
    assert (read(tmp_path).begun, read(tmp_path).events) == (BEGUN, (early, late))
    assert journal.problem == ""
    assert oct((tmp_path / f"tests.{os.getpid()}.jsonl").stat().st_mode)[-3:] == "600"


def test_any_text_is_one_line_that_the_reader_takes(tmp_path: Path) -> None:
    journal = Journal()
    journal.open(tmp_path, BEGUN)
    texts = ["x" * 10_000, "a\nb\0c\u2028", "<script>", "\udcff", "", "ü" * 4000]
    for text in texts:
        journal.write(Remark(text=text))
    found = [event.text for event in read(tmp_path).events if isinstance(event, Remark)]
    assert found == ["x" * 4000, "a\nb\0c\u2028", "<script>", "\\udcff", "", "ü" * 4000]


def test_a_forked_child_writes_nothing(tmp_path: Path) -> None:
    journal = Journal()
    journal.open(tmp_path, BEGUN)
    pid = os.fork()
    if not pid:
        journal.write(Remark(text="of the child"))
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    journal.write(Remark(text="of the parent"))
    assert read(tmp_path).events == (Remark(text="of the parent"),)


@pytest.mark.parametrize("kind", ["full disk", "no folder"])
def test_a_line_that_cannot_be_written_is_told_and_raises_nothing(tmp_path: Path, kind: str) -> None:
    if kind == "full disk":
        (tmp_path / f"tests.{os.getpid()}.jsonl").symlink_to("/dev/full")
    folder = tmp_path if kind == "full disk" else tmp_path / "gone"
    journal = Journal()
    journal.open(folder, BEGUN)
    journal.write(Remark(text="lost"))
    assert journal.problem in ("No space left on device", "No such file or directory")
