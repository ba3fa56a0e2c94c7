"""What would the same program cost where an optional dependency is not installed?"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from diagtools import import_cost
from diagtools.cli import main
from diagtools.errors import UsageError
from diagtools.investigations.import_command import command_import_cost
from diagtools.investigations.import_without import without
from diagtools.present.imports import NOT_INSTALLED, savings_table
from diagtools.values import Target

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux")

MIB = 2**20


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``shop`` gets along without ``fancy`` (8 MiB, and ``extra``, 4 MiB, for it), but not without ``core``."""
    source = tmp_path / "src"
    source.mkdir()
    (source / "shop.py").write_text(
        "import core\ntry:\n    import fancy\nexcept ImportError:\n    fancy = None\n"
    )
    (source / "fancy.py").write_text("import extra\nkept = bytearray(8 << 20)\n")
    (source / "extra.py").write_text("kept = bytearray(4 << 20)\n")
    (source / "core.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(source))
    return source


def test_what_an_optional_dependency_brings_is_saved(shop: Path) -> None:
    found = without(import_cost("shop", repeat=1), ["import shop"], ["fancy"], pairs=2)
    assert found.predicted_anon_bytes == pytest.approx(12 * MIB, abs=0.3 * MIB)
    assert found.result.saved_anon_bytes == pytest.approx(12 * MIB, abs=0.3 * MIB)
    assert (found.verdict, found.why) == ("saves", "")


def test_what_cannot_be_missed_breaks(shop: Path) -> None:
    found = without(import_cost("shop", repeat=1), ["import shop"], ["core"], pairs=1)
    assert (found.verdict, found.why) == ("breaks", "ModuleNotFoundError")
    assert "—" in savings_table(NOT_INSTALLED, [found.in_short()]).splitlines()[1]


def test_a_command_must_do_the_same_without_it(shop: Path) -> None:
    script = shop / "app.py"
    script.write_text("import shop\nprint('fancy' if shop.fancy else 'plain')\n")
    target = Target(argv=(sys.executable, str(script)))
    found = without(command_import_cost(target)[0], target, ["fancy"], pairs=1)
    assert found.verdict == "breaks"
    assert found.why == "line 1 of its output is 'plain', was 'fancy'"


def test_the_command_line_shows_it(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["imports", "shop", "--repeat", "1", "--without", "fancy"]) == 0
    assert "Not installed (the same ran both ways)" in capsys.readouterr().out
    assert main(["imports", "shop", "--repeat", "1", "--without", "fancy", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["without"]
    assert (found["packages"], found["verdict"], found["same_output"]) == (["fancy"], "saves", None)


@pytest.mark.parametrize(
    ("package", "said"),
    [
        ("scikit-learn", "name it as it is imported: sklearn"),
        ("json", "is part of Python"),
        ("numpy", "Nothing here imports 'numpy'"),
        ("", "is no package"),
    ],
)
def test_what_cannot_be_left_out_is_one_error(package: str, said: str, shop: Path) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        without(import_cost("shop", repeat=1), ["import shop"], [package], pairs=1)
    assert raised.value.hint
