"""The verdicts on a test suite follow from what its ways do: one that loads as much as before saves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagtools.analyse.metrics import PEAK
from diagtools.errors import BudgetBreached, NoDataError, RecorderError, UnavailableError, UsageError
from diagtools.investigations import model_suite
from diagtools.investigations.model_suite import CPU, ModelSuite
from diagtools.values import Verdict
from workloads.rag.errors import ModelError
from workloads.rag.models import find_model

MIB = 2**20
#: The model is 300 MiB; in the way `skip` no test needs it, `broken` is no test at all.
PLANTED = """
import os
import pytest

@pytest.fixture
def model():
    if os.environ.get("MODEL") == "skip":
        pytest.skip("no model")
    return bytearray({bytes} if os.environ.get("MODEL") != "mock" else 1)

def test_the_model(model):
    assert model[0] == 0

def test_nothing():
    assert "PYTEST_CURRENT_TEST" in os.environ
"""
WAYS = "real: MODEL=real; again: MODEL=real; mocked: MODEL=mock"


def planted(folder: Path, *, n_bytes: int = 300 * MIB) -> str:
    """A suite of two tests, one of which needs a model of this size."""
    tests = folder / "planted" / "unit"
    tests.mkdir(parents=True)
    (tests / "test_planted.py").write_text(PLANTED.replace("{bytes}", str(n_bytes)))
    (folder / "planted" / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider -p no:nbmake\n")
    return str(folder / "planted")


def case_of(folder: Path, ways: str = WAYS, **more: object) -> ModelSuite:
    rounds = more.pop("rounds", 2)
    suite = more.pop("suite", None) or planted(folder, **more)
    return ModelSuite(suite=suite, ways=ways, rounds=rounds, store_folder=str(folder / "store"))


def verdict(case: ModelSuite, way: str, metric: str = PEAK) -> Verdict:
    (found,) = [
        one for one in case.effects if (one.hypothesis.variant, one.hypothesis.metric) == (way, metric)
    ]
    return found.verdict


def test_a_mock_lowers_the_peak_and_the_same_again_does_not(tmp_path: Path) -> None:
    case = case_of(tmp_path)
    said = str(case.compare())
    assert verdict(case, "mocked") is Verdict.CONFIRMED
    assert verdict(case, "again") is Verdict.REFUTED
    assert "CONFIRMED: the suite has a lower peak mocked than real." in said
    again = next(str(one) for one in case.concluded() if str(one).startswith("again does not lower"))
    assert "It is highest in unit/test_planted.py::test_the_model, as it was." in again
    assert case.ways[0].name in str(case.before_after())
    assert [row[:2] for row in case.per_file().rows] == [["unit", way.name] for way in case.ways]


def test_with_a_model_that_weighs_nothing_the_verdict_flips(tmp_path: Path) -> None:
    case = case_of(tmp_path, n_bytes=1)
    case.compare()
    assert verdict(case, "mocked") is Verdict.REFUTED


def test_a_way_that_skips_tests_says_so(tmp_path: Path) -> None:
    case = case_of(tmp_path, "real: ; skipped: MODEL=skip", rounds=1)
    case.compare()
    assert all(one.reason.endswith(" It ran 1 of 2 tests.") for one in case.effects)
    assert "; 1 of 2 tests ran." in str(case.concluded()[0])


def test_each_way_has_a_verdict_on_time_and_one_on_memory(tmp_path: Path) -> None:
    case = case_of(tmp_path)
    assert [(one.variant, one.metric) for one in case.experiment.hypotheses] == [
        ("again", CPU),
        ("again", PEAK),
        ("mocked", CPU),
        ("mocked", PEAK),
    ]


def test_the_case_shows_itself(tmp_path: Path) -> None:
    case = case_of(tmp_path, rounds=1)
    case.compare()
    assert len(case.summary().splitlines()) <= 12
    told = case.as_json()
    assert [one["name"] for one in told["hypotheses"]][-1] == "mocked has a lower peak"
    assert len(told["headlines"]) == 3
    assert "of the memory" in " ".join(case.chart().to_dict()["title"]["text"])


def test_a_budget_is_kept_or_is_an_error(tmp_path: Path) -> None:
    case = case_of(tmp_path, rounds=1)
    case.compare()
    assert "Budget kept" in str(case.keep_budget("200 MiB"))
    assert str(case.conclusion(peak="200 MiB")).splitlines()[-1].startswith("• Budget kept")
    with pytest.raises(BudgetBreached):
        case.conclusion(peak="200 MiB", way="again")
    with pytest.raises(BudgetBreached):
        case.keep_budget("200 MiB", way="again")
    with pytest.raises(BudgetBreached):
        case.keep_budget("200 MiB", way="real")
    with pytest.raises(NoDataError, match="no way 'other'"):
        case.keep_budget("200 MiB", way="other")


def test_a_command_of_ones_own_needs_no_measured_tests(tmp_path: Path) -> None:
    case = case_of(tmp_path, suite=f"python -m pytest {planted(tmp_path)}", rounds=1)
    said = str(case.reproduce())
    assert "What each test cost is not known: pytest --diag did not run." in said
    case.compare()
    assert case.per_file().rows == []
    assert len(case.concluded()) >= 2


@pytest.mark.parametrize("words", ["--no-such-option", "-k nothing_has_this_name"])
def test_tests_that_do_not_run_are_an_error_with_their_last_words(tmp_path: Path, words: str) -> None:
    with pytest.raises(RecorderError, match="could not run real") as raised:
        case_of(tmp_path, f"real: {words}; mocked: MODEL=mock").reproduce()
    assert raised.value.hint is not None
    assert raised.value.hint.startswith("diagtools show ")


def test_nothing_is_told_before_it_ran(tmp_path: Path) -> None:
    case = case_of(tmp_path)
    with pytest.raises(NoDataError, match="Nothing has been recorded yet"):
        case.what_happened()
    with pytest.raises(NoDataError, match="has not run in all ways yet"):
        _ = case.effects


def test_a_suite_of_ones_own_is_run_in_the_ways_of_the_plugin(tmp_path: Path) -> None:
    case = case_of(tmp_path, "")
    assert [way.change for way in case.ways] == [
        "--diag-models=real",
        "--diag-models=auto",
        "--diag-models=mock",
    ]


def test_wrong_parameters_are_errors(tmp_path: Path) -> None:
    for wrong in ({"rounds": 0}, {"minutes": -1}, {"suite": "no/such/folder"}, {"ways": "one: A=1"}):
        with pytest.raises(UsageError):
            ModelSuite(store_folder=str(tmp_path), **wrong)  # type: ignore[arg-type]


def test_without_the_model_its_suite_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model is looked for where it is not."""

    def missing() -> None:
        raise ModelError("The embedding model MiniLM is not installed.", hint="make setup")

    monkeypatch.setattr(model_suite, "find_model", missing)
    with pytest.raises(UnavailableError, match="is not installed") as raised:
        ModelSuite(store_folder=str(tmp_path)).reproduce()
    assert raised.value.hint == "make setup"


@pytest.mark.slow
def test_the_suite_under_study_needs_a_fifth_of_the_memory_when_mocked(tmp_path: Path) -> None:
    """And all of its tests run in the other ways."""
    try:
        find_model()
    except ModelError as error:
        pytest.skip(str(error))
    case = ModelSuite(rounds=1, store_folder=str(tmp_path))
    case.compare()
    changes = {
        one.hypothesis.variant: one.change_share for one in case.effects if one.hypothesis.metric == PEAK
    }
    assert (changes["mocked"] or 0) < -0.6
    ran = {way: costs[0].n_ran for way, costs in case.costs.items()}
    assert ran["per test"] == ran["cached"] == ran["on demand"] > ran["mocked"] > 0
    assert {one.name for one in case.costs["cached"][0].folders} == {"unit", "services", "integration"}
