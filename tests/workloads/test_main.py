"""What does the command line print, where, and with which exit status?"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from workloads.rag.__main__ import WRONG_USE, main
from workloads.rag.models import Model

GOOD = "def add(left, right):\n    return left + right\n"


def rag(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "workloads.rag", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_a_run_says_what_it_did(model: Model, tree: Callable[..., Path], tmp_path: Path) -> None:
    root = tree({"a.py": GOOD, "new\nline.py": GOOD, "bad.py": b"\0", "dist/a.min.js": "x"})
    target = tmp_path / "report.json"
    done = rag("index", "--folder", root, "--exclude-generated", "--batch", "8", "--report", target)
    assert done.returncode == 0
    assert done.stdout == (
        "corpus tree: 4 files found, 3 selected (left out: 1 generated: name)\n"
        "indexed 2 files, 1 failed, 2 chunks\n"
        "graph 4 nodes and 2 edges, vectors 3072 bytes\n"
    )
    assert "INFO indexing 3/3 new\\nline.py\n" in done.stderr
    report = json.loads(target.read_text())
    assert report["files_found"] == report["files_selected"] + sum(report["excluded_by_reason"].values()) == 4
    assert report["failures"] == [
        {"path": "bad.py", "status": "failed", "error": "binary: it holds NUL bytes"}
    ]
    assert report["excluded"] == [
        {"path": "dist/a.min.js", "reason": "generated: name", "build_folders": ["dist"]}
    ]
    assert report["options"]["batch"] == 8
    assert report["corpus"]["drift"] == []
    assert report["duration_s"] > 0


def test_a_run_in_which_every_file_failed_has_failed(model: Model, tree: Callable[..., Path]) -> None:
    done = rag("index", "--folder", tree({"bad.py": b"\0"}))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--folder", "absent"],
        ["--corpus", "absent.json"],
        ["--folder", "."],  # empty
        ["--folder", ".", "--batch", "0"],
        ["--folder", ".", "--threads", "0"],
        ["--folder", ".", "--file-timeout", "0"],
        ["--folder", ".", "--report", "absent/report.json"],
    ],
)
def test_a_mistake_is_one_line_with_a_hint(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["index", *arguments]) == WRONG_USE
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = [line for line in printed.err.splitlines() if line.startswith("error: ")]
    assert "Hint: " in line


@pytest.mark.parametrize(
    "arguments",
    [[], ["index"], ["index", "--folder", "a", "--corpus", "b"], ["index", "--folder", "a", "--batch", "x"]],
)
def test_wrong_words_exit_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == WRONG_USE
    assert "usage: " in capsys.readouterr().err


def test_a_report_of_an_earlier_run_does_not_outlive_a_failed_one(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    target.write_text("{}")
    (tmp_path / "empty").mkdir()
    assert main(["index", "--folder", str(tmp_path / "empty"), "--report", str(target)]) == WRONG_USE
    assert not target.exists()
