"""A predicted saving is measured before it is called one."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from diagtools import import_cost
from diagtools.analyse.laziness import Output, Verdict
from diagtools.cli import main
from diagtools.investigations.import_advice import advice_for
from diagtools.investigations.import_command import command_import_cost
from diagtools.investigations.import_suspects import Suspect
from diagtools.investigations.import_verify import Verified, verify_imports, verify_together
from diagtools.values import Target

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
    assert (Path(idle.suspect.file).name, idle.suspect.lines) == ("reports.py", (1,))
    assert idle.result.verdict is Verdict.SAVES
    assert idle.predicted_anon_bytes == pytest.approx(12 * MIB, abs=0.3 * MIB)
    assert idle.result.saved_anon_bytes == pytest.approx(12 * MIB, abs=0.3 * MIB)
    assert (used.suspect.lines, used.result.verdict) == ((2,), Verdict.FORCED)
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


def test_all_imports_of_a_file_are_tried_together(shop: Path) -> None:
    """``from shop import config`` pays for all that ``shop`` imports; nobody needs that."""
    (shop / "config.py").write_text("SIZE = 3\n")
    (shop / "__init__.py").write_text("from shop import idle\nfrom shop import used\n")
    cost = import_cost("from shop.config import SIZE", repeat=1)
    (found,) = verify_imports(cost, ["from shop.config import SIZE"], n=1, pairs=1)
    assert (found.suspect.is_file, found.suspect.lines, found.suspect.runs_along_for) == (
        True,
        (1, 2),
        "shop.config",
    )
    assert found.predicted_anon_bytes == pytest.approx(18 * MIB, abs=0.3 * MIB)
    assert found.result is not None
    assert found.result.verdict is Verdict.SAVES
    assert found.result.saved_anon_bytes == pytest.approx(18 * MIB, abs=0.3 * MIB)
    (named,) = verify_imports(cost, ["from shop.config import SIZE"], at="shop/__init__.py", pairs=1)
    assert named.suspect.lines == (1, 2)
    assert named.as_json()["line"] is None


def test_an_import_that_c_code_makes_unseen_is_said(shop: Path) -> None:
    """``idle`` is loaded by C code too, which asks ``sys.modules`` first: the graph cannot show that."""
    (shop / "reports.py").write_text("from shop import idle\nfrom shop import native\n")
    (shop / "native.py").write_text(
        "import ctypes\n\nask = ctypes.pythonapi.PyImport_ImportModuleLevel\nask.restype = ctypes.py_object\n"
        "ask(b'shop.idle', None, None, None, 0)\n"
    )
    (found,) = verify_imports(import_cost("shop", repeat=1), ["import shop"], at="reports.py:1", pairs=1)
    assert found.result is not None
    assert (found.result.verdict, found.result.forced) == (Verdict.FORCED, ())
    assert found.other_ways.select("importer", "imported").rows() == [("shop.native", "shop.idle")]
    assert found.why == "graph incomplete here: shop.native imports shop.idle without a line of Python"
    assert found.refined_anon_bytes is not None
    assert found.refined_anon_bytes < 0.1 * MIB < found.predicted_anon_bytes


def _script(shop: Path, code: str) -> Target:
    script = shop.parent / "app.py"
    script.write_text(code)
    return Target(argv=(sys.executable, str(script)))


def test_a_command_runs_both_ways_and_keeps_what_it_prints(shop: Path) -> None:
    target = _script(shop, "import shop\nprint('ready')\n")
    (cost,) = command_import_cost(target)
    idle, used = verify_imports(cost, target, n=2, pairs=1)
    assert idle.result is not None
    assert used.result is not None
    assert (idle.result.verdict, idle.result.output) == (Verdict.SAVES, Output.SAME)
    assert idle.result.saved_anon_bytes == pytest.approx(12 * MIB, abs=0.3 * MIB)
    assert used.result.verdict is Verdict.FORCED


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import sys, shop\nprint('shop.idle' in sys.modules)\n", "was 'True'"),
        ("import sys, shop\nsys.exit(3 * ('shop.idle' not in sys.modules))\n", "exit status 3"),
    ],
    ids=["output", "exit status"],
)
def test_a_command_that_does_something_else_breaks(shop: Path, code: str, said: str) -> None:
    target = _script(shop, code)
    (cost,) = command_import_cost(target)
    (found,) = verify_imports(cost, target, at="reports.py:1", pairs=1)
    assert found.verdict == "breaks"
    assert said in found.why


def test_a_use_in_a_command_forces_it_and_is_named(shop: Path) -> None:
    target = _script(shop, "from shop import reports\n\nprint(len(reports.idle.kept))\n")
    (cost,) = command_import_cost(target)
    (found,) = verify_imports(cost, target, at="reports.py:1", pairs=1)
    assert found.result is not None
    assert [(Path(use.file).name, use.line) for use in found.result.forced] == [("app.py", 3)]


def test_every_process_of_a_command_counts(shop: Path) -> None:
    """A worker that leaves by ``os._exit``, as those of multiprocessing do, has an end too."""
    code = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import os, shop; os._exit(0)'])\n"
    target = _script(shop, code)
    cost = command_import_cost(target)[0]
    (found,) = verify_imports(cost, target, at="reports.py:1", pairs=1)
    assert found.result is not None
    assert (found.result.verdict, found.result.n_unended) == (Verdict.SAVES, 0)
    assert found.result.saved_anon_bytes == pytest.approx(12 * MIB, abs=0.5 * MIB)


def test_all_that_save_are_measured_together(shop: Path) -> None:
    (shop / "reports.py").write_text("from shop import idle\nfrom shop import used\n")
    cost = import_cost("shop", repeat=1)
    both = verify_imports(cost, ["import shop"], n=2, pairs=1)
    together = verify_together(cost, ["import shop"], both, pairs=1)
    assert together.predicted_anon_bytes == pytest.approx(18 * MIB, abs=0.3 * MIB)
    assert together.saved_anon_bytes == pytest.approx(18 * MIB, abs=0.3 * MIB)


def test_a_statement_that_saves_has_an_edit_to_paste(shop: Path) -> None:
    (shop / "reports.py").write_text("from shop import idle\n\n\ndef total():\n    return len(idle.kept)\n")
    (found,) = verify_imports(import_cost("shop", repeat=1), ["import shop"], at="reports.py:1", pairs=1)
    said = advice_for(found)
    assert "function-local import" in said
    assert "+    from shop import idle" in said


def test_the_statements_of_a_file_have_one_edit_together(tmp_path: Path) -> None:
    """A line without a statement, where a call imports, is passed over."""
    file = tmp_path / "pack" / "__init__.py"
    file.parent.mkdir()
    file.write_text("from pack.one import first\nfrom pack.two import second\nload('three')\n")
    suspect = Suspect(
        file=str(file), lines=(1, 2, 3), imports=(), predicted_anon_bytes=1, n_modules=2, is_file=True
    )
    said = advice_for(Verified(suspect=suspect, result=None))
    assert "all 2 imports" in said
    assert said.count("def __getattr__") == said.count("lazy_loader.attach(") == 1
    assert "no advice" in advice_for(Verified(suspect=replace(suspect, lines=(3,)), result=None))


def test_what_pytest_collects_is_reached_and_forced_by_pytest(shop: Path) -> None:
    """Its own loader executes tests and conftests, and then it looks at every name of them."""
    folder = shop.parent / "suite"
    folder.mkdir()
    (shop / "__init__.py").write_text("")
    (folder / "conftest.py").write_text("from shop import idle\n")
    (folder / "test_shop.py").write_text(
        "from shop import used\n\n\ndef test_used():\n    assert used.kept\n"
    )
    words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder))
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    target = Target(argv=(sys.executable, *words), env=environment)
    (cost,) = command_import_cost(target)
    for place in ("suite/test_shop.py:1", "suite/conftest.py:1"):
        (found,) = verify_imports(cost, target, at=place, pairs=1)
        assert found.result is not None
        assert (found.verdict, found.result.output) == ("forced", Output.SAME)
        assert {Path(use.file).parent.name for use in found.result.forced} == {"_pytest"}


def test_a_script_is_not_reached_and_nothing_is_claimed(shop: Path) -> None:
    target = _script(shop, "from shop import idle\n")
    (cost,) = command_import_cost(target)
    (found,) = verify_imports(cost, target, at="app.py:1", pairs=1)
    assert (found.verdict, found.measured_anon_bytes) == ("not tested", None)
    assert "executed as a program" in found.why
    assert verify_imports(cost, target, n=3, pairs=1)[0].suspect.file != str(shop.parent / "app.py")


def test_where_nothing_could_wait_that_is_said(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shop / "__init__.py").write_text("kept = bytearray(5 << 20)\n")
    assert main(["imports", "shop", "--repeat", "1", "--verify", "3"]) == 0
    assert "nothing here is worth making lazy" in capsys.readouterr().out
