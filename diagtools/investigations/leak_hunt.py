"""Memory grows with every request: is it a leak, a cache that fills, or an allocator that keeps what was freed?

The notebook's own services (``workloads.leaky``) look alike from outside; a function of the reader's own joins them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cached_property

import altair as alt
import polars as pl

from diagtools.analyse.leaks import Leaking
from diagtools.analyse.sweep_classes import SweepClass
from diagtools.capture.folder import store, unused
from diagtools.errors import NoDataError, RecorderError, UsageError
from diagtools.investigations import changes
from diagtools.investigations.ab import AbCase, sentence
from diagtools.investigations.bisect import bisect
from diagtools.investigations.bisection import Bisection
from diagtools.investigations.case import Case
from diagtools.investigations.changes import Change
from diagtools.investigations.leaks import LeakCheck, leaks
from diagtools.investigations.parameters import whole
from diagtools.investigations.progress import Progress
from diagtools.investigations.record import record
from diagtools.investigations.stock import stock
from diagtools.investigations.sweep import SweepCase
from diagtools.present import tables
from diagtools.present.charts.timelines import timelines_chart
from diagtools.present.prose import Prose
from diagtools.present.tables import Table
from diagtools.run import Run
from diagtools.units import format_bytes
from diagtools.values import Effect, Finding, Target, Verdict

HEADERS, RATES, REPORTS = "headers", "rates", "reports"
_QUESTION = (
    "Memory grows with every request: a leak, a cache that fills, or an allocator that keeps what was freed?"
)
_KEPT = "kept:requests"
_PACKAGE = "multidict"
#: How long its reports are, times those of a check, and how many requests show what the allocator keeps.
_SCALE, _REQUESTS_OF_REPORTS = 10, 40
_IDLE_S = 0.4  #: what is given back at once is not kept
_ADD_ONE_BY_ONE = """
from collections.abc import Iterable

def one_by_one(lines):
    from multidict import CIMultiDict
    headers = CIMultiDict()
    for name, value in lines:
        headers.add(name, value)  # not extend()
    return headers

replace("workloads.leaky.headers:read", one_by_one)
"""
_SMALL_CACHE = """
from functools import lru_cache

@when_imported("workloads.leaky.rates")
def smaller(module):
    module.rates = lru_cache(maxsize=10)(module.rates.__wrapped__)
