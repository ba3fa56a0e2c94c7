"""One investigation: a question, its runs, what was found, and which suspicions held."""

from __future__ import annotations

from typing import Any

from diagtools.errors import BudgetBreached
from diagtools.investigations.experiment import BASELINE, Experiment
from diagtools.present import renderer
from diagtools.present.shown import CASE_KEY
from diagtools.present.text import case_summary
from diagtools.run import Run
from diagtools.units import format_bytes
from diagtools.values import Budget, Effect, Finding, Verdict


class Case:
    """A question and everything that answers it; shows itself as its summary.

    An investigation says what its ``effects``, ``findings`` and ``headlines`` are: every number and sentence is
    computed from what was measured.
    """

    def __init__(self, *, question: str) -> None:
        self.question = question
        renderer.enable()

    @property
    def effects(self) -> list[Effect]:
        """What was found out about each hypothesis."""
        return []

    def with_verdict(self, verdict: Verdict) -> list[Effect]:
        """The hypotheses that got this verdict."""
        return [effect for effect in self.effects if effect.verdict is verdict]

    def findings(self) -> list[Finding]:
        """What was seen and what follows, a sentence each."""
        return []

    def headlines(self) -> list[str]:
        """The case in a few short sentences."""
        return [str(finding) for finding in self.findings()]

    def summary(self) -> str:
        """The case in ten lines for a terminal."""
        return case_summary(
            question=self.question,
            findings=[Finding(sentence=text) for text in self.headlines()],
            effects=self.effects,
        )

    def as_json(self) -> dict[str, Any]:
        """The case for scripts: question, summary, findings, and each hypothesis with its verdict."""
        return {
            "question": self.question,
            "headlines": self.headlines(),
            "summary": self.summary(),
            "findings": [str(finding) for finding in self.findings()],
            "hypotheses": [_plain(effect) for effect in self.effects],
        }

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, str], dict[str, Any]]:
        return {"text/plain": self.summary()}, {CASE_KEY: self.as_json()}


class ExperimentCase(Case):
    """A case that takes suspects away from a command: ``experiment`` is what was tried, and says what it means."""

    def __init__(self, *, question: str, experiment: Experiment) -> None:
        super().__init__(question=question)
        self.experiment = experiment

    @property
    def run(self) -> Run:
        """The first run of the program as it is.  Raises ``IndexError`` before there is one."""
        return self.experiment.runs_of(BASELINE)[0]

    @property
    def effects(self) -> list[Effect]:
        """What the experiment said about each hypothesis."""
        return self.experiment.effects

    def measured(self, metric: str, variant: str) -> list[float]:
        """Every value of one metric that the runs of one variant gave."""
        pairs = self.experiment.pairs
        rows = pairs.filter((pairs["metric"] == metric) & (pairs["variant"] == variant))
        return rows["value"].drop_nulls().to_list()

    def check(self, budget: Budget, *, variant: str) -> Finding:
        """Does the worst run of this variant keep the budget?  Raises ``BudgetBreached`` where not."""
        values = self.measured(budget.metric, variant)
        killed = [run for run in self.experiment.runs_of(variant) if run.death is not None]
        if killed or not values:
            raise BudgetBreached(
                f"'{variant}' has no finished run to check its budget on: {len(killed)} of "
                f"{len(self.experiment.runs_of(variant))} were killed.",
                hint=f"diagtools show {killed[0].path}" if killed else None,
            )
        worst = int(max(values))
        budget.check(worst)
        return Finding(sentence=_kept(budget, worst, variant, len(values)), value=worst, unit="bytes")


def _kept(budget: Budget, worst: int, variant: str, n_runs: int) -> str:
    runs = "its run" if n_runs == 1 else f"the worst of {n_runs} runs"
    return (
        f"Budget kept: {budget.metric} of '{variant}' is {format_bytes(worst)} in {runs}, "
        f"below {format_bytes(budget.limit_bytes)}."
    )


def _plain(effect: Effect) -> dict[str, Any]:
    return {
        "name": effect.hypothesis.name,
        "suspicion": effect.hypothesis.suspicion,
        "change": effect.hypothesis.change,
        "verdict": str(effect.verdict),
        "reason": effect.reason,
        "change_share": effect.change_share,
        "low_share": effect.low_share,
        "high_share": effect.high_share,
        "rescued": effect.rescued,
        "same_item": effect.same_item,
        "n_baseline": effect.n_baseline,
        "n_variant": effect.n_variant,
    }
