"""``diagtools scan``: text, JSON, pictures, budgets and wrong use."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from diagtools.cli import main

RUN = Path(__file__).resolve().parents[2] / "data" / "runs" / "incident-killed"

Capsys = pytest.CaptureFixture[str]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A few small files and a minified one of about 100 chunks."""
    root = tmp_path / "corpus"
    root.mkdir()
    for n in range(3):
        (root / f"{n}.py").write_text("print('hello')\n" * 100)
    (root / "app.js").write_text("x" * 200_000)
    return root


def test_text_says_what_is_there(corpus: Path, capsys: Capsys) -> None:
    assert main(["scan", str(corpus)]) == 0
    said = capsys.readouterr()
    assert "4 files with 200 KiB of text" in said.out
    assert "mean line ≥ 200" in said.out
    assert said.err == ""  # progress is for terminals


def test_json_is_one_object_with_the_contract_in_it(corpus: Path, capsys: Capsys) -> None:
    assert main(["scan", str(corpus), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["files"], found["skipped"], found["predicted_peak_bytes"]) == (4, 0, None)
    assert sum(row["bytes"] for row in found["folders"]) == found["bytes"] == 204_500


def test_a_run_predicts_and_a_budget_that_it_breaks_exits_with_1(corpus: Path, capsys: Capsys) -> None:
    """The recorded incident: 10.3 MiB a chunk on top of 175 MiB."""
    command = ["scan", str(corpus), "--learn", str(RUN), "--json"]
    assert main([*command, "--budget", "4GiB"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["predicted_low_bytes"] < found["predicted_peak_bytes"] < found["predicted_high_bytes"]
    assert found["breach"] is None
    assert found["predicted_peak_bytes"] == pytest.approx((175 + 100 * 10.25) * 2**20, rel=0.05)
    assert main(["scan", str(corpus), "--learn", str(RUN), "--budget", "1GiB"]) == 1
    said = capsys.readouterr()
    assert "1 file would break the budget of 1.00 GiB" in said.out
    assert "above its budget of 1.00 GiB" in said.err
    assert main([*command, "--budget", "1GiB"]) == 1
    found = json.loads(capsys.readouterr().out)  # one object, whatever comes of the budget
    assert (found["breach"]["kind"], found["files_over_budget"]) == ("budget", 1)


def test_a_picture_and_all_rows_are_written(corpus: Path, tmp_path: Path) -> None:
    picture, rows = tmp_path / "c.png", tmp_path / "c.parquet"
    assert main(["scan", str(corpus), "--png", str(picture), "--out", str(rows)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert pl.read_parquet(rows).height == 4


def test_what_git_ignores_is_looked_at_when_asked_for(corpus: Path, capsys: Capsys) -> None:
    (corpus / ".gitignore").write_text("*.js\n")
    assert main(["scan", str(corpus), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == 4  # the file of patterns is one too
    assert main(["scan", str(corpus), "--json", "--ignored"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == 5


def test_wrong_use_is_one_line_with_a_hint(corpus: Path, capsys: Capsys) -> None:
    for arguments in (
        ["scan"],
        ["scan", str(corpus / "0.py")],
        ["scan", str(corpus / "nowhere")],
        ["scan", str(corpus), "--budget", "1GiB"],
        ["scan", str(corpus), "--check", str(RUN)],
        ["scan", str(corpus), "--learn", str(corpus)],
        ["scan", str(corpus), "--base", "1MiB"],
        ["scan", str(corpus), "--chunk-cost", "10"],
        ["scan", str(corpus), "--chunk-chars", "0"],
        ["scan", str(corpus), "--png", "x.svg"],
        ["scan", str(corpus), "--out", "x.csv"],
        ["scan", str(corpus), "--out", str(corpus / "nowhere" / "x.parquet")],
    ):
        assert main(arguments) == 2, arguments
        said = capsys.readouterr().err
        assert said.startswith("diagtools: ")
        assert "Hint: " in said
