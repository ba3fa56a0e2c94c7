"""What is measured of a test suite whose worker is too large, and what follows from it."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import polars as pl

from diagtools.analyse.metrics import PEAK as TREE_PEAK
from diagtools.analyse.worker_baseline import baseline_parts, other_ways_in, way_to
from diagtools.analyse.worker_figures import FIRST_TEST, PEAK, WorkerFigures
from diagtools.analyse.worker_roles import MAIN, suite_processes
from diagtools.analyse.worker_story import (
    dearest,
    expected_finding,
    light_finding,
    mocks_finding,
    tree_findings,
    tree_only_finding,
)
from diagtools.capture.folder import store, unused
from diagtools.errors import NoDataError, UsageError
from diagtools.investigations import changes
from diagtools.investigations.case import Case
from diagtools.investigations.experiment import BASELINE
from diagtools.investigations.import_command import command_import_cost
from diagtools.investigations.import_suspects import suspects
from diagtools.investigations.measured_imports import ImportCost
from diagtools.investigations.parameters import above_zero, whole
from diagtools.investigations.progress import Progress
from diagtools.investigations.pytest_worker_runs import WorkerExperiment, tests_of
from diagtools.investigations.pytest_worker_suite import Suite, known_suite, measured, suite_of
from diagtools.present.imports import place
from diagtools.run import Run
from diagtools.units import parse_bytes
from diagtools.values import Effect, Finding, Verdict

_QUESTION = "Why does a pytest worker hold so much memory, and what would make it smaller?"
_OF_A_WORKER = "sys.stdin.readline"  # in the command line of what execnet starts
_MOST_PLACES = 3
_NOTABLE = 0.1  #: a fall of the tree that is worth a word


class MeasuredWorker(Case):
    """The runs of a test suite and the frames made of them; ``PytestWorker`` says what the parameters are.

    Everything is measured when it is first asked for, and once.
    """

    def __init__(
        self,
        *,
        suite: str = "",
        workers: int = 1,
        switches: str = "",
        defer: str = "",
        mocks_off: str = "",
        light: str = "",
        n: int = 3,
        rounds: int = 2,
        budget: str = "",
        timeout: float = 600,
    ) -> None:
        self.workers = 0 if workers == 0 else whole("workers", workers)
        self.rounds, self.n = whole("rounds", rounds), whole("n", n)
        self.timeout_s = above_zero("timeout", timeout)
        own = {"switches": switches, "defer": defer, "mocks_off": mocks_off, "light": light}
        if not suite and any(own.values()):
            given = next(name for name, text in own.items() if text)
            raise UsageError(
                f"{given}={own[given]!r} is of no suite: none is named.",
                hint="suite='python -m pytest tests'",
            )
        self._given = (
            suite_of(suite, workers=self.workers, **own) if suite else known_suite(workers=self.workers)
        )
        limit = budget or self._given.budget
        self.budget_bytes = parse_bytes(limit) if limit else None
        self._progress = Progress()
        super().__init__(question=_QUESTION)

    @cached_property
    def imports(self) -> ImportCost:
        """What the process that runs tests imports: a worker where there are some.  Raises ``NoDataError``."""
        found = command_import_cost(self._given.target, timeout_s=self.timeout_s)
        workers = [cost for cost in found if _OF_A_WORKER in cost.target]
        cost = next(iter(workers), found[0])
        if cost.error and not cost.error.startswith(("SystemExit", "exit status")):
            raise NoDataError(
                f"The suite ended with {cost.error}.", hint=" / ".join(cost.last_words[-2:]) or None
            )
        return cost

    @cached_property
    def suite(self) -> Suite:
        """The suite and its suspects: those that were named, else the imports that hold most."""
        given = self._given
        if given.suspects:
            return given
        found = tuple(
            changes.lazily(*(f"{one.file}:{line}" for line in one.lines))
            for one in suspects(self.imports, self.n)
        )
        return replace(given, suspects=found)

    @cached_property
    def experiment(self) -> WorkerExperiment:
        """The suite as it is, without each suspect and without all; run when it is first asked for."""
        watched = [change for change in (self.suite.mocks_off, self.suite.light) if change is not None]
        made = WorkerExperiment(
            measured(self.suite.target),
            self.suite.suspects,
            watched=watched,
            folder=unused(store() / "pytest-worker"),
        )
        made.run(rounds=self.rounds, progress=self._progress)
        return made

    @property
    def run(self) -> Run:
        """The first run of the suite as it is."""
        return self.experiment.runs_of(BASELINE)[0]

    @property
    def worker(self) -> WorkerFigures:
        """What its worker held in that run."""
        return self.experiment.figures()[0]

    @cached_property
    def processes(self) -> pl.DataFrame:
        """TEST_PROCESSES of that run."""
        return suite_processes(self.run.processes, self.run.timeline, tests_of(self.run))

    def of_the_tree(self) -> list[Finding]:
        """Which process is the heavy one, and what does main hold beside it?"""
        return list(tree_findings(self.processes, self.run.test_session.files))

    @cached_property
    def parts(self) -> pl.DataFrame:
        """BASELINE_PARTS: what its worker held before the first test, by who imported it."""
        cost, figures = self.imports, self.worker
        return baseline_parts(
            cost.imports,
            cost.edges,
            interpreter_bytes=cost.interpreter_bytes,
            rss_bytes=figures.first_test_bytes,
            anon_bytes=figures.first_test_anon_bytes,
        )

    @property
    def effects(self) -> list[Effect]:
        """What taking each suspect away did."""
        return self.experiment.effects

    # --- what follows --------------------------------------------------------------------------------

    def expected(self) -> Finding:
        """What is normal for this suite as it is: to be written down beside it."""
        main = self.processes.filter((pl.col("part") == MAIN) & ~pl.col("runs_tests"))["peak_rss_bytes"]
        return expected_finding(
            self.experiment.figures(), None if main.is_empty() else main.item(0), max(self.workers, 0)
        )

    def chain(self) -> str:
        """The way from a conftest to the dearest package: ``conftest.py:3 → fixtures.py:17 → …``."""
        wanted = self.dearest_module()
        if not wanted:
            return ""
        steps = [f"{place(row['file'])}:{row['line']}" for row in self.way(wanted).iter_rows(named=True)]
        return " → ".join([*("/".join(step.split("/")[-2:]) for step in steps), wanted])

    def dearest_module(self) -> str:
        """The dearest package behind a conftest; where the conftest imports that itself, the dearest module in it."""
        package = dearest(self.parts)
        if not package or self.way(package).height > 1:
            return package
        within = self.imports.imports.filter(pl.col("module").str.starts_with(f"{package}."))
        found = within.sort("self_anon_bytes", descending=True)["module"]
        return package if found.is_empty() else str(found.item(0))

    def way(self, module: str) -> pl.DataFrame:
        """IMPORT_EDGES from the conftest on, where the way leads through one."""
        way = way_to(module, self.imports.edges)
        at = next((n for n, file in enumerate(way["file"]) if file.endswith("conftest.py")), 0)
        return way.slice(at)

    def other_ways(self) -> list[Finding]:
        """Why it saves nothing to take the conftest's import away, where that is so."""
        wanted = self.dearest_module()
        found = other_ways_in(self.way(wanted), self.imports.edges) if wanted else pl.DataFrame()
        if found.is_empty():
            return []
        places = ["/".join(f"{place(row['file'])}:{row['line']}".split("/")[-2:]) for row in found.to_dicts()]
        package = min(found["imported"], key=len)
        shown = ", ".join(places[:_MOST_PLACES]) + (" …" if len(places) > _MOST_PLACES else "")
        sentence = (
            f"The conftest is not the only one that imports '{package}': {shown} does too. A conftest without it saves "
            "nothing while both are in the same process."
        )
        return [Finding(sentence=sentence, value=len(places))]

    def mocks_saved(self) -> Finding | None:
        """What the session mocks save, and what not; null where nobody said how to run without them."""
        change = self.suite.mocks_off
        if change is None:
            return None
        of, name = self.experiment, change.name
        noise = [of.spread_of(metric, each) for metric in (PEAK, FIRST_TEST) for each in (BASELINE, name)]
        return mocks_finding(
            first_on=of.median_of(FIRST_TEST),
            first_off=of.median_of(FIRST_TEST, name),
            peak_on=of.median_of(PEAK),
            peak_off=of.median_of(PEAK, name),
            noise_bytes=max(noise),
        )

    def tree_only(self) -> list[Finding]:
        """Which refuted suspects make the tree smaller, if not the worker?"""
        medians = (
            self.experiment.pairs.filter(pl.col("metric") == TREE_PEAK)
            .group_by("variant")
            .agg(pl.col("value").median())
        )
        of = dict(medians.drop_nulls().iter_rows())
        refuted = [one.hypothesis.name for one in self.effects if one.verdict is Verdict.REFUTED]
        found = [
            tree_only_finding(name, before_bytes=of[BASELINE], after_bytes=of[name], share=_NOTABLE)
            for name in refuted
            if name in of and BASELINE in of
        ]
        return [one for one in found if one is not None]

    def light_part(self) -> Finding | None:
        """What a worker of the light tests alone holds; null where nobody said which they are."""
        change = self.suite.light
        if change is None:
            return None
        of = self.experiment
        return light_finding(
            light_peak=of.median_of(PEAK, change.name),
            first=of.median_of(FIRST_TEST),
            peak=of.median_of(PEAK),
        )
