"""Two captures are compared: what grew, where, and how sure is that?

The notebook's own example is the RAG indexer as it was in the incident and with bounded batches; any two runs, captures
or exports take their place.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl

from diagtools.analyse.profiles.sites import sites
from diagtools.capture.folder import store
from diagtools.errors import NoDataError, RecorderError, UsageError
from diagtools.investigations import places
from diagtools.investigations.case import Case
from diagtools.investigations.compare import Comparison, compare
from diagtools.investigations.parameters import whole
from diagtools.investigations.profile_report import ProfileReport
from diagtools.investigations.profiles import Source
from diagtools.investigations.progress import Progress
from diagtools.investigations.record import record
from diagtools.present.profiles import profile_words
from diagtools.present.prose import Prose
from diagtools.present.tables import Table
from diagtools.profile import Profile
from diagtools.run import Run
from diagtools.units import format_bytes
from diagtools.values import Finding, Target, Tracking

_QUESTION = "Two captures of a program: what grew or shrank between them, where, and how sure is that?"
_CORPUS = "incident-small.json"
_BATCH = 16
#: Stored profiles of the indexer, made by scripts/make-rag-profiles.
_STORED = {"before": "rag-before-*.parquet", "after": "rag-after-*.parquet"}


class CaptureComparison(Case):
    """The comparison of two sides.

    ``before`` and ``after`` are each a run folder, a capture or an export, or several of one side with commas between
    them; without them the indexer of ``workloads.rag`` as it was and with bounded batches: captures that come with
    diagtools, or ``fresh`` ones, recorded now, ``rounds`` of each.  ``by`` is what a row is.
    """

    def __init__(
        self, *, before: str = "", after: str = "", by: str = "line", fresh: bool = False, rounds: int = 2
    ) -> None:
        super().__init__(question=_QUESTION)
        if bool(before) != bool(after):
            raise UsageError("A comparison needs both sides.", hint="-p before=A -p after=B")
        if by not in ("line", "function", "module", "package"):
            raise UsageError(f"by={by!r} is no kind of place.", hint="line, function, module or package.")
        self._named = (_paths(before), _paths(after)) if before else None
        self._fresh, self._rounds, self._by = fresh, whole("rounds", rounds), by
        self._progress = Progress()

    @cached_property
    def comparison(self) -> Comparison:
        """Both sides, read."""
        if self._named is not None:
            return compare(*self._named, by=self._by)  # type: ignore[arg-type]  # it was checked
        if self._fresh:
            return compare(*self._recorded(), by=self._by)  # type: ignore[arg-type]
        folder = places.data() / "captures"
        stored = [sorted(folder.glob(pattern)) for pattern in _STORED.values()]
        if not all(stored):
            raise NoDataError(
                f"'{folder}' has no captures of the indexer.", hint="make them: scripts/make-rag-profiles"
            )
        return compare(*stored, by=self._by)  # type: ignore[arg-type]

    # --- what a cell shows ---------------------------------------------------------------------------

    def sides(self) -> Table:
        """Each capture: how much, and which place held most of it."""
        rows = [
            (side, profile_words(profile, sites(profile, "function")))
            for side, profiles in (("before", self.comparison.before), ("after", self.comparison.after))
            for profile in profiles
        ]
        return Table(pl.DataFrame(rows, schema=["side", "what it holds"], orient="row"), n=len(rows))

    def changed(self) -> alt.TopLevelMixin:
        """The places that changed most, as bars."""
        return self.comparison.bars()

    def table(self, n: int = 10) -> Table:
        """The same in figures."""
        return self.comparison.table(n=n)

    def icicle(self) -> alt.LayerChart:
        """Who called whom, coloured by what changed."""
        return self.comparison.icicle()

    def who_called(self) -> Table:
        """Who called the place that changed most, and what did it call itself?"""
        most = self._most()
        profile = self.typical("before" if most["delta_size"] < 0 else "after")
        return ProfileReport(profile).around(most["key"], self._by)  # type: ignore[arg-type]  # it was checked

    def typical(self, side: str) -> Profile:
        """The run that stands for a side: the one with the median total."""
        difference = self.comparison.difference
        if side == "before":
            return self.comparison.before[difference.typical_before]
        return self.comparison.after[difference.typical_after]

    def conclusion(self) -> Prose:
        """What changed, where, how sure, a sentence each."""
        return Prose(self.findings(), heading="Conclusion")

    def keep_budget(self, budget: str) -> Prose:
        """Did the total grow by no more than this?  Raises ``BudgetBreached``."""
        if not budget:
            return Prose(["No budget was set for the growth."])
        self.comparison.check(budget)
        kept = f"Budget kept: the total changed by {self._change()}, which is not above {budget}."
        return Prose([kept], heading="Budget")

    # --- what it says --------------------------------------------------------------------------------

    def findings(self) -> list[Finding]:
        """The change of the whole, then the places that made it."""
        return self.comparison.findings()

    def _change(self) -> str:
        return format_bytes(self.comparison.difference.delta)

    def _most(self) -> dict[str, Any]:
        rows = self.comparison.difference.frame
        if rows.is_empty():
            raise NoDataError("Nothing changed between the two.", hint="compare captures that differ.")
        return rows.row(0, named=True)

    # --- recording -----------------------------------------------------------------------------------

    def _recorded(self) -> tuple[list[Run], list[Run]]:
        """The indexer as it was and with bounded batches, in turn."""
        folder = store() / f"compare-{time.strftime('%Y%m%d-%H%M%S')}"
        sides: dict[str, list[Run]] = {"before": [], "after": []}
        for number in range(self._rounds):
            for side, runs in sides.items():
                self._progress.say(f"recording {side} {number + 1} of {self._rounds} …")
                runs.append(_record(side, folder / f"{side}-{number + 1}"))
        return sides["before"], sides["after"]


def _record(side: str, folder: Path) -> Run:
    corpus = places.data() / "corpora" / _CORPUS
    argv = [sys.executable, "-m", "workloads.rag", "index", "--corpus", str(corpus)]
    batch = ["--batch", str(_BATCH)] if side == "after" else []
    tracking = Tracking(aggregated=True)  # nothing ends it, and two passes over a small file are quick
    run = record(Target(argv=(*argv, *batch), tracking=tracking), folder=folder)
    if run.exit_status != 0:
        raise RecorderError(
            f"The indexer exited with {run.exit_status}: {' '.join(run.last_log_lines(1))}",
            hint=f"diagtools show {run.path}",
        )
    return run


def _paths(text: str) -> Sequence[Source]:
    return [Path(part.strip()).expanduser() for part in text.split(",") if part.strip()]
