"""The investigation of a pytest worker: swap what is planted, and the verdict flips."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from diagtools.analyse.worker_figures import FIRST_TEST, PEAK
from diagtools.errors import BudgetBreached, NoDataError, UsageError
from diagtools.investigations.experiment import BASELINE
from diagtools.investigations.pytest_worker import PytestWorker
from diagtools.investigations.pytest_worker_runs import TOGETHER
from diagtools.investigations.pytest_worker_runs import tests_of as measured_tests
from diagtools.values import Verdict

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux")

MIB = 2**20
SUITE = f"{shlex.quote(sys.executable)} -m pytest -q -p no:cacheprovider -p diagtools"
SWITCHES = "lazy package: SHOP=lazy; other words: WORDS=other"

_SHOP = {
    "src/shop/__init__.py": """import os

if os.environ.get("SHOP", "eager") == "eager":
    from shop import heavy
    from shop import words
""",
    "src/shop/words.py": "WORDS = ('mill', 'store')\n",
    "src/shop/config.py": "SIZE = 3\n",
    "src/shop/heavy.py": """
try:
    import extra
except ImportError:
    extra = None

kept = bytearray(24 << 20)
""",
    "src/extra.py": "kept = bytearray(12 << 20)\n",
    "tests/conftest.py": """
import os
import pytest
from shop.config import SIZE

@pytest.fixture(scope="session", autouse=True)
def model():
    mocked = os.environ.get("MOCKS", "on") == "on"
    yield None if mocked else bytearray(16 << 20)

@pytest.fixture
def size():
    return SIZE
""",
    "tests/test_shop.py": """
kept = []

def test_the_size(size):
    assert size == 3

def test_that_keeps(size):
    kept.append(bytearray(8 << 20))

def test_that_needs_for_a_moment(size):
    assert len(bytearray(20 << 20)) > size
""",
    "tests/test_light.py": "def test_nothing():\n    pass\n",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A suite whose conftest needs a setting, and pays 36 MiB for the package around it."""
    folder = tmp_path_factory.mktemp("shop")
    for name, text in _SHOP.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder / "src"))
        patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        patch.delenv("PYTEST_XDIST_WORKER", raising=False)
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="module")
def case(shop: Path) -> PytestWorker:
    return PytestWorker(
        suite=f"{SUITE} -p xdist.plugin tests",
        switches=SWITCHES,
        defer="extra",
        mocks_off="MOCKS=off",
        light="--deselect tests/test_shop.py",
    )


def verdicts(case: PytestWorker) -> dict[str, Verdict]:
    return {effect.hypothesis.name: effect.verdict for effect in case.effects}


def test_each_suspect_gets_the_verdict_that_it_deserves(case: PytestWorker) -> None:
    assert verdicts(case) == {
        "lazy package": Verdict.CONFIRMED,
        "other words": Verdict.REFUTED,
        "extra deferred": Verdict.CONFIRMED,
        TOGETHER: Verdict.CONFIRMED,
    }
    peaks = {name: case.experiment.median_of(PEAK, name) for name in case.experiment.variants}
    assert peaks[BASELINE] - peaks["lazy package"] == pytest.approx(36 * MIB, abs=2 * MIB)
    assert peaks[BASELINE] - peaks["extra deferred"] == pytest.approx(12 * MIB, abs=2 * MIB)
    assert all(effect.same_output for effect in case.effects)
    assert "With 'lazy package' the worker's peak is" in str(case.conclusion())


def test_the_worker_is_told_from_main_and_both_pay_for_the_conftest(case: PytestWorker) -> None:
    of = {row["part"]: row for row in case.processes.to_dicts()}
    assert of["worker"]["label"] == "gw0"
    assert of["worker"]["ppid"] == of["main"]["pid"]
    assert of["worker"]["runs_tests"]
    assert not of["main"]["runs_tests"]
    assert of["main"]["peak_rss_bytes"] > 36 * MIB
    said = str(case.symptom())
    assert "gw0" in said
    assert "there too, so that is paid once more" in said
    assert "· gw0" in str(case.tree())


def test_the_baseline_names_what_the_conftest_brought_and_sums_to_the_rss(case: PytestWorker) -> None:
    sizes = {(row["part"], row["name"]): row["bytes"] for row in case.parts.to_dicts()}
    assert sum(sizes.values()) == case.worker.first_test_bytes
    assert sizes["conftest and fixtures", "shop"] == pytest.approx(24 * MIB, abs=MIB)
    assert sizes["conftest and fixtures", "extra"] == pytest.approx(12 * MIB, abs=MIB)
    assert "The way there: tests/conftest.py:4 → shop/__init__.py:4 → shop.heavy" in str(case.what_is_there())


