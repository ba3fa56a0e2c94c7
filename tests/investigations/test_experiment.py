"""Experiments with real commands: interleaving, outcomes, and verdicts that follow the planted cause."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from diagtools.errors import NoDataError
from diagtools.investigations.experiment import BASELINE, Experiment, LeftOut, Variant
from diagtools.investigations.record import record
from diagtools.values import Hypothesis, Limit, Outcome, Target, Verdict

LIMIT = Limit.parse("200 MB")
PROGRAM = "import sys, time; kept = bytearray(int(sys.argv[1]) << 20); time.sleep(0.1)"


def _target(mebibytes: int) -> Target:
    return Target(argv=(sys.executable, "-c", PROGRAM, str(mebibytes)), limit=LIMIT)


def _experiment(folder: Path, *, as_it_is: int, with_change: int) -> Experiment:
    return Experiment(
        baseline=_target(as_it_is),
        variants=[Variant(name="smaller", change="less memory", target=_target(with_change))],
        hypotheses=[
            Hypothesis(
                name="too large", suspicion="The buffer is too large.", change="shrink it", variant="smaller"
            )
        ],
        folder=folder,
    )


@pytest.mark.parametrize(
    ("as_it_is", "with_change", "verdict"),
    [
        (400, 20, Verdict.CONFIRMED),
        (400, 390, Verdict.REFUTED),
        (120, 40, Verdict.CONFIRMED),
        (60, 60, Verdict.REFUTED),
        (60, 400, Verdict.REFUTED),
    ],
)
def test_verdict_follows_the_planted_cause(
    tmp_path: Path, as_it_is: int, with_change: int, verdict: Verdict
) -> None:
    """Killed and rescued, killed all the same, shrunk, unchanged, made worse."""
    experiment = _experiment(tmp_path, as_it_is=as_it_is, with_change=with_change)
    experiment.run(rounds=2)
    assert [effect.verdict for effect in experiment.effects] == [verdict]


def test_each_round_runs_every_variant_once(tmp_path: Path) -> None:
    """A run already made counts as the first round's baseline; every run has a folder of its own."""
    experiment = _experiment(tmp_path, as_it_is=30, with_change=20)
    experiment.run(rounds=3, known=record(_target(30), folder=tmp_path / "known"))
    by_round = {pair: [t.variant for t in experiment.trials if t.pair == pair] for pair in range(3)}
    assert all(sorted(names) == [BASELINE, "smaller"] for names in by_round.values())
    assert len({trial.run.path for trial in experiment.trials}) == 6
    assert experiment.runs_of(BASELINE)[0].path.name == "known"


def test_a_kill_is_an_outcome(tmp_path: Path) -> None:
    """A killed run has a row of its own, with the limit as a lower bound of its peak."""
    experiment = _experiment(tmp_path, as_it_is=400, with_change=20)
    experiment.run(rounds=1)
    peaks = experiment.pairs.filter(experiment.pairs["metric"] == "peak_rss_bytes")
    rows = {row["variant"]: row for row in peaks.iter_rows(named=True)}
    assert rows[BASELINE]["outcome"] == Outcome.KILLED
    assert rows[BASELINE]["value"] >= LIMIT.memory_bytes
    assert rows["smaller"]["outcome"] == Outcome.FINISHED


def test_a_failing_command_proves_nothing(tmp_path: Path) -> None:
    """A variant that exits with an error is neither finished nor killed: inconclusive."""
    broken = Target(argv=(sys.executable, "-c", "raise SystemExit(3)"), limit=LIMIT)
    experiment = Experiment(
        baseline=_target(400),
        variants=[Variant(name="broken", change="breaks", target=broken)],
        hypotheses=[Hypothesis(name="h", suspicion="S.", change="c", variant="broken")],
        folder=tmp_path,
    )
    experiment.run(rounds=1)
    assert experiment.effects[0].verdict is Verdict.INCONCLUSIVE


def test_no_effects_before_the_first_round(tmp_path: Path) -> None:
    """Asking too early is a clear error."""
    with pytest.raises(NoDataError, match="no runs yet"):
        _ = _experiment(tmp_path, as_it_is=1, with_change=1).effects


def test_the_first_round_is_whole_and_later_ones_fit_the_time(tmp_path: Path) -> None:
    """Without time left, each variant still runs once, and no more."""
    experiment = _experiment(tmp_path, as_it_is=30, with_change=20)
    experiment.run(rounds=3, within_s=0.0)
    assert sorted(trial.variant for trial in experiment.trials) == [BASELINE, "smaller"]
    assert [str(finding) for finding in experiment.rounds_left_out("5 minutes")] == [
        "Round 2 of 3 was not run: it would have taken longer than the 5 minutes given.",
        "Round 3 of 3 was not run: it would have taken longer than the 5 minutes given.",
    ]


def test_a_round_that_is_not_whole_says_what_is_missing(tmp_path: Path) -> None:
    """A short variant may still fit where a long one does not."""
    experiment = _experiment(tmp_path, as_it_is=30, with_change=20)
    experiment.run(rounds=2)
    assert experiment.rounds_left_out("1 minute") == []
    experiment.left_out = [LeftOut(pair=1, variant="smaller")]
    assert str(experiment.rounds_left_out("1 minute")[0]) == (
        "Round 2 of 2 was run for 1 of 2 variants only, without 'smaller': that would have taken longer than the "
        "1 minute given."
    )
