"""A test suite run in turn as it is and changed: what did its worker hold each time, and did the same tests pass?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

import polars as pl

from diagtools import frames
from diagtools.analyse.worker_figures import PEAK, WorkerFigures, worker_figures
from diagtools.errors import NoDataError
from diagtools.investigations.changes import Change, together
from diagtools.investigations.experiment import BASELINE, Experiment, Variant
from diagtools.investigations.outputs import Outputs
from diagtools.investigations.progress import Progress
from diagtools.investigations.trials import Trial, outcome
from diagtools.redact import redact_text
from diagtools.run import Run
from diagtools.values import Effect, Hypothesis, Target

TOGETHER = "all together"
_WORTH_IT = 0.02  #: of the worker: a suspect that holds less is not worth a change


class WorkerExperiment(Experiment):
    """An experiment whose figures are those of the worker, beside those of the whole tree.

    ``suspects`` are tried each alone and, where there are several, all together; ``watched`` are run beside them, once,
    and judged by nobody.
    """

    def __init__(
        self,
        target: Target,
        suspects: Sequence[Change],
        *,
        watched: Sequence[Change] = (),
        folder: Path | None = None,
    ) -> None:
        tried = [*suspects]
        if len(tried) > 1:
            all_of = together(tuple(tried))
            meaning = "what the suspects bring is most of what it holds"
            tried.append(replace(all_of, name=TOGETHER, meaning=meaning))
        variants = [change.variant(target) for change in (*tried, *watched)]
        judged = [_hypothesis(variant, target) for variant in variants[: len(tried)]]
        self._watched = [change.name for change in watched]
        super().__init__(baseline=target, variants=variants, hypotheses=judged, folder=folder)

    def run(
        self,
        *,
        rounds: int,
        within_s: float | None = None,
        known: Run | None = None,
        progress: Progress | None = None,
    ) -> None:
        """As ``Experiment.run``; what is only watched runs in the first round alone."""
        super().run(rounds=1, within_s=within_s, known=known, progress=progress)
        for name in self._watched:
            self.drop(name)
        if rounds > 1:
            super().run(rounds=rounds - 1, within_s=within_s, progress=progress)

    @property
    def pairs(self) -> pl.DataFrame:
        """PAIRS, with three metrics of the worker (``analyse.worker_figures``) for each run."""
        told = super().pairs
        rows = [
            {**row, "metric": name, "value": value}
            for row, trial in zip(
                told.unique("order", maintain_order=True).to_dicts(), self.trials, strict=True
            )
            for name, value in _metrics(trial.run).items()
        ]
        columns = {name: [row[name] for row in rows] for name in frames.PAIRS.columns}
        return pl.concat([told, frames.PAIRS.from_columns(columns)])

    @property
    def effects(self) -> list[Effect]:
        """The verdicts; none where there is no suspect."""
        return super().effects if self.hypotheses else []

    @property
    def outputs(self) -> Outputs:
        """Do the same tests end alike?  What pytest prints is another each time: it has durations and sizes."""
        same = {name: self.same_tests(name) for name in self.variants if name != BASELINE}
        changed = {name: self._first_other(name) for name, is_same in same.items() if is_same is False}
        return Outputs(same=same, changed=changed)

    def same_tests(self, variant: str) -> bool | None:
        """Do the same tests end alike as without the change?  Null where one of them was not run or seen."""
        usual = {outcomes(run) for run in self.runs_of(BASELINE)}
        found = {outcomes(run) for run in self.runs_of(variant)}
        return None if not usual or not found or frozenset() in usual | found else usual == found

    def _first_other(self, variant: str) -> str:
        """Which test ends otherwise, or is there on one side only?"""
        usual = {one for run in self.runs_of(BASELINE) for one in outcomes(run)}
        found = {one for run in self.runs_of(variant) for one in outcomes(run)}
        test, _ = min(usual ^ found)
        of = [next((how for name, how in sorted(side) if name == test), "not run") for side in (found, usual)]
        return f"{test} is {of[0]}, was {of[1]}"

    def figures(self, variant: str = BASELINE) -> list[WorkerFigures]:
        """What did the worker of each run hold?  Raises ``NoDataError`` where no run of it tells."""
        found = [one for run in self.runs_of(variant) if (one := figures_of(run)) is not None]
        if not found:
            raise NoDataError(
                f"No test of '{variant}' was measured: {self._why(variant)}.",
                hint="does it run pytest, beside diagtools? Where plugins are not loaded: -p diagtools",
            )
        return found

    def median_of(self, metric: str, variant: str = BASELINE) -> float:
        """The median of one metric of the worker over the runs of a variant."""
        return median(one.metrics[metric] for one in self.figures(variant))

    def spread_of(self, metric: str, variant: str = BASELINE) -> float:
        """How far apart lie the least and the most of it?"""
        values = [one.metrics[metric] for one in self.figures(variant)]
        return max(values) - min(values)

    def _tried(self, name: str, number: int) -> Trial | None:
        """What cannot be measured as it is need not be run again and again.  Raises ``NoDataError``."""
        found = super()._tried(name, number)
        if name == BASELINE and number == 0:
            self.figures()
        return found

    def _why(self, variant: str) -> str:
        runs = self.runs_of(variant)
        if not runs:
            return self.cannot_run.get(variant, "it was not run")
        words = " / ".join(runs[0].last_log_lines(4))
        return f"it {outcome(runs[0], self.usual_status)} with {runs[0].exit_status}: {words}"


def figures_of(run: Run) -> WorkerFigures | None:
    """What did the worker of this run hold?  Null where no test of it was measured."""
    return worker_figures(tests_of(run), run.timeline)


def tests_of(run: Run) -> pl.DataFrame:
    """TESTS of this run, empty where none was measured."""
    try:
        return run.test_session.tests
    except NoDataError:
        return frames.TESTS.empty()


def outcomes(run: Run) -> frozenset[tuple[str, str]]:
    """How did each test end?"""
    return frozenset(tests_of(run).select("test", "outcome").iter_rows())


def _metrics(run: Run) -> dict[str, float | None]:
    found = figures_of(run)
    return {PEAK: None} if found is None else {**found.metrics}


def _hypothesis(variant: Variant, target: Target) -> Hypothesis:
    return Hypothesis(
        name=variant.name,
        suspicion=variant.meaning,
        change=variant.change,
        variant=variant.name,
        mend=_added(variant.target, target) or variant.change,
        metric=PEAK,
        expected_drop=_WORTH_IT,
    )


def _added(changed: Target, target: Target) -> str:
    """What has this variant that the suite as it is has not, in a few words?"""
    env = [f"{name}={value}" for name, value in changed.env.items() if target.env.get(name) != value]
    made = changed.changes
    patches = [one.name for one in made.patches] if made else []
    places = ["/".join(one.split("/")[-2:]) for one in made.lazy] if made else []
    return ", ".join(redact_text(one) for one in [*env, *patches, *(f"lazy {place}" for place in places)])
