"""What a test may take, and its process: markers that fail a test, caps that end the session."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any

import pytest

from diagtools.errors import UsageError
from diagtools.pytest_plugin.measuring import Measuring
from diagtools.pytest_plugin.meter import Span, own_meter
from diagtools.pytest_plugin.options import marker_size, refuse
from diagtools.units import format_bytes
from diagtools.values.suite import Breach

LIMIT_RSS = "limit_rss"
_EVERY_S, _AGAIN_S = 0.02, 0.3
#: Of the signals that no program has a use for, not the first one, which ends a sampler's tree.
_SIGNAL = getattr(signal, "SIGRTMIN", signal.SIGUSR1) + (5 if hasattr(signal, "SIGRTMIN") else 0)


class MarkedLimits:
    """Fails the tests that pass the limit of their marker; is there with or without ``--diag``."""

    def __init__(self, measuring: Measuring | None) -> None:
        self._measuring = measuring

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Every limit is read before the first test runs."""
        mistakes = []
        for item in items:
            for marker in item.iter_markers(LIMIT_RSS):
                try:
                    marker_size(marker)
                except UsageError as error:
                    mistakes.append(f"{item.nodeid}: {error}")
        if mistakes:
            refuse(config, items, LIMIT_RSS, "\n".join(mistakes))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """How much does the RSS rise while the function runs?"""
        marker = item.get_closest_marker(LIMIT_RSS)
        if marker is None or (self._measuring is not None and self._measuring.is_repeating):
            return (yield)
        span = own_meter().begin()
        try:
            result = yield
        finally:
            own_meter().end(span)
        allowed = marker_size(marker)
        if span.demand > allowed:
            self._fail(item, span, allowed, str([*marker.args, *marker.kwargs.values()][0]))
        return result

    def _fail(self, item: pytest.Item, span: Span, allowed: int, written: str) -> None:
        kept = f", {format_bytes(span.kept)} of it stayed" if span.kept > 0 else ""
        text = (
            f"The RSS rose by {format_bytes(span.demand)} while this test ran, its limit is "
            f"{written}: from {format_bytes(span.begin_rss)} to {format_bytes(span.peak)}{kept}."
        )
        if self._measuring is not None:
            number, of = self._measuring.number, f"{item.nodeid}: {text}"
            breach = Breach(number=number, limit=LIMIT_RSS, allowed=allowed, found=span.demand, text=of)
            self._measuring.journal.write(breach)
        pytest.fail(f"{text} Hint: pytest --diag-threshold '{written}' {item.nodeid}", pytrace=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """What may not be passed, in bytes; null where there is no such cap.  ``written``: as each option was given."""

    rss: int | None
    kept: int | None
    written: Mapping[str, str]


class CapPassed(BaseException):
    """Ends the test that passed the cap; no test catches it by catching ``Exception``."""


class CappedSession:
    """Ends the session, and names the test, when the process passes a cap.

    A thread looks at the RSS every 20 ms and interrupts the test by a signal; a peak between two looks is known from
    the kernel when the phase is over.  C code that keeps the GIL, or does not come back, is interrupted when it does.
    """

    def __init__(self, caps: Caps, measuring: Measuring) -> None:
        self._caps, self._measuring = caps, measuring
        self._stop = threading.Event()
        self._session: pytest.Session | None = None
        self._before: Any = None
        self._found = 0
        self._text = ""
        self._running: pytest.Item | None = None

    # --- the watch -----------------------------------------------------------------------------------------

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Watch from here on."""
        self._session = session
        if self._caps.rss is None or threading.current_thread() is not threading.main_thread():
            return
        self._before = signal.signal(_SIGNAL, self._interrupt)
        threading.Thread(target=self._watch, name="diagtools cap", daemon=True).start()

    def pytest_sessionfinish(self) -> None:
        """Watch no more."""
        self._stop.set()
        if self._before is not None:
            signal.signal(_SIGNAL, self._before)
            self._before = None

    def _watch(self) -> None:
        main, cap, pid = threading.main_thread().ident, self._caps.rss, os.getpid()
        assert main is not None
        assert cap is not None
        while not self._stop.wait(_EVERY_S) and os.getpid() == pid:
            with contextlib.suppress(OSError, ValueError):
                self._found = _rss()
            if self._found > cap:
                signal.pthread_kill(main, _SIGNAL)
                self._stop.wait(_AGAIN_S)  # once more: the test may have caught it

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        running = self._running
        if self._measuring.is_repeating:
            return
        if not self._text:
            self._pass("diag-cap", self._caps.rss or 0, self._found, self._measuring.current)
        if running is not None:  # else a fixture is being taken apart, or nothing runs: that is not cut short
            raise CapPassed(self._text)

    # --- the phases ----------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """A peak between two looks."""
        return (yield from self._checked(item))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """A peak between two looks."""
        return (yield from self._checked(item))

    def _checked(self, item: pytest.Item) -> Generator[None, Any, Any]:
        span = own_meter().begin()
        self._running = item
        try:
            return (yield)
        except CapPassed as passed:
            raise pytest.fail.Exception(str(passed), pytrace=False) from None
        finally:
            self._running = None
            own_meter().end(span)
            if self._caps.rss is not None and span.peak > self._caps.rss and not self._text:
                self._pass("diag-cap", self._caps.rss, span.peak, item)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """What does a test leave behind?"""
        span = own_meter().begin()
        try:
            return (yield)
        finally:
            own_meter().end(span)
            if self._caps.kept is not None and span.kept > self._caps.kept and not self._text:
                self._pass("diag-delta-cap", self._caps.kept, span.kept, item)

    def _pass(self, limit: str, allowed: int, found: int, item: pytest.Item | None) -> None:
        measuring = self._measuring
        if measuring.is_repeating:  # under a tracker, when all figures are known
            return
        name = item.nodeid if item is not None else "collecting the tests"
        did = "left" if limit == "diag-delta-cap" else "reached"
        what = "behind" if limit == "diag-delta-cap" else f"RSS in {measuring.worker}"
        self._text = (
            f"{name} {did} {format_bytes(found)} {what}, above --{limit}={self._caps.written[limit]}: "
            "the session ends here."
        )
        breach = Breach(number=measuring.number, limit=limit, allowed=allowed, found=found, text=self._text)
        measuring.journal.write(breach)
        if self._session is not None:
            self._session.shouldstop = self._text


def _rss() -> int:
    with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - every 20 ms
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
