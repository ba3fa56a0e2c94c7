"""A baseline and variants, run in turn in fresh processes: which suspicion holds?

Runs are interleaved, in another order each round, so that a machine that grows slower or fuller during the
experiment touches all variants alike (FACTS of the field: runs that were not interleaved gave 14–23 % false
alarms).  A kill is an outcome, not missing data.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from diagtools import frames
from diagtools.analyse.comparison import effects
from diagtools.analyse.metrics import PEAK, Metric
from diagtools.analyse.sequential import AT_THE_END, least_share
from diagtools.capture.conditions import conditions
from diagtools.errors import NoDataError, StartError, UsageError
from diagtools.investigations.fresh_folder import fresh_folder
from diagtools.investigations.measures import must_be_measured, name_of
from diagtools.investigations.outputs import Outputs, without
from diagtools.investigations.progress import Progress
from diagtools.investigations.record import record
from diagtools.investigations.trials import Trial, in_words, outcome, rows_of, run_name
from diagtools.redact import redact_text
from diagtools.run import Run
from diagtools.values import Changes, Effect, Finding, Hypothesis, Outcome, Target

BASELINE = "as it was"
_KILLED_FROM = 128
_LARGE = 0.10
_SHORTEST_SECRET = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way to run the program: ``name`` is short and unique, ``change`` says what differs.

    ``meaning`` is a clause that says what it would mean if this change mended it; empty where nobody said.
    """

    name: str
    change: str
    target: Target
    meaning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """One planned run for which no time was left: which round, of which variant."""

    pair: int
    variant: str


