"""``diagtools compare``, and what ``show`` and ``export`` do with a capture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diagtools.cli import main

CAPTURES = Path(__file__).resolve().parents[2] / "data" / "captures"
BEFORE, AFTER = (str(CAPTURES / f"rag-{side}-1.parquet") for side in ("before", "after"))

Capsys = pytest.CaptureFixture[str]


def test_text_says_how_much_and_where(capsys: Capsys) -> None:
    assert main(["compare", BEFORE, AFTER]) == 0
    said = capsys.readouterr().out
    assert said.startswith("The total shrank by")
    assert "onnxruntime_inference_collection.py:395 run" in said
    assert "one run each" in said


def test_repeats_are_taken(capsys: Capsys) -> None:
    more = ["--more-before", BEFORE.replace("-1.", "-2."), "--more-after", AFTER.replace("-1.", "-2.")]
    assert main(["compare", BEFORE, AFTER, *more, "--by", "package"]) == 0
    said = capsys.readouterr().out
    assert "2 + 2 runs" in said
    assert "onnxruntime" in said


def test_json_adds_up(capsys: Capsys) -> None:
    assert main(["compare", BEFORE, AFTER, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["delta_bytes"] == found["after_bytes"] - found["before_bytes"]
    assert sum(site["delta_bytes"] for site in found["sites"]) == found["delta_bytes"]
    assert found["findings"]


def test_a_breached_budget_exits_with_1(capsys: Capsys) -> None:
    assert main(["compare", BEFORE, AFTER, "--budget", "1MB"]) == 0
    assert main(["compare", AFTER, BEFORE, "--budget", "1MB"]) == 1
    assert "above its budget of 977 KiB" in capsys.readouterr().err


def test_a_picture_is_drawn(tmp_path: Path) -> None:
    assert main(["compare", BEFORE, AFTER, "--png", str(tmp_path / "d.png")]) == 0
    assert main(["show", BEFORE, "--png", str(tmp_path / "i.png")]) == 0
    for name in ("d.png", "i.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_wrong_use_is_one_line_with_a_hint(capsys: Capsys, tmp_path: Path) -> None:
    for arguments in (
        ["compare", BEFORE],
        ["compare", BEFORE, str(CAPTURES / "program.pstats")],
        ["compare", BEFORE, str(tmp_path)],
        ["compare", BEFORE, AFTER, "--png", "x.svg"],
        ["export", BEFORE],
        ["export", BEFORE, "-o", "x.txt"],
    ):
        assert main(arguments) == 2, arguments
        said = capsys.readouterr().err
        assert said.startswith("diagtools: ")
        assert "Hint: " in said


def test_show_takes_a_capture(capsys: Capsys) -> None:
    assert main(["show", str(CAPTURES / "table.html")]) == 0
    assert "program.py:15 block" in capsys.readouterr().out
    assert main(["show", str(CAPTURES / "fil.folded"), "--unit", "bytes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["unit"] == "bytes"


def test_export_writes_for_other_tools(capsys: Capsys, tmp_path: Path) -> None:
    target = tmp_path / "out.speedscope.json"
    assert main(["export", BEFORE, "-o", str(target), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"file": str(target)}
    assert json.loads(target.read_text())["profiles"][0]["unit"] == "bytes"
