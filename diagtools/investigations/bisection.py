"""What a search among the releases of a package found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from diagtools.analyse.amounts import plain
from diagtools.analyse.bisect import Search
from diagtools.analyse.bisect_story import also_changed, answer, assumed, in_between
from diagtools.analyse.sides import Difference, Judged, in_words
from diagtools.frames.releases import RELEASES
from diagtools.present.tables import Table, count, text
from diagtools.values import Finding

if TYPE_CHECKING:
    import altair as alt


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One release that was tried, in which experiment, and what else its overlay brings."""

    release: str
    step: int
    judged: Judged
    also: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bisection:
    """What a search among the releases of a package found; shows itself as a sentence and a table.

    ``search`` is null where the ends do not differ as they were named, of which ``reason`` tells.
    """

    package: str
    metric: str
    releases: tuple[str, ...]
    tried: tuple[Tried, ...]
    difference: Difference
    reason: str
    search: Search | None = None

    @property
    def verdict(self) -> str:
        """``found``, ``range`` (several releases are left), ``swapped`` or ``nothing to bisect``."""
        if self.search is None:
            return "swapped" if self.difference is Difference.SWAPPED else "nothing to bisect"
        return "range" if self.search.left else "found"

    @property
    def release(self) -> str | None:
        """The first bad, or the first good, release; null where that is not known."""
        return self.search.new if self.search and not self.search.left else None

    @property
    def candidates(self) -> tuple[str, ...]:
        """The releases in which the number may have moved, the oldest first."""
        return (*self.search.left, self.search.new) if self.search else ()

    @property
    def n_experiments(self) -> int:
        """How many experiments did it take?  The first compared the two ends."""
        return max(one.step for one in self.tried)

    @property
    def n_runs(self) -> int:
        """How often was the program run?"""
        return sum(one.judged.seen.n_runs for one in self.tried if one.judged.seen)

    def findings(self) -> list[Finding]:
        """The answer first, then what it rests on, a sentence each."""
        if self.search is None:
            said = (
                "The ends are named the wrong way round" if self.verdict == "swapped" else "Nothing to bisect"
            )
            return [Finding(sentence=f"{said}: {self.reason}.")]
        judged = {one.release: one.judged for one in self.tried}
        brought = {one.release: one.also for one in self.tried}
        return [
            answer(self.package, self.metric, self.search, judged),
            *in_between(self.metric, self.search, judged),
            *also_changed(self.package, self.search, brought),
            *assumed(self.search),
        ]

    @property
    def frame(self) -> pl.DataFrame:
        """RELEASES: all releases between the ends, the oldest first."""
        known = {one.release: one for one in self.tried}
        rows = [_row(release, known.get(release)) for release in self.releases]
        return RELEASES.from_columns({name: [row[name] for row in rows] for name in RELEASES.columns})

    def table(self) -> Table:
        """The releases that were tried, the oldest first."""
        shown = self.frame.filter(pl.col("side").is_not_null()).with_columns(
            pl.col("value").map_elements(lambda value: in_words(value, self.metric), return_dtype=pl.String)
        )
        columns = {
            "release": text("release"),
            "side": text("is"),
            "value": text(plain(self.metric)),
            "n_runs": count("runs"),
            "n_killed": count("killed"),
            "note": text("note", n_characters=100),
        }
        n_tried, n = len(self.tried), len(self.releases)
        note = f"{self.n_experiments} experiments, {self.n_runs} runs, {n_tried} of {n} releases tried"
        return Table(shown, columns, title=str(self.findings()[0]), note=note)

    def chart(self, *, width: int = 900) -> alt.LayerChart:
        """The metric by release: the ends, those that were tried, where it moved, and those that were not tried."""
        from diagtools.present.charts.releases import releases_chart  # here: text needs no charts

        return releases_chart(
            self.frame,
            metric=self.metric,
            title=str(self.findings()[0]).rstrip("."),
            candidates=self.candidates,
            width=width,
        )

    def as_text(self) -> str:
        """For a terminal."""
        return "\n".join([str(self.table()), *(str(finding) for finding in self.findings()[1:])])

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        search = self.search
        return {
            "package": self.package,
            "metric": self.metric,
            "verdict": self.verdict,
            "looked_for": str(dict(search.sides)[search.releases[-1]]) if search else None,
            "first": self.release,
            "candidates": list(self.candidates),
            "experiments": self.n_experiments,
            "runs": self.n_runs,
            "releases": self.frame.to_dicts(),
            "findings": [str(finding) for finding in self.findings()],
        }

    def __repr__(self) -> str:
        return self.as_text()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {**self.table()._repr_mimebundle_(), "text/plain": self.as_text()}


def _row(release: str, tried: Tried | None) -> Mapping[str, object]:
    seen = tried.judged.seen if tried else None
    values = seen.values if seen else ()
    return {
        "release": release,
        "step": tried and tried.step,
        "side": str(tried.judged.side) if tried else None,
        "value": seen and seen.value,
        "low_value": min(values, default=None),
        "high_value": max(values, default=None),
        "n_runs": seen.n_runs if seen else 0,
        "n_killed": seen.n_killed if seen else 0,
        "note": tried.judged.reason if tried else "",
    }