"""


class LeakHunt(Case):
    """Three services whose memory grows, told apart, and each suspicion tried by taking the suspect away.

    ``requests`` is how many each answers, ``bad`` and ``good`` are releases of multidict, ``pairs`` is how often each
    change is tried.  ``function`` (``module:function``) is one of the reader's own: it is checked beside them.
    """

    def __init__(
        self,
        *,
        requests: int = 10_000,
        bad: str = "6.3.1",
        good: str = "6.4.4",
        pairs: int = 3,
        function: str = "",
    ) -> None:
        super().__init__(question=_QUESTION)
        self.requests, self.pairs = whole("requests", requests), whole("pairs", pairs)
        if self.requests < 100:
            raise UsageError(f"{requests} requests are too few to see growth.", hint="requests=10000")
        self.bad, self.good = str(bad), str(good)
        self.services: tuple[str, ...] = (HEADERS, RATES, REPORTS)
        self._function = function
        self._folder = unused(store() / "leak-hunt")
        self._progress = Progress()

    # --- the symptom ---------------------------------------------------------------------------------

    @cached_property
    def runs(self) -> dict[str, Run]:
        """Each service, recorded as it is."""
        found = {}
        for name in self.services:
            self._progress.say(f"recording {name} …")
            found[name] = record(self._target(name), folder=self._folder / name)
            if found[name].exit_status != 0:
                words = " / ".join(found[name].last_log_lines(2))
                raise RecorderError(
                    f"'{name}' ended with {found[name].exit_status}: {words}",
                    hint=f"diagtools show {found[name].path}",
                )
        return found

    def symptom(self) -> alt.TopLevelMixin:
        """The memory of each service while it answers requests."""
        return timelines_chart(
            {name: run.tree for name, run in self.runs.items()},
            title="Memory grows while requests are answered, in all three",
        )

    # --- what it is ----------------------------------------------------------------------------------

    @cached_property
    def checks(self) -> dict[str, LeakCheck]:
        """The leak check of each service, and of the function that was named."""
        wanted = {name: f"workloads.leaky.{name}:serve" for name in self.services}
        if self._function:
            wanted[self._function] = self._function
        found: dict[str, LeakCheck] = {}
        for name, function in wanted.items():
            self._progress.say(f"checking {name} for leaks …")
            world = self._target(name).changes
            found[name] = leaks(function, changes=world, folder=self._folder / f"check-{len(found)}")
        return found

    def verdicts(self) -> Table:
        """What each is, by its counters."""
        rows = [
            (name, str(check.verdict), check.bytes_per_call, check.found.n_calls, check.found.reason)
            for name, check in self.checks.items()
        ]
        frame = pl.DataFrame(rows, schema=["function", "verdict", "per_call", "calls", "why"], orient="row")
        columns = {
            "function": tables.text("service"),
            "verdict": tables.text("verdict"),
            "per_call": tables.size("a call leaves"),
            "calls": tables.count("calls"),
            "why": tables.text("why", n_characters=120),
        }
        return Table(frame.with_columns(pl.col("per_call").cast(pl.Float64)), columns)

    def counters(self, name: str) -> alt.TopLevelMixin:
        """What rose in one of them, and what flattened."""
        return self._check(name).chart()

    def culprit(self, name: str = HEADERS) -> LeakCheck:
        """The line that asks for what is left, and who keeps it."""
        return self._check(name)

    # --- what follows --------------------------------------------------------------------------------

    @cached_property
    def sweeps(self) -> dict[str, SweepCase]:
        """What one more request costs, of the two that keep objects."""
        steps = ",".join(str(self.requests * share // 8) for share in (1, 2, 4, 8, 16))
        found = {}
        for name in (HEADERS, RATES):
            target = self._target(name, requests="{requests}")
            folder = self._folder / f"sweep-{name}"
            found[name] = SweepCase(target, f"requests={steps}", metrics=[_KEPT], folder=folder).run(2)
        return found

    def cost(self, name: str) -> alt.TopLevelMixin:
        """What one more request costs this service."""
        return self.sweeps[name].chart()

    @cached_property
    def bisection(self) -> Bisection:
        """Which release of multidict is the first that does not leak?"""
        return bisect(
            _PACKAGE,
            self._bare(HEADERS),
            bad=self.bad,
            good=self.good,
            metric=_KEPT,
            pairs=self.pairs,
            folder=self._folder / "releases",
            progress=self._progress,
        )

    def by_version(self) -> alt.TopLevelMixin:
        """The memory that each release keeps."""
        return self.bisection.chart()

    @cached_property
    def experiments(self) -> dict[str, AbCase]:
        """Each suspect taken away: the call that leaks, the size of the cache, what an allocator keeps."""
        wanted: dict[str, Sequence[Change]] = {
            HEADERS: [
                changes.patch(
                    _ADD_ONE_BY_ONE,
                    name="headers added one by one",
                    meaning="extend() keeps what it was given",
                )
            ],
            RATES: [
                changes.patch(_SMALL_CACHE, name="a cache of ten", meaning="the cache of rates holds it"),
            ],
            REPORTS: stock("allocator"),
        }
        found = {}
        for name, suspects in wanted.items():
            target = self._target(name)
            found[name] = AbCase(target, suspects, metrics=[_KEPT], folder=self._folder / f"ab-{name}")
            found[name].try_quickly(self.pairs)
        return found

    def tried(self, name: str) -> Table:
        """What taking each suspect away did to what the service keeps."""
        return self.experiments[name].table()

    # --- what it says --------------------------------------------------------------------------------

    @property
    def effects(self) -> list[Effect]:
        """Every theory that was tried."""
        return [effect for case in self.experiments.values() for effect in case.effects]

    def findings(self) -> list[Finding]:
        """What each service is, which release mends the leak, and which theories held."""
        found = [Finding(sentence=_told(name, check)) for name, check in self.checks.items()]
        grown = [finding for case in self.sweeps.values() for finding in case.findings()]
        proven = [Finding(sentence=sentence(effect)) for effect in self.effects if effect.applied]
        return [*found, *grown, *self.bisection.findings()[:1], *proven]

    def headlines(self) -> list[str]:
        """The case in a few sentences."""
        verdicts = [f"{name}: {check.verdict}" for name, check in self.checks.items()]
        held = [effect.hypothesis.name for effect in self.effects if effect.verdict is Verdict.CONFIRMED]
        said = f"Confirmed by taking it away: {', '.join(held)}." if held else "No theory was confirmed."
        return [f"{'; '.join(verdicts)}.", str(self.bisection.findings()[0]), said]

    def conclusion(self) -> Prose:
        """The same for a cell."""
        return Prose(self.findings(), heading="Conclusion")

    def keep_promise(self) -> Prose:
        """Raises ``NoDataError`` where the services were not told apart as they are known to be."""
        expected = {HEADERS: Leaking.LEAK, RATES: Leaking.BOUNDED}
        wrong = [name for name, verdict in expected.items() if self.checks[name].verdict is not verdict]
        straight = self.sweeps[HEADERS].fits()[0].sweep_class is SweepClass.LINEAR
        if wrong or not straight or self.checks[REPORTS].verdict is Leaking.LEAK:
            raise NoDataError(
                f"The services were not told apart: {', '.join(wrong) or 'the cost of a request'}.",
                hint="more requests: -p requests=20000",
            )
        return Prose(
            ["One leaks, two do not, and each cause was proven by taking it away."], heading="Told apart"
        )

    # --- parts ---------------------------------------------------------------------------------------

    def _check(self, name: str) -> LeakCheck:
        if name not in self.checks:
            raise UsageError(f"{name!r} was not checked.", hint=f"checked were: {', '.join(self.checks)}.")
        return self.checks[name]

    def _bare(self, name: str, requests: str | None = None) -> Target:
        n = requests or str(self.requests)
        more = ("--scale", str(_SCALE), "--idle", str(_IDLE_S)) if name == REPORTS else ()
        n = str(_REQUESTS_OF_REPORTS) if name == REPORTS else n
        return Target(argv=(sys.executable, "-m", "workloads.leaky", name, "--requests", n, *more))

    def _target(self, name: str, requests: str | None = None) -> Target:
        target = self._bare(name, requests)
        return self._with_bad(target) if name == HEADERS else target

    def _with_bad(self, target: Target) -> Target:
        return changes.versions(f"{_PACKAGE}=={self.bad}").apply(target)


def _told(name: str, check: LeakCheck) -> str:
    amount = f", {format_bytes(check.bytes_per_call)} a call" if check.bytes_per_call else ""
    line = f", asked for at {check.top_line}" if check.top_line else ""
    return f"'{name}' is {_article(check.verdict)}{amount}{line}: {check.found.reason}"


def _article(verdict: Leaking) -> str:
    return "a leak" if verdict is Leaking.LEAK else str(verdict)
