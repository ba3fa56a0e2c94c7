"""A test suite loads a model again and again: what do a cache, mocks, and real models on demand save?

The suite under study is ``workloads.suite``; a suite of the reader's own takes its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

import altair as alt

import workloads.suite
from diagtools.analyse.comparison import effects
from diagtools.analyse.metrics import PEAK
from diagtools.capture.folder import store, unused
from diagtools.errors import NoDataError, RecorderError, UnavailableError
from diagtools.investigations.case import ExperimentCase
from diagtools.investigations.experiment import BASELINE, Experiment, Variant
from diagtools.investigations.model_suite_costs import SuiteCost, suite_cost
from diagtools.investigations.model_suite_story import (
    WayFigures,
    change_told,
    folders_of_one_told,
    folders_told,
    peak_told,
    ran_told,
)
from diagtools.investigations.model_suite_table import figures_table, files_table
from diagtools.investigations.model_suite_ways import (
    OWN_WAYS,
    PLUGIN_WAYS,
    Way,
    read_ways,
    suite_command,
    target_of,
)
from diagtools.investigations.parameters import above_zero, whole
from diagtools.investigations.progress import Progress
from diagtools.investigations.record import record
from diagtools.investigations.trials import run_name
from diagtools.present.charts.model_suite import ways_chart
from diagtools.present.prose import Prose
from diagtools.present.tables import Table
from diagtools.run import Run
from diagtools.units import format_bytes, format_seconds, parse_bytes
from diagtools.values import Budget, Effect, Finding, Hypothesis
from workloads.rag.errors import ModelError
from workloads.rag.models import find_model

TIME, CPU = "duration_s", "cpu_s"
_QUESTION = "What does a test suite pay for its models, and which way of getting them costs least?"
_COULD_NOT_RUN = 2  #: and above: pytest's statuses that say that no test ran, or not all of them
#: What is judged.  Time is shown, and processor time is judged: other programs on the machine do not change it.
_METRICS = ((CPU, "needs less processor time"), (PEAK, "has a lower peak"))


_OWN_BUDGET = "120 MiB"  #: of the suite under study, mocked


class ModelSuite(ExperimentCase):
    """The investigation of a test suite whose tests need models.

    ``suite`` is a folder of tests or a command (empty: the suite under study), ``ways`` says what each way adds to it:
    ``"per test: CACHE=0; mocked: CACHE=1 --diag-models=mock"``, of which the first is how it was (empty: those of the
    suite under study, and of another one the values of ``--diag-models``).  ``rounds`` is how
    often each way runs, ``minutes`` how long all of them may take once each has run.
    """

    def __init__(
        self,
        *,
        suite: str = "",
        ways: str = "",
        rounds: int = 3,
        minutes: float = 30,
        store_folder: str | None = None,
    ) -> None:
        self.ways = read_ways(ways or (PLUGIN_WAYS if suite else OWN_WAYS))
        self.rounds = whole("rounds", rounds)
        self.minutes = above_zero("minutes", minutes)
        self._is_own = not suite
        self._command = suite_command(suite or str(Path(workloads.suite.__file__).parent))
        self._folder = unused((Path(store_folder) if store_folder else store()) / "model-suite")
        self._progress = Progress()
        first, *others = self.ways
        experiment = Experiment(
            baseline=target_of(self._command, first),
            variants=[
                Variant(name=way.name, change=way.change, target=target_of(self._command, way))
                for way in others
            ],
            hypotheses=[
                _hypothesis(first, way, metric, claim) for way in others for metric, claim in _METRICS
            ],
            metrics=(PEAK, CPU),
            folder=self._folder,
        )
        super().__init__(question=_QUESTION, experiment=experiment)

    # --- what runs -----------------------------------------------------------------------------------

    def reproduce(self) -> Prose:
        """Runs the suite as it was, once, and says what that took.

        Raises ``UnavailableError`` without the model, and ``RecorderError`` where the tests could not run.
        """
        if self._is_own:
            self._progress.say("preparing the model …")
            _prepare()
        first = self.ways[0]
        self._progress.say(f"running the suite, {first.name} …")
        run = record(target_of(self._command, first), folder=self._folder / run_name(BASELINE, 0))
        _must_have_run(run, first)
        self._first = run
        self._progress.say("recorded.")
        return Prose(self.what_happened(), heading=f"The suite as it was ({first.name})")

    def compare(self) -> Prose:
        """Runs the suite in every way, in turn and in fresh processes, and says what each way saves."""
        if not hasattr(self, "_first"):
            self.reproduce()
        self.experiment.run(
            rounds=self.rounds, within_s=self.minutes * 60, known=self._first, progress=self._progress
        )
        for way in self.ways:
            for run in self.experiment.runs_of(_variant(way, self.ways)):
                _must_have_run(run, way)
        self._progress.say(f"{len(self.experiment.trials)} runs recorded.")
        said = [
            f"{str(one.verdict).upper()}: {one.hypothesis.suspicion}. {one.reason}" for one in self.effects
        ]
        return Prose([*said, *self.not_run()], heading="Verdicts")

    def not_run(self) -> list[Finding]:
        """Which of the planned rounds did not run, and why, a sentence each."""
        return self.experiment.rounds_left_out(f"{self.minutes:g} minute{'' if self.minutes == 1 else 's'}")

    # --- what came of it -----------------------------------------------------------------------------

    @property
    def effects(self) -> list[Effect]:
        """What each way did to time and peak, and whether it ran all tests.

        What a suite prints tells its own figures and is not compared; how its tests ended is.
        """
        experiment = self.experiment
        if not experiment.trials:
            raise NoDataError("The suite has not run in all ways yet.", hint="call compare() first.")
        found = effects(
            experiment.pairs,
            experiment.hypotheses,
            baseline=BASELINE,
            looks=experiment.looks,
            not_applied={**experiment.not_applied, **experiment.cannot_run},
        )
        return [self._told(one) for one in found]

    @property
    def costs(self) -> dict[str, list[SuiteCost]]:
        """Of each way by its name, what the tests of each of its runs cost; runs that do not tell are left out."""
        runs = {way.name: self.experiment.runs_of(_variant(way, self.ways)) for way in self.ways}
        return {
            name: [cost for run in made if (cost := suite_cost(run)) is not None]
            for name, made in runs.items()
        }

    def chart(self) -> alt.TopLevelMixin:
        """Time and peak of the suite in each way, with the range over its runs."""
        names = [_variant(way, self.ways) for way in self.ways]
        return ways_chart(self.experiment.pairs, ways=names, called=self.ways[0].name)

    def before_after(self) -> Table:
        """One row a figure, one column a way: time, peak, tests that ran, and what a file of each folder takes."""
        runs = {way.name: self.experiment.runs_of(_variant(way, self.ways)) for way in self.ways}
        return figures_table(runs, self.costs)

    def per_file(self) -> Table:
        """One row a folder and way: a file, its first test, each later one, and the most that a test asked for."""
        return files_table(self.costs)

    def conclusion(self, *, peak: str = "", way: str = "") -> Prose:
        """What each way saves, what it does not, and what a file takes; with ``peak``, ``keep_budget`` as well."""
        limit = peak or (_OWN_BUDGET if self._is_own else "")
        kept = self.keep_budget(limit, way).sentences if limit else ()
        return Prose([*self.concluded(), *kept], heading="Conclusion")

    def keep_budget(self, peak: str, way: str = "") -> Prose:
        """Does the peak stay below this size in this way (the last one by default)?  Raises ``BudgetBreached``."""
        names = {one.name: _variant(one, self.ways) for one in self.ways}
        name = way or self.ways[-1].name
        if name not in names:
            raise NoDataError(f"There is no way {name!r}.", hint=f"one of: {', '.join(names)}.")
        budget = Budget(metric=PEAK, limit_bytes=parse_bytes(peak))
        return Prose([self.check(budget, variant=names[name])], heading="Budget")

    # --- what it says --------------------------------------------------------------------------------

    def what_happened(self) -> list[Finding]:
        """What the first run shows, a sentence each."""
        if not hasattr(self, "_first"):
            raise NoDataError("Nothing has been recorded yet.", hint="call reproduce() first.")
        run, cost = self._first, suite_cost(self._first)
        took = "an unknown time" if run.duration_s is None else format_seconds(run.duration_s)
        peak = (
            "an unknown peak"
            if run.peak_rss_bytes is None
            else f"a peak of {format_bytes(run.peak_rss_bytes)}"
        )
        said = [Finding(sentence=f"The suite took {took} with {peak}.", value=run.duration_s, unit="s")]
        return [*said, *ran_told(cost), *folders_of_one_told(cost)]

    def concluded(self) -> list[Finding]:
        """What each way saves, and what it does not."""
        costs, (first, *others) = self.costs, self.ways
        was = self._figures(first)
        peaks = (peak_told(way.name, first.name, was, self._figures(way), costs) for way in others)
        return [*self._changes(), *(one for told in peaks for one in told), *folders_told(costs)]

    def findings(self) -> list[Finding]:
        """What happened, what the experiment concluded, then what of it was not run."""
        return [*self.what_happened(), *self.concluded(), *self.not_run()]

    def headlines(self) -> list[str]:
        """A short sentence a way."""
        return [str(self.what_happened()[0]), *map(str, self._changes())]

    # --- parts ---------------------------------------------------------------------------------------

    def _changes(self) -> list[Finding]:
        was = self._figures(self.ways[0])
        return [
            change_told(way.name, was, self._figures(way), self._not_all_ran(way, "; {} of {} tests ran"))
            for way in self.ways[1:]
        ]

    def _figures(self, way: Way) -> WayFigures:
        name = _variant(way, self.ways)
        time_s, peak_bytes = (self.measured(metric, name) for metric in (TIME, PEAK))
        return WayFigures(
            time_s=median(time_s) if time_s else None,
            peak_bytes=median(peak_bytes) if peak_bytes else None,
            is_killed=any(run.death is not None for run in self.experiment.runs_of(name)),
        )

    def _not_all_ran(self, way: Way, words: str) -> str:
        """These words with how many tests ran this way and as it was; empty where as many did, or nobody told."""
        costs = self.costs
        ran, was = (_n_ran(costs[one.name]) for one in (way, self.ways[0]))
        return "" if ran == was or ran is None or was is None else words.format(ran, was)

    def _told(self, effect: Effect) -> Effect:
        way = next(one for one in self.ways if one.name == effect.hypothesis.variant)
        return replace(effect, reason=effect.reason + self._not_all_ran(way, " It ran {} of {} tests."))


def _n_ran(costs: Sequence[SuiteCost]) -> int | None:
    return int(median(one.n_ran for one in costs)) if costs else None


def _variant(way: Way, ways: tuple[Way, ...]) -> str:
    """What is this way called in the experiment?"""
    return BASELINE if way is ways[0] else way.name


def _hypothesis(first: Way, way: Way, metric: str, claim: str) -> Hypothesis:
    return Hypothesis(
        name=f"{way.name} {claim}",
        suspicion=f"the suite {claim} {way.name} than {first.name}",
        change=way.change,
        variant=way.name,
        mend=way.change,
        metric=metric,
    )


def _prepare() -> None:
    """Makes the graph of the model ahead: else the first run that loads it would pay for that."""
    try:
        find_model()
    except ModelError as error:
        fact, _, hint = str(error).partition(" Hint: ")
        raise UnavailableError(f"The suite has no model: {fact}", hint=hint or "run `make setup`.") from error


def _must_have_run(run: Run, way: Way) -> None:
    status = run.exit_status
    if status is not None and status >= _COULD_NOT_RUN and run.death is None:
        words = " / ".join(run.last_log_lines(2)) or "none"
        raise RecorderError(
            f"The tests could not run {way.name} ({way.change}): exit status {status}. Last words: {words}",
            hint=f"diagtools show {run.path}",
        )
