"""Does a function leak, by how much a call, which line asks for it and who keeps it?"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from diagtools.analyse.leaks import Leaking, LeakVerdict, leak_verdict
from diagtools.capture.child import check_python
from diagtools.errors import BudgetBreached, UsageError
from diagtools.frames import HOLDER_GROWTH, LEAK_SITES, LeakLog
from diagtools.investigations.leak_explanation import Explanation, explanation
from diagtools.investigations.leak_process import Asked, count_calls
from diagtools.investigations.leak_target import called
from diagtools.present.leaks import leak_json, leak_text
from diagtools.run import Run
from diagtools.values import Changes, Finding, Validity

if TYPE_CHECKING:
    import altair as alt

CALLS = 2800  #: after the warm-up; while something grows there are as many again
LEAST_CALLS, MOST_CALLS = 70, 1_000_000
TIMEOUT_S = 300.0


class LeakCheck:
    """What came of the check of one function: shows itself as its verdict with the evidence, chart on demand."""

    def __init__(self, target: str, run: Run, log: LeakLog, explanation: Explanation | None = None) -> None:
        self.target, self.run, self.log, self.explanation = target, run, log, explanation

    @cached_property
    def found(self) -> LeakVerdict:
        """The verdict, and what each counter did."""
        return leak_verdict(self.log)

    @property
    def verdict(self) -> Leaking:
        """leak, clean, bounded-filling or inconclusive."""
        return self.found.verdict

    @property
    def bytes_per_call(self) -> float | None:
        """What a call leaves behind; null where it is no leak or nobody could count."""
        return self.found.bytes_per_call

    @property
    def top_line(self) -> str | None:
        """Which line asks for most of what is left?  Null where that was not looked for or found."""
        sites = self.explanation.sites if self.explanation else LEAK_SITES.empty()
        known = sites.filter(pl.col("file") != "")
        return None if known.is_empty() else str(known["place"][0])

    @property
    def validity(self) -> tuple[Validity, ...]:
        """What is to be said beside the figures."""
        return (*self.found.validity, *(self.explanation.validity if self.explanation else ()))

    def chart(self, *, title: str | None = None) -> alt.TopLevelMixin:
        """What rises and what flattens, counter by counter, over the calls."""
        from diagtools.present.charts.leaks import leak_chart  # here: text needs no charts

        return leak_chart(self.log, self.found, target=self.target, title=title)

    def as_text(self) -> str:
        """For a terminal."""
        sites, holders, unheld_ = self._explained
        return leak_text(
            self.target,
            self.log,
            self.found,
            sites=sites,
            holders=holders,
            unheld=unheld_,
            validity=self.validity,
        )

    def as_json(self) -> dict[str, Any]:
        """For scripts, in the shape of the contract in DESIGN."""
        sites, holders, unheld_ = self._explained
        return leak_json(
            self.target,
            self.log,
            self.found,
            sites=sites,
            holders=holders,
            unheld=unheld_,
            validity=self.validity,
        )

    @property
    def _explained(self) -> tuple[pl.DataFrame, pl.DataFrame, tuple[Finding, ...]]:
        if self.explanation is None:
            return LEAK_SITES.empty(), HOLDER_GROWTH.empty(), ()
        return self.explanation.sites, self.explanation.holders, self.explanation.unheld

    def __repr__(self) -> str:
        return self.as_text()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.as_text()}


def leaks(
    function: str | Callable[..., object],
    *,
    python: str = sys.executable,
    calls: int = CALLS,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout_s: float = TIMEOUT_S,
    changes: Changes | None = None,
    explain: bool = True,
    folder: Path | None = None,
) -> LeakCheck:
    """Does this function keep memory at each call?

    ``function`` is ``"module:function"``, or a function of a module that can be imported; async ones run in one event
    loop.  It is called without arguments in a fresh process of ``python``, recorded, 200 times to warm up and then
    ``calls`` times, and as often again while something grows; fewer times where there is not the time for it.  On a
    leak it is done again, under memray and between two snapshots of its objects, unless ``explain`` is false; those
    runs lie in the folder of the first.

    Raises ``UsageError`` for what cannot be called so often: it cannot be imported, takes arguments, is a generator
    function, raises, ends the process, does not come back within ``timeout_s``.
    """
    asked = Asked(
        called=called(function),
        python=python,
        calls=_checked(calls),
        env=dict(env or {}),
        cwd=cwd,
        timeout_s=_seconds(timeout_s),
        changes=changes,
    )
    check_python(python)
    counted = count_calls(asked, folder=folder)
    check = LeakCheck(asked.called.name, counted.run, counted.log)
    if explain and check.verdict is Leaking.LEAK:
        check.explanation = explanation(asked, check.found, check.run.path)
    return check


def assert_no_leak(function: str | Callable[..., object], **options: Any) -> LeakCheck:
    """Raises ``BudgetBreached`` where this function leaks; the check of one that does not.  Options as of ``leaks``.

    What comes to an end, and what is inconclusive, is no leak: see ``.verdict``.
    """
    check = leaks(function, **options)
    if check.verdict is Leaking.LEAK:
        amount = "" if check.bytes_per_call is None else f" {check.bytes_per_call:,.0f} B a call"
        line = f", asked for at {check.top_line}" if check.top_line else ""
        raise BudgetBreached(
            f"{check.target} leaks{amount}{line}. {check.found.reason}",
            hint=f"diagtools leaks {check.target}",
        )
    return check


def _checked(calls: int) -> int:
    if not LEAST_CALLS <= calls <= MOST_CALLS:
        raise UsageError(
            f"{calls:,} calls are not possible.",
            hint=f"between {LEAST_CALLS} and {MOST_CALLS:,}; {CALLS:,} are usual.",
        )
    return calls


def _seconds(timeout_s: float) -> float:
    if not 0 < timeout_s < math.inf:
        raise UsageError(f"{timeout_s:g} s is no time to wait for.", hint="--timeout 600")
    return timeout_s
