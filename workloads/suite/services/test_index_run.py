"""Does a run over a folder account for every file?"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from workloads.rag.__main__ import WRONG_USE, main
from workloads.rag.config import IndexConfig
from workloads.rag.indexer import index

FUNCTION = "def load(path):\n    return path.read_text()\n"
LONG = "x = [\n" + (" " * 60 + "1,\n") * 66 + "]\n"


@pytest.fixture
def folder(tree: Callable[..., Path]) -> Path:
    """A package with a test, a bundle and a binary file."""
    return tree(
        {
            "src/load.py": FUNCTION,
            "src/long.py": LONG,
            "src/load.test.js": "x",
            "dist/app.min.js": "var a=1;" * 5,
            "data.bin.py": b"\0\1",
        }
    )


@pytest.mark.parametrize("batch", [1, 2, 3, None])
def test_every_file_is_excluded_failed_or_indexed(folder: Path, batch: int | None) -> None:
    """Five were found, whatever the batch."""
    report = index(IndexConfig(folder=folder, batch=batch, threads=1))
    out, failed = len(report.selection.excluded), len(report.failures)
    assert (out, failed, report.counts.files_indexed) == (1, 1, 3)


def test_excluding_generated_files_leaves_fewer_chunks(folder: Path) -> None:
    """And no other file out."""
    report = index(IndexConfig(folder=folder, batch=2, threads=1, exclude_generated=True))
    assert report.excluded_by_reason == {"generated: name": 1, "tests": 1}
    assert report.counts.files_indexed == 2


def test_a_function_that_is_too_long_is_warned_of(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """That was the decisive line of the incident."""
    index(IndexConfig(folder=folder, batch=2, threads=1, exclude_generated=True))
    assert "paragraph at character 0 too large (4166 characters), using fixed chunking" in caplog.messages


def test_the_command_line_writes_what_it_prints(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The report of files agrees with the one on the screen."""
    target = folder.parent / "report.json"
    words = ["index", "--folder", str(folder), "--batch", "2", "--threads", "1", "--report", str(target)]
    assert main(words) == 0
    told = json.loads(target.read_text())
    assert f"indexed {told['files_indexed']} files, {told['files_failed']} failed" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--batch", "1"], ["--batch", "all"], ["--file-timeout", "60"]])
def test_no_option_changes_what_is_printed(
    folder: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """But those that leave files out."""
    assert main(["index", "--folder", str(folder), "--threads", "1", *words]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "indexed 3 files, 1 failed, 5 chunks"


def test_a_run_in_which_every_file_failed_has_failed(tree: Callable[..., Path]) -> None:
    """Whoever called it must notice."""
    words = ["index", "--folder", str(tree({"a.py": b"\0"})), "--threads", "1"]
    assert main(words) == 1


def test_a_folder_that_is_left_out_whole_loads_nothing(
    tree: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said before the model would be loaded."""
    assert main(["index", "--folder", str(tree({"a.d.ts": "x"})), "--threads", "1"]) == WRONG_USE
    assert "every one left out" in capsys.readouterr().err
