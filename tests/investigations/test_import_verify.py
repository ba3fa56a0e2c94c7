"""A predicted saving is measured before it is called one."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import polars as pl
import pytest

from diagtools import frames, import_cost
from diagtools.analyse.laziness import Verdict
from diagtools.cli import main
from diagtools.investigations.import_verify import dearest, verify_imports

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux")

MIB = 2**20


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``shop.reports`` imports two modules that hold 12 and 6 MiB; it uses the second at once."""
    folder = tmp_path / "src" / "shop"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("from shop import reports\n")
    (folder / "reports.py").write_text(
        "from shop import idle\nfrom shop import used\n\nSIZE = len(used.kept)\n"
    )
    (folder / "idle.py").write_text("kept = bytearray(12 << 20)\n")
    (folder / "used.py").write_text("kept = bytearray(6 << 20)\n")
    monkeypatch.setenv("PYTHONPATH", str(folder.parent))
    return folder


def test_what_is_unused_saves_and_what_is_used_is_forced(shop: Path) -> None:
    cost = import_cost("shop", repeat=1)
    idle, used = verify_imports(cost, ["import shop"], n=2, pairs=2)
    assert idle.result is not None
    assert used.result is not None
    assert (Path(idle.file).name, idle.line, idle.result.verdict) == ("reports.py", 1, Verdict.SAVES)
    assert idle.predicted_anon_bytes == pytest.approx(12 * MIB, abs=0.3 * MIB)
    assert idle.result.saved_anon_bytes == pytest.approx(12 * MIB, abs=0.3 * MIB)
    assert (used.line, used.result.verdict) == (2, Verdict.FORCED)
    assert [(Path(use.file).name, use.line) for use in used.result.forced] == [("reports.py", 4)]


def test_the_command_shows_both_beside_each_other(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["imports", "shop", "--repeat", "1", "--verify", "2"]) == 0
    said = capsys.readouterr().out.partition("Made lazy")[2]
    assert "saves" in said
    assert "forced" in said
    assert main(["imports", "shop", "--repeat", "1", "--verify", "reports.py:2", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["verified"]
    assert (row["line"], row["verdict"], row["forced_by"][0]["line"]) == (2, "forced", 4)


def test_a_try_is_measured_and_said(shop: Path) -> None:
    (shop / "reports.py").write_text(
        "try:\n    from shop import idle\nexcept ImportError:\n    idle = None\nfrom shop import used\n"
    )
    (found,) = verify_imports(import_cost("shop", repeat=1), ["import shop"], n=1, pairs=1)
    assert found.refused == "in a try statement"
    assert found.result is not None
    assert found.result.verdict is Verdict.SAVES
    assert "import it where it is used" in found.in_short()[-1]


def test_what_cannot_be_lazy_says_why(shop: Path) -> None:
    (shop / "reports.py").write_text("from shop.idle import *\n")
    (found,) = verify_imports(import_cost("shop", repeat=1), ["import shop"], at="reports.py:1", pairs=1)
    assert found.result is None
    assert found.refused
    assert found.as_json()["measured_anon_bytes"] is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--verify", "nowhere.py:1"], "is no import statement of this program"),
        (["--verify", "0"], "verifies nothing"),
        (["--verify", "x"], "is no import statement of this program"),
    ],
)
def test_a_mistake_is_one_error(
    words: list[str], said: str, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["imports", "shop", "--repeat", "1", *words]) == 2
    assert said in capsys.readouterr().err


def _statements(*rows: tuple[str, str, list[str], int]) -> pl.DataFrame:
    """STATEMENTS of (file, importer, imports, held bytes), as they are sorted."""
    columns: dict[str, list[object]] = {name: [0] * len(rows) for name in frames.STATEMENTS.columns}
    columns |= {
        "file": [row[0] for row in rows],
        "importer": [row[1] for row in rows],
        "imports": [row[2] for row in rows],
        "retained_anon_bytes": [row[3] for row in rows],
        "retained_wall_s": [0.0] * len(rows),
    }
    return frames.STATEMENTS.from_columns(columns)


def test_the_subject_itself_and_what_only_goes_on_are_not_tried() -> None:
    found = dearest(
        _statements(
            ("<statement>", "<program>", ["a"], 1000),
            ("a.py", "a", ["a.all"], 900),
            ("a/all.py", "a.all", ["b"], 400),
            ("b.py", "b", ["b.core"], 395),
            ("c.py", "c", ["d"], 390),
            ("e.py", "e", ["f"], 0),
        ),
        1000,
        5,
    )
    assert found["file"].to_list() == ["a/all.py", "c.py"]
