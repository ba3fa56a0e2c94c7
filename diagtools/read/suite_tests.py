"""What the events of a test session say of each test, phase, fixture and file; a session itself reads it: no polars."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from diagtools.read.suite_log import SuiteLog
from diagtools.read.suite_samples import SuiteSamples
from diagtools.values.suite import (
    Breach,
    FileLoaded,
    FixtureGone,
    FixtureMade,
    Measured,
    PhaseEnded,
    ProcessBegun,
    ProcessEnded,
    Remark,
    Repeated,
    TestBegun,
    TestEnded,
)

DIED, ERROR = "died", "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestCost:
    """One test in one process; of one whose process died what was known then, and ``ended`` is null.

    ``sampled_peak``: of a test whose process died, the most that the sampler saw; ``children_peak``: the most that what
    it started held at once, sampled.  Null where nothing was seen.
    """

    __test__ = False

    begun: TestBegun
    process: ProcessBegun
    phases: tuple[PhaseEnded, ...]
    ended: TestEnded | None
    sampled_peak: int | None = None
    children_peak: int | None = None

    @property
    def outcome(self) -> str:
        """passed, failed, skipped; error where its fixtures failed; died where its process did."""
        by_phase = {phase.phase: phase.outcome for phase in self.phases}
        if self.ended is None:
            return DIED
        if by_phase.get("call") == "failed":
            return "failed"
        if "failed" in by_phase.values():
            return ERROR
        return by_phase.get("call") or by_phase.get("setup") or "skipped"

    @property
    def peak(self) -> int | None:
        """The most that its process held while it ran; where that died in it, at least that, if anybody saw it."""
        if self.ended is None and self.sampled_peak is None:
            return None
        known: list[Measured] = [*self.phases, *([self.ended] if self.ended else [])]
        return max([*(one.peak for one in known), self.sampled_peak or 0])

    @property
    def demand(self) -> int | None:
        """The most on top of what there was at its begin."""
        return None if self.peak is None else self.peak - self.begun.rss

    @property
    def kept(self) -> int | None:
        """What its process held more after it than before."""
        return None if self.ended is None else self.ended.end_rss - self.begun.rss

    @property
    def traced(self) -> int | None:
        """The highest that tracemalloc saw of its phases; null where it did not run."""
        return max((phase.traced for phase in self.phases if phase.traced is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class FixtureCost:
    """One making of a fixture, and its end where it came to one; ``test`` is null for one of no test."""

    made: FixtureMade
    process: ProcessBegun
    test: str | None
    gone: FixtureGone | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCost:
    """One import of a conftest or a test module, or the whole collection of a process."""

    loaded: FileLoaded
    process: ProcessBegun


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachOf:
    """A limit that was passed, and where."""

    breach: Breach
    process: ProcessBegun


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatOf:
    """A test that ran once more for its allocations."""

    repeated: Repeated
    test: TestCost


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteCosts:
    """Everything that the processes of one session wrote, in order of time within each."""

    processes: tuple[ProcessBegun, ...]
    tests: tuple[TestCost, ...]
    fixtures: tuple[FixtureCost, ...]
    files: tuple[FileCost, ...]
    breaches: tuple[BreachOf, ...]
    repeats: tuple[RepeatOf, ...]
    remarks: tuple[str, ...]
    killed: tuple[ProcessBegun, ...]
    n_damaged: int

    def baseline(self, process: ProcessBegun) -> int | None:
        """What this process held before its first test; null where it ran none."""
        return next((test.begun.rss for test in self.tests if test.process is process), None)


def suite_costs(logs: Sequence[SuiteLog], samples: SuiteSamples | None = None) -> SuiteCosts:
    """What did each test, fixture and file cost?  ``samples`` tell what no process says of itself."""
    return SuiteCosts(
        processes=tuple(log.begun for log in logs),
        tests=tuple(_with_samples(test, samples) for log in logs for test in _tests(log)),
        fixtures=tuple(fixture for log in logs for fixture in _fixtures(log)),
        files=tuple(
            FileCost(loaded=one, process=log.begun)
            for log in logs
            for one in log.events
            if isinstance(one, FileLoaded)
        ),
        breaches=tuple(
            BreachOf(breach=one, process=log.begun)
            for log in logs
            for one in log.events
            if isinstance(one, Breach)
        ),
        repeats=tuple(repeat for log in logs for repeat in _repeats(log)),
        remarks=tuple(
            dict.fromkeys(one.text for log in logs for one in log.events if isinstance(one, Remark))
        ),
        killed=tuple(log.begun for log in logs if not _came_to_its_end(log)),
        n_damaged=sum(log.n_damaged for log in logs),
    )


def _came_to_its_end(log: SuiteLog) -> bool:
    return any(isinstance(event, ProcessEnded) for event in log.events)


def _tests(log: SuiteLog) -> Iterable[TestCost]:
    phases: dict[int, list[PhaseEnded]] = {}
    ended: dict[int, TestEnded] = {}
    for event in log.events:
        if isinstance(event, PhaseEnded):
            phases.setdefault(event.number, []).append(event)
        elif isinstance(event, TestEnded):
            ended[event.number] = event
    for event in log.events:
        if isinstance(event, TestBegun):
            yield TestCost(
                begun=event,
                process=log.begun,
                phases=tuple(phases.get(event.number, ())),
                ended=ended.get(event.number),
            )


def _with_samples(test: TestCost, samples: SuiteSamples | None) -> TestCost:
    if samples is None:
        return test
    pid, begin_ns = test.process.pid, test.begun.t_ns
    end_ns = test.ended.end_ns if test.ended else None
    return replace(
        test,
        sampled_peak=samples.highest(pid, begin_ns, None) if test.ended is None else None,
        children_peak=samples.highest_below(pid, begin_ns, end_ns),
    )


def _repeats(log: SuiteLog) -> Iterable[RepeatOf]:
    tests = {test.begun.number: test for test in _tests(log)}
    for event in log.events:
        if isinstance(event, Repeated) and event.number in tests:
            yield RepeatOf(repeated=event, test=tests[event.number])


def _fixtures(log: SuiteLog) -> Iterable[FixtureCost]:
    names = {event.number: event.test for event in log.events if isinstance(event, TestBegun)}
    gone = {event.fixture_number: event for event in log.events if isinstance(event, FixtureGone)}
    for event in log.events:
        if isinstance(event, FixtureMade):
            yield FixtureCost(
                made=event,
                process=log.begun,
                test=names.get(event.number),
                gone=gone.get(event.fixture_number),
            )
