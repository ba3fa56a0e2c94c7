"""The investigation of an import's cost: swap what is planted, and the verdict flips."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from diagtools.errors import BudgetBreached, NoDataError, UsageError
from diagtools.investigations.import_case import ImportCase
from diagtools.investigations.import_programs import known
from diagtools.investigations.optional_dependency import optional_dependency
from diagtools.values import Verdict

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux")

MIB = 2**20


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``shop.config`` needs nothing, and pays for ``shop.heavy`` (12 MiB) and ``shop.other`` (6 MiB)."""
    folder = tmp_path / "src" / "shop"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("from shop import heavy\nfrom shop import other\n")
    (folder / "config.py").write_text("SIZE = 3\n")
    (folder / "heavy.py").write_text("kept = bytearray(12 << 20)\n")
    (folder / "other.py").write_text("kept = bytearray(6 << 20)\n")
    (tmp_path / "suite.py").write_text("from shop.config import SIZE\nprint('ok', SIZE)\n")
    monkeypatch.setenv("PYTHONPATH", str(folder.parent))
    monkeypatch.chdir(tmp_path)
    return folder


def suite() -> str:
    return f"{shlex.quote(sys.executable)} suite.py"


def test_the_package_that_runs_along_is_the_cause_and_the_suite_keeps_what_it_prints(shop: Path) -> None:
    case = ImportCase(target="shop.config", suite=suite(), n=1, repeat=1, pairs=1)
    assert [effect.verdict for effect in case.effects] == [Verdict.CONFIRMED]
    (cause,) = case.verified
    assert cause.clause == "all 2 imports of shop/__init__.py, which runs for shop.config"
    assert cause.result is not None
    assert cause.result.saved_anon_bytes == pytest.approx(18 * MIB, abs=0.3 * MIB)
    told = str(case.conclusion())
    assert "All 2 imports of shop/__init__.py, which runs for shop.config: predicted 18" in told
    assert "its exit status and what it prints are the same" in told
    assert "confirmed" in case.summary()


def test_where_it_is_needed_after_all_it_is_refuted(shop: Path) -> None:
    (shop / "config.py").write_text("import shop\n\nSIZE = len(shop.heavy.kept) + len(shop.other.kept)\n")
    case = ImportCase(target="shop.config", n=1, repeat=1, pairs=1)
    assert [effect.verdict for effect in case.effects] == [Verdict.REFUTED]
    assert "config.py:3" in case.effects[0].reason
    assert str(case.advice()).endswith("No statement here saves anything worth it.")
    assert "No statement saves anything here" in str(case.before_after())


def test_a_mended_import_is_measured_beside_the_first(shop: Path) -> None:
    (shop.parent / "lean.py").write_text("SIZE = 3\n")
    case = ImportCase(
        target="shop.config", fixed="lean", n=1, repeat=1, pairs=1, budget="1 MB", forbid="shop.heavy"
    )
    table = str(case.before_after())
    assert "import, as it was" in table
    assert "import, mended" in table
    assert "18.0 MiB" in table or "18.1 MiB" in table
    kept = str(case.keep_budget())
    assert "Budget kept" in kept
    assert "'shop.heavy' is not imported by 'lean'." in kept


@pytest.mark.parametrize(
    ("limits", "said"),
    [({"budget": "5 MiB"}, "above its budget"), ({"forbid": "shop.heavy"}, "which it must not")],
)
def test_a_breach_is_one_error(limits: dict[str, str], said: str, shop: Path) -> None:
    with pytest.raises(BudgetBreached, match=said):
        ImportCase(target="shop.config", repeat=1, pairs=1, **limits).keep_budget()


def test_charts_and_tables_are_made_of_it(shop: Path) -> None:
    case = ImportCase(target="shop.config", suite=suite(), n=2, repeat=1, pairs=1)
    for chart in (case.icicle(), case.waterfall(), case.pulled_in("shop.heavy"), case.verified_chart()):
        assert chart.to_dict()
    assert "the interpreter" in str(case.steps())
    assert "shop/__init__.py" in str(case.suspects())


def test_an_optional_dependency_is_priced(shop: Path) -> None:
    (shop / "config.py").write_text("try:\n    import extra\nexcept ImportError:\n    extra = None\n")
    (shop.parent / "extra.py").write_text("kept = bytearray(5 << 20)\n")
    told = str(optional_dependency("shop.config", "extra", repeat=1, pairs=1))
    assert "2 statements away" in told
    assert "Without 'extra' installed the same costs 5." in told
    nothing = str(optional_dependency("shop.config", "nowhere", repeat=1, pairs=1))
    assert "'nowhere' is not imported here" in nothing


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"target": "a b"}, "neither a module nor a statement"),
        ({"n": 0}, "n=0 is not a whole number above zero"),
        ({"pairs": 1.5}, "pairs=1.5 is not a whole number"),
        ({"budget": "5"}, "has no unit"),
        ({"suite": "python 'x"}, "is no command line"),
        ({"timeout": -1}, "timeout=-1 is not a number above zero"),
    ],
)
def test_a_wrong_parameter_is_said_at_once(parameters: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        ImportCase(**{"target": "json", **parameters})  # type: ignore[arg-type]


def test_a_target_or_a_suite_that_fails_is_one_error(shop: Path) -> None:
    (shop / "config.py").write_text("1 / 0\n")
    with pytest.raises(NoDataError, match="fails with ZeroDivisionError"):
        ImportCase(target="shop.config", repeat=1).symptom()
    with pytest.raises(NoDataError, match="ended with exit status 1"):
        ImportCase(target="json", suite=suite(), repeat=1).symptom()


def test_the_program_that_comes_with_it_is_known() -> None:
    assert known()["knowledge"].forbid == "polars"
