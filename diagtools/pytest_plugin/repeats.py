"""Which lines ask for the memory of a heavy test?  It runs once more, under memray, when all figures are known.

A tracker slows a test down and takes memory itself: beside the figures of a session it has no place.  So the heaviest
tests are run again in the same process after the last one, with all their fixtures, and reported nowhere.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from diagtools.pytest_plugin.measuring import Measuring
from diagtools.units import format_bytes
from diagtools.values.suite import CAPTURE_GLOB, Remark, Repeated

_MOST = 5
_TRACED_ALREADY = (
    "Which lines asked for memory is in the report of --memray: two trackers cannot run at once."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heavy:
    """A test that is to run again, and the phase in which it needed most."""

    item: pytest.Item
    number: int
    phase: str
    demand: int


class Repeats:
    """Runs the heaviest tests above a threshold (bytes) once more.  ``folder`` says where captures go."""

    def __init__(
        self,
        threshold: int,
        measuring: Measuring,
        folder: Callable[[], Path],
        stop_sampling: Callable[[], None],
    ) -> None:
        self._threshold, self._measuring, self._folder = threshold, measuring, folder
        self._stop_sampling = stop_sampling
        self._again = Unreported(measuring)
        self._heavy: list[Heavy] = []
        self._due: Heavy | None = None
        self._is_captured = False
        self._failure = ""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Is this one of them?"""
        result = yield
        demands = self._measuring.demands
        if not self._measuring.is_repeating and demands:
            phase = max(demands, key=lambda name: demands[name])
            if demands[phase] >= self._threshold and phase != "teardown":
                number = self._measuring.number
                self._heavy.append(Heavy(item=item, number=number, phase=phase, demand=demands[phase]))
        return result

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """What runs a test without a report of it takes part as well."""
        session.config.pluginmanager.register(self._again, "diagtools-unreported")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, Any, Any]:
        """When the last test has run."""
        result = yield
        if self._heavy and session.config.getoption("memray", default=False):
            self._measuring.journal.write(Remark(text=_TRACED_ALREADY))
        elif self._heavy and not session.shouldstop:
            self._repeat(sorted(self._heavy, key=lambda heavy: -heavy.demand))
        return result

    def _repeat(self, heavy: list[Heavy]) -> None:
        self._measuring.phase("heavy tests run once more, under memray")
        self._stop_sampling()
        for one in heavy[:_MOST]:
            self._run(one)
        if len(heavy) > _MOST:
            threshold = format_bytes(self._threshold)
            text = f"{len(heavy)} tests needed more than {threshold}: the {_MOST} heaviest of them ran once more."
            self._measuring.journal.write(Remark(text=text))

    def _run(self, heavy: Heavy) -> None:
        self._due, self._is_captured, self._failure = heavy, False, ""
        self._measuring.is_repeating = True
        try:
            if hasattr(heavy.item, "_initrequest"):
                heavy.item._initrequest()
            heavy.item.ihook.pytest_runtest_protocol(item=heavy.item, nextitem=None)
        finally:
            self._measuring.is_repeating = False
            self._due = None
        if not self._is_captured:
            ended = ", ".join(f"{report.when} {report.outcome}" for report in self._again.reports)
            why = self._failure or f"run again, it did not come so far ({ended})"
            text = f"{heavy.item.nodeid}: which lines asked for its memory is not known: {why}."
            self._measuring.journal.write(Remark(text=text))

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_setup(self) -> Generator[None, Any, Any]:
        """Watched, where the fixtures needed most."""
        return (yield from self._watched("setup"))

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self) -> Generator[None, Any, Any]:
        """Watched, where the function did."""
        return (yield from self._watched("call"))

    def _watched(self, phase: str) -> Generator[None, Any, Any]:
        heavy = self._due
        if heavy is None or heavy.phase != phase:
            return (yield)
        name = CAPTURE_GLOB.replace("*", f"{os.getpid()}-{heavy.number}")
        try:
            tracker = _tracker(self._folder() / name)
            tracker.__enter__()
        except (
            ImportError,
            OSError,
            RuntimeError,
        ) as error:  # not installed; no room; another one is at work
            self._failure = str(error)
            return (yield)
        try:
            return (yield)
        finally:
            tracker.__exit__(None, None, None)
            self._is_captured = True
            self._measuring.journal.write(Repeated(number=heavy.number, phase=phase, capture=name))


class Unreported:
    """Runs a test that is repeated in the place of pytest: with all that others do around a test, and no report."""

    def __init__(self, measuring: Measuring) -> None:
        self._measuring = measuring
        self.reports: list[pytest.TestReport] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Null for a test that is none of ours."""
        if not self._measuring.is_repeating:
            return None
        from _pytest.runner import runtestprotocol  # as the plugins that run tests again do

        self.reports = runtestprotocol(item, log=False, nextitem=None)
        return True


def _tracker(path: Path) -> Any:
    from memray import FileDestination, Tracker

    return Tracker(destination=FileDestination(path, overwrite=True))
