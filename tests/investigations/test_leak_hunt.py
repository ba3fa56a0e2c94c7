"""The leak hunt's verdicts follow from what it runs: with a release that does not leak there is no leak."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagtools.analyse.leaks import Leaking
from diagtools.capture.overlay import overlay
from diagtools.errors import UnavailableError, UsageError
from diagtools.investigations.leak_hunt import HEADERS, RATES, LeakHunt
from diagtools.investigations.leaks import LeakCheck


@pytest.fixture
def hunt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[LeakHunt]:
    monkeypatch.setenv("DIAGTOOLS_STORE", str(tmp_path))
    return LeakHunt


def _needs(requirement: str) -> None:
    try:
        overlay([requirement], python="python3")
    except UnavailableError as error:
        pytest.skip(f"no index to take {requirement} from: {error.message}")


def _checked(case: LeakHunt, name: str) -> LeakCheck:
    """Of one service alone."""
    case.services = (name,)
    return case.checks[name]


@pytest.mark.slow
@pytest.mark.parametrize(("release", "verdict"), [("6.3.1", Leaking.LEAK), ("6.3.2", Leaking.CLEAN)])
def test_the_verdict_follows_the_release(hunt: type[LeakHunt], release: str, verdict: Leaking) -> None:
    _needs(f"multidict=={release}")
    check = _checked(hunt(bad=release), HEADERS)
    assert check.verdict is verdict
    if verdict is Leaking.LEAK:
        assert check.found.is_native or check.bytes_per_call
        assert (check.top_line or "").startswith("workloads/leaky/headers.py:")


@pytest.mark.slow
def test_a_cache_with_a_bound_is_no_leak(hunt: type[LeakHunt]) -> None:
    check = _checked(hunt(), RATES)
    assert check.verdict is Leaking.BOUNDED
    assert "workloads.leaky.rates.rates" in check.found.reason


def test_too_few_requests_are_an_error(hunt: type[LeakHunt]) -> None:
    with pytest.raises(UsageError, match="too few"):
        hunt(requests=50)
    with pytest.raises(UsageError, match="whole number"):
        hunt(pairs=0)


def test_what_was_not_checked_is_an_error(hunt: type[LeakHunt]) -> None:
    case = hunt()
    case.services = ()
    with pytest.raises(UsageError, match="was not checked"):
        case.counters("other")