class Experiment:
    """Runs variants of a command against the command as it is, and says what that means for each hypothesis.

    Without ``hypotheses`` there is one for each variant and metric: that the change lowers it.  ``metrics`` are those
    of ``Metric.parse``.  With ``in_fresh_folder`` each run works in an empty folder of its own.
    """

    def __init__(
        self,
        *,
        baseline: Target,
        variants: Sequence[Variant],
        hypotheses: Sequence[Hypothesis] = (),
        metrics: Sequence[str] = (PEAK,),
        folder: Path | None = None,
        seed: int = 0,
        in_fresh_folder: bool = False,
    ) -> None:
        as_it_is = Variant(name=BASELINE, change="nothing changed", target=baseline)
        self.variants = {variant.name: variant for variant in _alike([as_it_is, *variants])}
        if len(self.variants) <= len(variants):
            raise UsageError("Two variants have the same name.", hint="each needs a name of its own.")
        self.metrics = tuple(Metric.parse(name) for name in metrics)
        self.trials: list[Trial] = []
        self.left_out: list[LeftOut] = []
        self.cannot_run: dict[str, str] = {}
        self.n_rounds = 0
        self.folder = folder
        self.looks = AT_THE_END
        self.expected_drop: float | None = _LARGE  # null: as little as matters at all
        self._given = tuple(hypotheses)
        self._dropped: set[str] = set()
        self._random = random.Random(seed)
        self._in_fresh_folder = in_fresh_folder

    # --- running -------------------------------------------------------------------------------------

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
        What did not fit is in ``left_out``.  Called again, it adds rounds.  Raises ``StartError`` where the command
        cannot be started as it is, and ``NoDataError`` where that does not measure what was asked for.
        """
        first = self.n_rounds if self.trials else 0
        self.n_rounds, self.left_out = first + rounds, []
        shown = progress or Progress()
        until = None if within_s is None else time.monotonic() + within_s
        for number in range(first, first + rounds):
            names = [name for name in self.variants if name not in self._useless]
            self._random.shuffle(names)
            if number == 0 and known is not None:
                names.remove(BASELINE)
                self._keep(0, BASELINE, known, {})
            for name in names:
                if number > first and until is not None and time.monotonic() + self._takes_s(name) > until:
                    shown.say(f"round {number + 1}, {name}: left out, it would take too long")
                    self.left_out.append(LeftOut(pair=number, variant=name))
                    continue
                shown.say(f"round {number + 1}, {name}: {self.variants[name].change} …")
                trial = self._tried(name, number)
                shown.say(
                    f"round {number + 1}, {name}: {in_words(trial) if trial else self.cannot_run[name]}"
                )

    def drop(self, variant: str) -> None:
        """No more runs of this one: what is known of it is clear enough."""
        self._dropped.add(variant)

    @property
    def is_settled(self) -> bool:
        """Would more rounds run the command as it is, and nothing to compare it with?"""
        return self._useless | {BASELINE} >= self.variants.keys()

    @property
    def _useless(self) -> set[str]:
        """Variants that another run would tell nothing more of: they do not start, or change nothing."""
        return {*self.cannot_run, *self.not_applied, *self._dropped}

    def rounds_left_out(self, given: str) -> list[Finding]:
        """Which planned rounds did not run, or not whole, in the time that was ``given`` (``"5 minutes"``)?"""
        by_round: dict[int, list[str]] = {}
        for run in self.left_out:
            by_round.setdefault(run.pair, []).append(run.variant)
        return [
            Finding(sentence=_left_out(number, names, self, given), value=len(names), unit="runs")
            for number, names in by_round.items()
        ]

    # --- what came of it -----------------------------------------------------------------------------

    @property
    def hypotheses(self) -> tuple[Hypothesis, ...]:
        """Those that were given, else one for each variant and metric."""
        if self._given:
            return self._given
        names = [self._name(metric) for metric in self.metrics]
        return tuple(
            _hypothesis(variant, name, self.expected_drop)
            for variant in self.variants.values()
            for name in names
            if variant.name != BASELINE
        )

    def runs_of(self, variant: str) -> list[Run]:
        """The runs of one variant, in the order they were made."""
        return [trial.run for trial in self.trials if trial.variant == variant]

    @property
    def pairs(self) -> pl.DataFrame:
        """PAIRS: one row a run and metric."""
        usual = self.usual_status
        rows = [row for trial in self.trials for row in rows_of(trial, self.metrics, usual)]
        columns = {name: [row[name] for row in rows] for name in frames.PAIRS.columns}
        return frames.PAIRS.from_columns(columns)

    @property
    def effects(self) -> list[Effect]:
        """What the runs say about each hypothesis.  Raises ``NoDataError`` before the first round."""
        if not self.trials:
            raise NoDataError("The experiment has no runs yet.", hint="call run(rounds=2) first.")
        outputs = self.outputs
        found = effects(
            self.pairs,
            self.hypotheses,
            baseline=BASELINE,
            looks=self.looks,
            not_applied={**self.not_applied, **self.cannot_run},
            changed_output=outputs.changed,
        )
        said = [replace(one, same_output=outputs.same[one.hypothesis.variant]) for one in found]
        return [replace(one, reason=one.reason + self._last_words(one)) for one in said]

    def _last_words(self, effect: Effect) -> str:
        """Of a run that failed, of the variant or else of the command as it is; empty where none did."""
        usual = self.usual_status
        for name in (effect.hypothesis.variant, BASELINE):
            failed = [run for run in self.runs_of(name) if outcome(run, usual) is Outcome.FAILED]
            lines = failed[0].last_log_lines(1) if failed else []
            if lines:
                return f" Its last words: {without(lines[0], self._secrets)}"
        return ""

    @property
    def usual_status(self) -> int:
        """How does the command end as it is?  Some end well with a status above zero; 0 where it was always killed."""
        seen = [
            run.exit_status
            for run in self.runs_of(BASELINE)
            if run.death is None and run.exit_status is not None
        ]
        return seen[0] if seen and len(set(seen)) == 1 and seen[0] < _KILLED_FROM else 0

    @property
    def not_applied(self) -> dict[str, str]:
        """Which variants changed nothing, and why?  A patch that never ran proves nothing."""
        found = {}
        for name in self.variants:
            runs = self.runs_of(name)
            ended = [run for run in runs if run.death is None] or runs
            missing = [one for run in ended for one in run.changes if not one.is_applied]
            if missing:
                found[name] = f"{missing[0].change}: {missing[0].why}"
        return found

    @property
    def outputs(self) -> Outputs:
        """Do the variants print what the command prints as it is?"""
        runs = {name: self.runs_of(name) for name in self.variants}
        return Outputs.of(runs.pop(BASELINE), runs, usual_status=self.usual_status, secrets=self._secrets)

    @property
    def _secrets(self) -> list[str]:
        return _secrets([variant.target for variant in self.variants.values()])

    # --- one run -------------------------------------------------------------------------------------

    def _name(self, metric: Metric) -> str:
        """As the first run that tells it has it: a printed number has its unit from there."""
        found = (name_of(trial.run, metric) for trial in self.trials)
        return next((name for name in found if name != metric.name), metric.name)

    def _takes_s(self, name: str) -> float:
        return max((run.duration_s or 0.0 for run in self.runs_of(name)), default=0.0)

    def _tried(self, name: str, number: int) -> Trial | None:
        """Null where a variant cannot be started: that is known then, and the others go on."""
        before = conditions()
        try:
            run = self._record(name, number)
        except (StartError, UsageError) as error:
            if name == BASELINE:
                raise
            self.cannot_run[name] = error.message
            return None
        if name == BASELINE and not self.runs_of(BASELINE) and run.death is None:
            must_be_measured(run, self.metrics)
        return self._keep(number, name, run, before)

    def _record(self, name: str, number: int) -> Run:
        folder = self.folder / run_name(name, number) if self.folder else None
        target = self.variants[name].target
        if not self._in_fresh_folder:
            return record(target, folder=folder)
        with fresh_folder(target) as alone:
            return record(alone, folder=folder)

    def _keep(self, pair: int, name: str, run: Run, before: dict[str, float]) -> Trial:
        trial = Trial(pair=pair, order=len(self.trials), variant=name, run=run, conditions=before)
        self.trials.append(trial)
        return trial


def _alike(variants: Sequence[Variant]) -> list[Variant]:
    """Where one of them is changed from within, all of them carry what does that: only the change differs."""
    known = [variant.target.changes for variant in variants if variant.target.changes is not None]
    if not known:
        return list(variants)
    lazy = tuple(dict.fromkeys(place for changes in known for place in changes.lazy))
    return [replace(variant, target=_with_means(variant.target, lazy)) for variant in variants]


def _with_means(target: Target, lazy: tuple[str, ...]) -> Target:
    changes = target.changes or Changes()
    return replace(target, changes=changes if changes.lazy else replace(changes, eager=lazy))


def _secrets(targets: Sequence[Target]) -> list[str]:
    """Values of variables whose names say that they are secret: a program may print them."""
    given = {item for target in targets for item in target.env.items() if len(item[1]) >= _SHORTEST_SECRET}
    return [value for name, value in sorted(given) if value not in redact_text(f"{name}={value}")]


def _hypothesis(variant: Variant, metric: str, expected_drop: float | None) -> Hypothesis:
    found = Hypothesis(
        name=variant.name,
        suspicion=variant.meaning or f"without {variant.change} it takes more",
        change=variant.change,
        variant=variant.name,
        mend=variant.change,
        metric=metric,
    )
    return replace(found, expected_drop=least_share(found) if expected_drop is None else expected_drop)


def _left_out(number: int, names: Sequence[str], experiment: Experiment, given: str) -> str:
    planned = len(experiment.variants)
    ran = "was not run: it"
    if len(names) < planned:
        listed = ", ".join(f"'{name}'" for name in names)
        ran = f"was run for {planned - len(names)} of {planned} variants only, without {listed}: that"
    return (
        f"Round {number + 1} of {experiment.n_rounds} {ran} would have taken longer than the {given} given."
    )
