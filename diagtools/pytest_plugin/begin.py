"""Puts together what a session was asked for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from diagtools.pytest_plugin.limits import CappedSession, Caps, MarkedLimits
from diagtools.pytest_plugin.measuring import Measuring
from diagtools.pytest_plugin.no_leak import NoLeak
from diagtools.pytest_plugin.options import Settings

_PREFIX = "diagtools-"


def begin(config: pytest.Config) -> Measuring:
    """Measures from here on, before the first conftest; where that goes to is said later."""
    is_traced = bool(config.known_args_namespace.diag_trace)
    measuring = Measuring(is_traced=True, traced=_traced()) if is_traced else Measuring()
    measuring.watch_conftests(config.pluginmanager)
    return measuring


def _traced() -> Callable[[], int | None]:
    """Starts tracemalloc; what it gives is the highest that Python had allocated since it was last asked."""
    import tracemalloc

    if not tracemalloc.is_tracing():
        tracemalloc.start()

    def highest() -> int | None:
        if not tracemalloc.is_tracing():  # a test stopped it
            return None
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        return peak

    return highest


def register(config: pytest.Config, settings: Settings, measuring: Measuring | None) -> None:
    """The plugins that do what was asked for; without ``--diag`` those that markers ask for."""
    is_on = settings.is_on and measuring is not None and not _only_looks(config)
    add = config.pluginmanager.register
    add(MarkedLimits(measuring if is_on else None), f"{_PREFIX}limits")
    add(NoLeak(measuring if is_on else None), f"{_PREFIX}no-leak")
    if not is_on or measuring is None:
        return
    from diagtools.pytest_plugin.repeats import Repeats
    from diagtools.pytest_plugin.session import MeasuredSession, WorkerSession

    is_worker = hasattr(config, "workerinput")
    session = WorkerSession(config, measuring) if is_worker else MeasuredSession(config, settings, measuring)
    add(session, f"{_PREFIX}session")
    add(measuring, f"{_PREFIX}measuring")
    if settings.threshold is not None:
        add(
            Repeats(settings.threshold, measuring, lambda: session.folder, session.stop_sampling),
            f"{_PREFIX}repeats",
        )
    if settings.cap is not None or settings.delta_cap is not None:
        written = {
            "diag-cap": str(config.option.diag_cap),
            "diag-delta-cap": str(config.option.diag_delta_cap),
        }
        caps = Caps(rss=settings.cap, kept=settings.delta_cap, written=written)
        add(CappedSession(caps, measuring), f"{_PREFIX}caps")


def _only_looks(config: pytest.Config) -> bool:
    names = ("collectonly", "setupplan", "showfixtures", "show_fixtures_per_test")
    return any(getattr(config.option, name, False) for name in names)
