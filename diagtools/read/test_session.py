"""The frames of a test session, from what its processes wrote while it ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from diagtools.errors import NoDataError
from diagtools.frames import FIXTURES, TEST_FILES, TEST_PHASES, TESTS, Frame
from diagtools.read.suite_log import read_suite_logs
from diagtools.read.suite_samples import SuiteSamples
from diagtools.read.suite_tests import FixtureCost, SuiteCosts, TestCost, suite_costs
from diagtools.values import State, Validity
from diagtools.values.suite import Measured

_NS = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSession:
    """What one session of pytest measured: TESTS, TEST_PHASES, FIXTURES and TEST_FILES, and how far to trust them."""

    __test__ = False

    tests: pl.DataFrame
    phases: pl.DataFrame
    fixtures: pl.DataFrame
    files: pl.DataFrame
    costs: SuiteCosts
    validity: tuple[Validity, ...]


def read_test_session(
    folder: Path, start_ns: int, *, timeline: pl.DataFrame, processes: pl.DataFrame
) -> TestSession:
    """What did the tests of the run in ``folder`` do to memory?

    ``start_ns`` is CLOCK_MONOTONIC at the zero of the run, ``timeline`` TIMELINE and ``processes`` PROCESSES, from
    which comes what tests have started.  Raises ``NoDataError`` where no test session was recorded.
    """
    samples = SuiteSamples.of_frames(timeline, processes, start_ns)
    costs = suite_costs(read_suite_logs(folder), samples)
    if not costs.processes:
        raise NoDataError(f"'{folder.name}' has no test session.", hint="pytest --diag records one.")
    return TestSession(
        tests=_tests(costs.tests, start_ns),
        phases=_phases(costs.tests, start_ns),
        fixtures=_fixtures(costs.fixtures, start_ns),
        files=_files(costs, start_ns),
        costs=costs,
        validity=tuple(_validity(costs)),
    )


def _tests(tests: Sequence[TestCost], start_ns: int) -> pl.DataFrame:
    rows = [
        {
            "test": one.begun.test,
            "file": one.begun.file,
            "line": one.begun.line or None,
            "pid": one.process.pid,
            "worker": one.process.worker,
            "outcome": one.outcome,
            "begin_s": (one.begun.t_ns - start_ns) / _NS,
            "end_s": (_end_ns(one) - start_ns) / _NS if _end_ns(one) else None,
            "begin_rss_bytes": one.begun.rss,
            "end_rss_bytes": one.ended.end_rss if one.ended else None,
            "kept_bytes": one.kept,
            "peak_bytes": one.peak,
            "demand_bytes": one.demand,
            "traced_peak_bytes": one.traced,
            "children_peak_bytes": one.children_peak,
        }
        for one in tests
    ]
    return _frame(TESTS, rows)


def _end_ns(test: TestCost) -> int:
    """When was it last heard of?  0 for a test whose process died in its first phase."""
    return test.ended.end_ns if test.ended else max((phase.end_ns for phase in test.phases), default=0)


def _phases(tests: Sequence[TestCost], start_ns: int) -> pl.DataFrame:
    rows = [
        {
            "test": one.begun.test,
            "pid": one.process.pid,
            "worker": one.process.worker,
            "phase": phase.phase,
            "outcome": phase.outcome,
            **_measured(phase, start_ns),
            "traced_peak_bytes": phase.traced,
        }
        for one in tests
        for phase in one.phases
    ]
    return _frame(TEST_PHASES, rows)


def _fixtures(fixtures: Sequence[FixtureCost], start_ns: int) -> pl.DataFrame:
    rows = [
        {
            "fixture": one.made.fixture,
            "scope": one.made.scope,
            "test": one.test,
            "pid": one.process.pid,
            "worker": one.process.worker,
            **_measured(one.made, start_ns),
            "setup_s": (one.made.end_ns - one.made.begin_ns) / _NS,
            "teardown_s": (one.gone.end_ns - one.gone.begin_ns) / _NS if one.gone else None,
            "freed_bytes": one.gone.begin_rss - one.gone.end_rss if one.gone else None,
        }
        for one in fixtures
    ]
    return _frame(FIXTURES, rows)


def _files(costs: SuiteCosts, start_ns: int) -> pl.DataFrame:
    rows = [
        {
            "path": one.loaded.path,
            "kind": one.loaded.what,
            "pid": one.process.pid,
            "worker": one.process.worker,
            **_measured(one.loaded, start_ns),
        }
        for one in costs.files
    ]
    return _frame(TEST_FILES, rows)


def _measured(what: Measured, start_ns: int) -> dict[str, float]:
    return {
        "begin_s": (what.begin_ns - start_ns) / _NS,
        "end_s": (what.end_ns - start_ns) / _NS,
        "begin_rss_bytes": what.begin_rss,
        "end_rss_bytes": what.end_rss,
        "kept_bytes": what.end_rss - what.begin_rss,
        "peak_bytes": what.peak,
        "demand_bytes": what.peak - what.begin_rss,
    }


def _frame(declared: Frame, rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    return declared.from_columns({name: [row[name] for row in rows] for name in declared.columns})


def _validity(costs: SuiteCosts) -> list[Validity]:
    said = [(State.TRUNCATED, f"{one.worker} (pid {one.pid}) was killed") for one in costs.killed]
    if costs.n_damaged:
        said.append((State.TRUNCATED, f"{costs.n_damaged:,} lines were not whole"))
    if not all(process.is_exact for process in costs.processes):
        said.append(
            (
                State.CLAMPED,
                "peaks below an earlier one are unknown: this system has no new beginning of them",
            )
        )
    if any(process.is_traced for process in costs.processes):
        said.append((State.UNDER_TRACKER, "tracemalloc ran in the processes of the tests"))
    said += [(State.SKIPPED, text) for text in costs.remarks]
    return [Validity(what="tests", state=state, note=note) for state, note in said]
