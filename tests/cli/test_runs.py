"""``diagtools runs``: listing and pruning the store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diagtools.cli import main
from tests.support.runs import Recording, make_run


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Three closed runs of three days, one that is being recorded, and rubbish."""
    for day in (1, 2, 3):
        make_run(
            tmp_path / f"run-{day}",
            Recording().start().ramp([10]).close(),
            manifest={"started_at": f"2025-11-0{day}T00:00:00Z", "argv": ["python", f"day{day}.py"]},
        )
    make_run(
        tmp_path / "live",
        Recording().start().ramp([10]),
        manifest={"state": "recording", "started_at": "2025-11-09T00:00:00Z"},
    )
    (tmp_path / "rubbish").mkdir()
    (tmp_path / "note.txt").write_text("x")
    return tmp_path


def _names(store: Path) -> set[str]:
    return {path.name for path in store.iterdir()}


def test_list(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Newest first, one line each."""
    assert main(["runs", "--store", str(store)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("day")[1][0] for line in lines if "day" in line] == ["3", "2", "1"]


def test_json(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same for scripts."""
    assert main(["runs", "--store", str(store), "--json"]) == 0
    assert {"run-1", "run-2", "run-3"} <= {row["name"] for row in json.loads(capsys.readouterr().out)["runs"]}


def test_keep_removes_the_oldest_and_never_what_is_not_a_closed_run(store: Path) -> None:
    """A run that is being recorded and other people's files stay."""
    assert main(["runs", "--store", str(store), "--keep", "1"]) == 0
    assert {"run-3", "live", "rubbish", "note.txt"} == _names(store)


def test_older_than_and_dry_run(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Dry: said, not done."""
    assert main(["runs", "--store", str(store), "--older-than", "1d", "--dry-run"]) == 0
    assert capsys.readouterr().out.count("would remove") == 3
    assert "run-1" in _names(store)
    assert main(["runs", "--store", str(store), "--older-than", "1d"]) == 0
    assert {"live", "rubbish", "note.txt"} == _names(store)


@pytest.mark.parametrize("words", [["--keep", "-1"], ["--older-than", "3"], ["--keep", "x"]])
def test_nonsense_is_refused(store: Path, words: list[str]) -> None:
    """Exit 2 and nothing removed."""
    before = _names(store)
    assert main(["runs", "--store", str(store), *words]) == 2
    assert _names(store) == before


def test_an_empty_store_says_how_to_fill_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not an error."""
    assert main(["runs", "--store", str(tmp_path / "none")]) == 0
    assert "diagtools record" in capsys.readouterr().out
