"""``diagtools new``, ``export`` and ``investigate`` as far as they run nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diagtools.cli import main


def test_new_copies_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A copy to change; an existing file is never overwritten."""
    assert main(["new", "indexing-oom", "-o", str(tmp_path), "--json"]) == 0
    copy = Path(json.loads(capsys.readouterr().out)["notebook"])
    assert json.loads(copy.read_text(encoding="utf-8"))["nbformat"] == 4
    assert main(["new", "indexing-oom", "-o", str(tmp_path)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_investigate_lists_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a name."""
    assert main(["investigate"]) == 0
    assert "indexing-oom" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["investigate", "nope"],
        ["investigate", "indexing-oom", "-p", "corpus"],
        ["investigate", "indexing-oom", "-p", "nope=1"],
        ["investigate", "indexing-oom", "-p", "rounds=many"],
        ["investigate", "indexing-oom", "-p", "budget_share=true"],
        ["new", "nope"],
        ["export", "nope.ipynb"],
    ],
)
def test_wrong_names_are_one_line_and_exit_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback, a hint."""
    assert main(words) == 2
    said = capsys.readouterr().err
    assert said.startswith("diagtools: ")
    assert "Hint: " in said


@pytest.mark.parametrize(
    ("parameter", "said"),
    [("limit=2", "The size '2' has no unit."), ("rounds=0", "rounds=0 is not a whole number above zero.")],
)
def test_a_mistake_that_the_notebook_finds_is_one_error_too(
    parameter: str, said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """As from any other command; nothing of the notebook or its kernel stands around it, and nothing is left."""
    assert main(["investigate", "indexing-oom", "-p", parameter, "-o", str(tmp_path / "out")]) == 2
    out, err = capfd.readouterr()
    *_, error, hint = err.splitlines()  # a kernel of an earlier test may still say good-bye
    assert not {"Traceback", "IPKernelApp"} & set(err.replace("[", " ").split())
    assert (out, error) == ("", f"diagtools: {said}")
    assert hint.startswith("  Hint: ")
    assert not (tmp_path / "out").exists()


def test_export_makes_one_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside the notebook, or where asked."""
    assert main(["new", "indexing-oom", "-o", str(tmp_path)]) == 0
    capsys.readouterr()
    notebook = tmp_path / "02-indexing-oom.ipynb"
    assert main(["export", str(notebook), "-o", str(tmp_path / "page.html"), "--json"]) == 0
    assert (
        Path(json.loads(capsys.readouterr().out)["page"])
        .read_text(encoding="utf-8")
        .startswith("<!DOCTYPE html>")
    )
