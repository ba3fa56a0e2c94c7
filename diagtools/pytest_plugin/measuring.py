"""Measures what each file, fixture, test and phase of a session does to the memory of its process."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from diagtools import mark
from diagtools.pytest_plugin.journal import Journal
from diagtools.pytest_plugin.meter import Span, own_meter
from diagtools.values.suite import (
    COLLECTION,
    CONFTEST,
    FORMAT,
    MAIN,
    MODULE,
    FileLoaded,
    FixtureGone,
    FixtureMade,
    PhaseEnded,
    ProcessBegun,
    ProcessEnded,
    TestBegun,
    TestEnded,
)

_NO_TRACE: Callable[[], int | None] = lambda: None  # noqa: E731 - a function of no name


class Measuring:
    """The hooks that measure, in a process that runs tests; ``journal`` is told each figure as it is known.

    ``traced`` gives tracemalloc's peak since the last call, in bytes; null where it does not run.
    """

    def __init__(
        self,
        *,
        traced: Callable[[], int | None] = _NO_TRACE,
        is_traced: bool = False,
    ) -> None:
        self.journal = Journal()
        self.meter = own_meter()
        self.worker = MAIN
        self.current: pytest.Item | None = None
        self.number = 0
        self.is_repeating = False
        self.demands: dict[str, int] = {}  # of the phases of the latest test, in bytes
        self._traced = traced
        self._recorder: mark.Recorder | None = None
        self._root = Path.cwd()
        self._phase: tuple[str, Span] | None = None
        self._n_fixtures = 0
        self._pid = os.getpid()
        self._begun = ProcessBegun(
            format=FORMAT,
            pid=self._pid,
            worker=MAIN,
            t_ns=time.monotonic_ns(),
            rss=self.meter.rss(),
            is_exact=self.meter.is_exact,
            python=platform.python_version(),
            pytest=pytest.__version__,
            is_traced=is_traced,
        )

    def record_into(self, folder: Path, root: Path, worker: str = MAIN) -> None:
        """Everything measured so far and from here on goes into this run folder; files are told below ``root``."""
        self._root, self.worker = root, worker
        self.journal.open(folder, replace(self._begun, worker=worker))
        self._recorder = _marks(folder)

    # --- files -------------------------------------------------------------------------------------------

    def watch_conftests(self, manager: Any) -> None:
        """Measure what each conftest takes to import.

        pytest has no hook around that import: its own method is wrapped, where it has one of that name.
        """
        load = getattr(manager, "_importconftest", None)
        if load is None:
            return
        known = set(map(str, getattr(manager, "_conftestpath2mod", {}) or {}))

        def measured(conftestpath: Path, *args: Any, **options: Any) -> Any:
            if str(conftestpath) in known:
                return load(conftestpath, *args, **options)
            known.add(str(conftestpath))
            span = self.meter.begin()
            try:
                return load(conftestpath, *args, **options)
            finally:
                self._file(CONFTEST, conftestpath, self.meter.end(span))

        manager._importconftest = measured

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, Any, Any]:
        """A module is imported as it is collected."""
        if not isinstance(collector, pytest.Module):
            return (yield)
        span = self.meter.begin()
        try:
            return (yield)
        finally:
            self._file(MODULE, collector.path, self.meter.end(span))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection(self) -> Generator[None, Any, Any]:
        """All files together."""
        span = self.meter.begin()
        try:
            return (yield)
        finally:
            self._file(COLLECTION, self._root, self.meter.end(span))

    def _file(self, what: str, path: Path, span: Span) -> None:
        told = str(path.relative_to(self._root)) if path.is_relative_to(self._root) else str(path)
        self.journal.write(FileLoaded(what=what, path=told, **_measured(span)))

    # --- tests -------------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """One test, from its begin to its end."""
        if self.is_repeating:
            return (yield)
        self.number += 1
        self.current = item
        self.demands = {}
        span = self.meter.begin()
        self._test_begun(item, span)
        handle = self._recorder.begin(mark.ITEM, item.nodeid, {}) if self._recorder else None
        try:
            return (yield)
        finally:
            if os.getpid() == self._pid:  # a test may fork, and its child come here too
                self.current = None
                if handle is not None:
                    handle.done()
                self.journal.write(TestEnded(number=self.number, **_measured(self.meter.end(span))))

    def _test_begun(self, item: pytest.Item, span: Span) -> None:
        file, line, _ = item.location
        begun = TestBegun(
            number=self.number,
            test=item.nodeid,
            file=file,
            line=0 if line is None else line + 1,
            markers=",".join(sorted({marker.name for marker in item.iter_markers()})),
            t_ns=span.begin_ns,
            rss=span.begin_rss,
        )
        self.journal.write(begun)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self) -> Generator[None, Any, Any]:
        """Everything that is made for a test."""
        return (yield from self._measured_phase("setup"))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Generator[None, Any, Any]:
        """The test itself."""
        return (yield from self._measured_phase("call"))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Generator[None, Any, Any]:
        """Everything that is taken apart after a test."""
        return (yield from self._measured_phase("teardown"))

    def _measured_phase(self, phase: str) -> Generator[None, Any, Any]:
        self._traced()
        span = self.meter.begin()
        try:
            return (yield)
        finally:
            self._phase = (phase, self.meter.end(span))
            self.demands[phase] = span.demand

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[Any]) -> Generator[None, Any, Any]:
        """How did the phase end that was measured last?"""
        report = yield
        if self._phase is not None and self._phase[0] == call.when and not self.is_repeating:
            phase, span = self._phase
            self._phase = None
            outcome = str(report.outcome)
            ended = PhaseEnded(
                number=self.number, phase=phase, outcome=outcome, traced=self._traced(), **_measured(span)
            )
            self.journal.write(ended)
        return report

    # --- fixtures ----------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, Any, Any]:
        """What a fixture takes, and what it gives back when it is torn down."""
        if self.is_repeating or _is_parameter(fixturedef):
            return (yield)
        self._n_fixtures += 1
        number = self._n_fixtures
        going: list[Span] = []
        # Finalizers run the last one first: this one ends what the one below begins.
        fixturedef.addfinalizer(lambda: self._fixture_gone(number, going))
        span = self.meter.begin()
        try:
            return (yield)
        finally:
            made = FixtureMade(
                fixture_number=number,
                fixture=fixturedef.argname,
                scope=str(fixturedef.scope),
                number=self.number,
                **_measured(self.meter.end(span)),
            )
            self.journal.write(made)
            fixturedef.addfinalizer(lambda: going.append(self.meter.begin()))

    def _fixture_gone(self, number: int, going: list[Span]) -> None:
        if going and not self.is_repeating:
            self.journal.write(FixtureGone(fixture_number=number, **_measured(self.meter.end(going.pop()))))

    def phase(self, name: str) -> None:
        """What this process does from here on, for whoever reads its timeline."""
        if self._recorder is not None:
            self._recorder.begin(mark.PHASE, name, {}, "diagtools")

    def ended(self) -> None:
        """The process has run its last test."""
        self.journal.write(ProcessEnded(t_ns=time.monotonic_ns(), rss=self.meter.rss()))
        if self._recorder is not None and self._recorder is not mark.recorder:
            self._recorder.close()


def _is_parameter(fixturedef: pytest.FixtureDef[Any]) -> bool:
    """``parametrize`` hands its values over by a fixture each, which nobody wrote and which makes nothing."""
    return getattr(fixturedef.func, "__name__", "") == "get_direct_param_fixture_func"


def _measured(span: Span) -> dict[str, int]:
    return {
        "begin_ns": span.begin_ns,
        "end_ns": span.end_ns,
        "begin_rss": span.begin_rss,
        "end_rss": span.end_rss,
        "peak": span.peak,
    }


def _marks(folder: Path) -> mark.Recorder | None:
    """Who marks the tests in this run?  What records this process already, else one of our own."""
    known = mark.recorder
    if known is not None and Path(os.environ.get(mark.RUN_VARIABLE, "")) == folder:
        return known
    try:
        return mark.Recorder(str(folder))
    except (ImportError, OSError):  # a Python built without what it takes
        return None