def test_a_test_that_keeps_memory_is_named_and_one_that_needs_it_for_a_moment_too(case: PytestWorker) -> None:
    kept = {
        row["test"].rpartition("::")[2]: (row["kept_bytes"], row["demand_bytes"])
        for row in measured_tests(case.run).to_dicts()
    }
    assert kept["test_that_keeps"][0] == pytest.approx(8 * MIB, abs=MIB)
    assert kept["test_that_needs_for_a_moment"][0] < 2 * MIB
    assert kept["test_that_needs_for_a_moment"][1] == pytest.approx(20 * MIB, abs=2 * MIB)
    said = str(case.growth())
    assert "One of 4 tests left 1.00 MiB or more behind" in said
    assert "Most at a time needed tests/test_shop.py::test_that_needs_for_a_moment" in said


def test_mocks_save_what_is_made_and_nothing_that_is_imported(case: PytestWorker) -> None:
    of = case.experiment
    made = of.median_of(PEAK, "without the session mocks") - of.median_of(PEAK)
    assert made == pytest.approx(16 * MIB, abs=2 * MIB)
    same = of.median_of(FIRST_TEST, "without the session mocks") - of.median_of(FIRST_TEST)
    assert abs(same) < MIB
    assert "and nothing of what imports cost" in str(case.mocks())


def test_the_light_part_and_what_is_expected_are_said(case: PytestWorker) -> None:
    said = str(case.conclusion())
    assert "A worker that runs the light tests alone" in said
    assert "Expected RSS (2 runs): a worker holds" in said
    assert case.expected().value == max(one.peak_bytes for one in case.experiment.figures())


def test_pictures_tables_and_the_summary_are_made_of_it(case: PytestWorker) -> None:
    for chart in (case.timeline(), case.baseline(), case.pulled_in(), case.before_after()):
        assert not isinstance(chart, str)
        assert hasattr(chart, "to_dict")
        assert chart.to_dict()
    assert "lazy package" in str(case.tried())
    assert "shop/__init__.py" in str(case.statements())
    assert "SHOP=lazy" in [effect.hypothesis.mend for effect in case.effects]
    assert "lazy package" in case.summary()
    assert len(case.as_json()["hypotheses"]) == 4


def test_a_budget_is_kept_or_is_one_error(case: PytestWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "The same tests pass; 'all together' holds" in str(case.keep_budget())
    monkeypatch.setattr(case, "budget_bytes", 5 * MIB)
    with pytest.raises(BudgetBreached, match="above its budget of 5"):
        case.keep_budget()


def test_where_the_package_was_lazy_all_along_the_twin_is_refuted(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP", "lazy")
    case = PytestWorker(suite=f"{SUITE} tests", workers=0, switches="lazy package: SHOP=lazy")
    assert verdicts(case) == {"lazy package": Verdict.REFUTED}
    assert "No suspect was confirmed" in str(case.conclusion())
    assert "The tests ran in the main process" in str(case.symptom())
    assert case.experiment.median_of(PEAK) < 100 * MIB


def test_without_switches_the_imports_that_hold_most_are_made_lazy(shop: Path) -> None:
    case = PytestWorker(suite=f"{SUITE} tests", workers=0, n=1)
    (effect,) = case.effects
    assert effect.verdict is Verdict.CONFIRMED, effect.reason
    assert effect.hypothesis.mend == "lazy shop/__init__.py:4, lazy shop/__init__.py:5"
    assert effect.same_output
    assert str(case.mocks()).endswith("Nobody said how to run this suite without its mocks.")


def test_a_mend_with_which_other_tests_pass_is_none(shop: Path) -> None:
    broken = "no tests: PYTEST_ADDOPTS='--deselect tests/test_light.py'"
    case = PytestWorker(suite=f"{SUITE} tests", workers=0, switches=broken, rounds=1)
    assert case.effects[0].same_output is False
    assert "tests/test_light.py::test_nothing is not run, was passed" in case.effects[0].reason
    with pytest.raises(NoDataError, match="other tests pass than before"):
        case.keep_budget()


def test_a_command_that_runs_no_tests_is_one_error(shop: Path) -> None:
    case = PytestWorker(suite=f"{SUITE} nowhere", workers=0)
    with pytest.raises(NoDataError, match=r"No test of 'as it was' was measured: .*nowhere"):
        case.effects  # noqa: B018 - what is asked for is measured then


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"suite": "pytest 'x"}, "is no command line"),
        ({"workers": -1}, "workers=-1 is not a whole number"),
        ({"rounds": 0}, "rounds=0 is not a whole number"),
        ({"suite": "pytest", "switches": "LAZY=1"}, "is no switch"),
        ({"suite": "pytest", "switches": "lazy: nothing"}, "is no environment variable"),
        ({"suite": "pytest", "defer": "a-b"}, "is no package"),
        ({"suite": "pytest", "defer": "json"}, "is part of Python"),
        ({"budget": "5"}, "has no unit"),
        ({"defer": "polars"}, "is of no suite"),
    ],
)
def test_a_parameter_that_is_none_is_refused_at_once(parameters: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        PytestWorker(**parameters)  # type: ignore[arg-type]
