"""A baseline and variants, run in turn in fresh processes: which suspicion holds?

Runs are interleaved, in another order each round, so that a machine that grows slower or fuller during the
experiment touches all variants alike (FACTS of the field: runs that were not interleaved gave 14–23 % false
alarms).  A kill is an outcome, not missing data.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from diagtools import frames
from diagtools.analyse.comparison import effects
from diagtools.errors import NoDataError
from diagtools.investigations.progress import Progress
from diagtools.investigations.record import record
from diagtools.run import Run
from diagtools.units import format_bytes, format_seconds
from diagtools.values import Effect, Finding, Hypothesis, Outcome, Target

BASELINE = "as it was"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way to run the program: ``name`` is short and unique, ``change`` says what differs."""

    name: str
    change: str
    target: Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One run of an experiment: which round, in which place of that round, of which variant."""

    pair: int
    order: int
    variant: str
    run: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """One planned run for which no time was left: which round, of which variant."""

    pair: int
    variant: str


class Experiment:
    """Runs variants of a command against the command as it is, and says what that means for each hypothesis."""

    def __init__(
        self,
        *,
        baseline: Target,
        variants: Sequence[Variant],
        hypotheses: Sequence[Hypothesis],
        folder: Path | None = None,
        seed: int = 0,
    ) -> None:
        as_it_is = Variant(name=BASELINE, change="nothing changed", target=baseline)
        self.variants = {variant.name: variant for variant in (as_it_is, *variants)}
        self.hypotheses = tuple(hypotheses)
        self.trials: list[Trial] = []
        self.left_out: list[LeftOut] = []
        self.n_rounds = 0
        self._folder = folder
        self._random = random.Random(seed)

    def run(
        self,
        *,
        rounds: int,
        within_s: float | None = None,
        known: Run | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Runs every variant once a round, in another order each time.

        ``known`` is a run of the baseline that was made already: it is the first round's.  ``within_s`` bounds
        the whole: the first round is always run, of later ones only what fits, by the time it took before.
        What did not fit is in ``left_out``.
        """
        self.n_rounds, self.left_out = rounds, []
        shown = progress or Progress()
        until = None if within_s is None else time.monotonic() + within_s
        for number in range(rounds):
            names = list(self.variants)
            self._random.shuffle(names)
            if number == 0 and known is not None:
                names.remove(BASELINE)
                self._keep(0, BASELINE, known)
            for name in names:
                if number and until is not None and time.monotonic() + self._takes_s(name) > until:
                    shown.say(f"round {number + 1}, {name}: left out, it would take too long")
                    self.left_out.append(LeftOut(pair=number, variant=name))
                    continue
                shown.say(f"round {number + 1}, {name}: {self.variants[name].change} …")
                trial = self._keep(number, name, self._record(name, number))
                shown.say(f"round {number + 1}, {name}: {_seen(trial.run)}")
        self.__dict__.pop("effects", None)

    def rounds_left_out(self, given: str) -> list[Finding]:
        """Which planned rounds did not run, or not whole, in the time that was ``given`` (``"5 minutes"``)?"""
        by_round: dict[int, list[str]] = {}
        for run in self.left_out:
            by_round.setdefault(run.pair, []).append(run.variant)
        return [
            Finding(sentence=_left_out(number, names, self, given), value=len(names), unit="runs")
            for number, names in by_round.items()
        ]

    def runs_of(self, variant: str) -> list[Run]:
        """The runs of one variant, in the order they were made."""
        return [trial.run for trial in self.trials if trial.variant == variant]

    @property
    def pairs(self) -> pl.DataFrame:
        """PAIRS: one row a run and metric."""
        rows = [row for trial in self.trials for row in _rows(trial)]
        columns = {name: [row[name] for row in rows] for name in frames.PAIRS.columns}
        return frames.PAIRS.from_columns(columns)

    @cached_property
    def effects(self) -> list[Effect]:
        """What the runs say about each hypothesis.  Raises ``NoDataError`` before the first round."""
        if not self.trials:
            raise NoDataError("The experiment has no runs yet.", hint="call run(rounds=2) first.")
        return effects(self.pairs, self.hypotheses, baseline=BASELINE)

    def _takes_s(self, name: str) -> float:
        return max(run.duration_s or 0.0 for run in self.runs_of(name))

    def _record(self, name: str, number: int) -> Run:
        folder = self._folder / run_name(name, number) if self._folder else None
        return record(self.variants[name].target, folder=folder)

    def _keep(self, pair: int, name: str, run: Run) -> Trial:
        trial = Trial(pair=pair, order=len(self.trials), variant=name, run=run)
        self.trials.append(trial)
        return trial


def run_name(variant: str, number: int) -> str:
    """What is the folder of a variant's run called?  ``number`` counts the rounds from 0."""
    return f"{variant.replace(' ', '-')}-{number + 1}"


def outcome(run: Run) -> Outcome:
    """How did this run end?"""
    if run.exit_status == 0:
        return Outcome.FINISHED
    return Outcome.KILLED if run.death is not None else Outcome.FAILED


def _left_out(number: int, names: Sequence[str], experiment: Experiment, given: str) -> str:
    planned = len(experiment.variants)
    ran = "was not run: it"
    if len(names) < planned:
        listed = ", ".join(f"'{name}'" for name in names)
        ran = f"was run for {planned - len(names)} of {planned} variants only, without {listed}: that"
    return (
        f"Round {number + 1} of {experiment.n_rounds} {ran} would have taken longer than the {given} given."
    )


def _rows(trial: Trial) -> list[dict[str, object]]:
    run = trial.run
    metrics = {
        "peak_rss_bytes": run.peak_rss_bytes,
        "final_rss_bytes": run.final_rss_bytes,
        "duration_s": run.duration_s,
    }
    common = {
        "pair": trial.pair,
        "order": trial.order,
        "variant": trial.variant,
        "outcome": str(outcome(run)),
        "run": run.path.name,
        "item_in_flight": run.item_in_flight,
    }
    return [
        {**common, "metric": name, "value": None if value is None else float(value)}
        for name, value in metrics.items()
    ]


def _seen(run: Run) -> str:
    peak = "no peak" if run.peak_rss_bytes is None else f"peak {format_bytes(run.peak_rss_bytes)}"
    duration = "" if run.duration_s is None else f", {format_seconds(run.duration_s)}"
    where = f" in {run.item_in_flight}" if run.death is not None and run.item_in_flight else ""
    return f"{outcome(run)}{where}, {peak}{duration}"
