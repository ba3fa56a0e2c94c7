"""In which release of a package did a number move?  A search that halves what is left, in fresh processes."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from packaging.version import InvalidVersion, Version

from diagtools.analyse.bisect import Search, Side, begun, most_experiments, next_release, told
from diagtools.analyse.bisect_story import also_changed, answer, assumed, in_between
from diagtools.analyse.sides import Difference, Judged, in_words
from diagtools.capture.interpreter import interpreter_of
from diagtools.capture.overlay import overlay
from diagtools.capture.releases import in_order, releases
from diagtools.errors import UnavailableError, UsageError
from diagtools.frames.releases import RELEASES
from diagtools.investigations.progress import Progress
from diagtools.investigations.release_judges import ByMetric, Judge
from diagtools.present.tables import Table, count, text
from diagtools.values import Finding, Overlay, Target

if TYPE_CHECKING:
    import altair as alt

_MOST_PASSED_OVER = 8  #: each may cost a build


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
            "value": text(self.metric),
            "n_runs": count("runs"),
            "n_killed": count("killed"),
            "note": text("note", n_characters=100),
        }
        n = len(self.releases) - len(self.tried)
        note = f"{self.n_experiments} experiments, {self.n_runs} runs" + (
            f"; {n} releases were not tried" if n else ""
        )
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


def bisect(
    package: str,
    command: Target | Sequence[str] | str = (),
    *,
    bad: str,
    good: str,
    metric: str = "peak",
    python: str | None = None,
    pairs: int = 3,
    folder: Path | None = None,
    in_fresh_folder: bool = False,
    judge: Judge | None = None,
    progress: Progress | None = None,
) -> Bisection:
    """Which release of a package between ``good`` and ``bad`` is the first bad one, or the first good one?

    The first bad one where the bad end is the newer, else the first good one.  ``command`` is run with each release in
    an overlay (``capture.overlay``): nothing is installed.  ``metric`` is a figure of ``analyse.metrics``; ``judge``
    asks something else of a release, and then needs no command.  ``python`` is the interpreter that the command
    starts, where its first word does not tell.  Of n releases at most log₂ n + 1 are tried, and at most eight more that
    cannot be run or told.

    Raises ``UsageError`` for ends that are no releases or with which the command fails, ``UnavailableError`` where no
    index can be reached.
    """
    if pairs < 1:
        raise UsageError(f"{pairs} runs of the ends say nothing.", hint="3 are usual.")
    if judge is None:
        target = command if isinstance(command, Target) else Target(argv=_words(command))
        python = python or _python(target)
        judge = ByMetric(
            target, metric, pairs=pairs, folder=folder, in_fresh_folder=in_fresh_folder, progress=progress
        )
    searcher = _Searcher(
        package=package, python=python or sys.executable, judge=judge, progress=progress or Progress()
    )
    return searcher.search(good, bad)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Searcher:
    package: str
    python: str
    judge: Judge
    progress: Progress

    def search(self, good: str, bad: str) -> Bisection:
        listed = _between(self.package, good, bad, self.python)
        known = {Version(release): release for release in listed}
        good, bad = known[Version(good)], known[Version(bad)]
        brought = {release: self._overlay(release) for release in (good, bad)}
        self.progress.say(
            f"{len(listed)} releases of {self.package}: at most {most_experiments(len(listed))} experiments, "
            f"and more for those that cannot be run"
        )
        found = self.judge.ends(brought[good], brought[bad])
        judged = {good: found.good, bad: found.bad}
        tried = [Tried(release=one, step=1, judged=judged[one], also=brought[one].also) for one in judged]
        search = None
        if found.difference is Difference.CLEAR:
            search = begun(listed, judged[listed[0]].side, judged[listed[-1]].side)
            search = self._narrowed(search, tried)
        return Bisection(
            package=self.package,
            metric=self.judge.metric,
            releases=listed,
            tried=tuple(tried),
            difference=found.difference,
            reason=found.reason,
            search=search,
        )

    def _narrowed(self, search: Search, tried: list[Tried]) -> Search:
        n_passed_over = 0
        while n_passed_over < _MOST_PASSED_OVER and (release := next_release(search)) is not None:
            one = self._tried(release, tried[-1].step + 1)
            self.progress.say(f"{self.package} {release}: {one.judged.side}")
            n_passed_over += one.judged.side not in (Side.GOOD, Side.BAD)
            tried.append(one)
            search = told(search, release, one.judged.side)
        return search

    def _tried(self, release: str, step: int) -> Tried:
        try:
            brought = self._overlay(release)
        except (UsageError, UnavailableError) as error:
            return Tried(release=release, step=step, judged=Judged(side=Side.BROKEN, reason=error.message))
        return Tried(release=release, step=step, judged=self.judge.one(brought), also=brought.also)

    def _overlay(self, release: str) -> Overlay:
        self.progress.say(f"{self.package} {release}: making its overlay …")
        return overlay([f"{self.package}=={release}"], python=self.python)


def _words(command: Sequence[str] | str) -> tuple[str, ...]:
    return tuple(shlex.split(command) if isinstance(command, str) else map(os.fspath, command))


def _python(target: Target) -> str:
    found = interpreter_of(target.argv[0], {**os.environ, **target.env}, target.cwd)
    if found is None:
        raise UsageError(
            f"It is not known which Python '{target.argv[0]}' starts.", hint="name it: --python PATH"
        )
    return found


def _between(package: str, good: str, bad: str, python: str) -> tuple[str, ...]:
    """The releases from one end to the other, the oldest first; the ends are among them, whatever the index lists."""
    first, last = sorted((_version(good), _version(bad)))
    if first == last:
        raise UsageError(f"Both ends are {package} {good}.", hint="name a good and a bad release.")
    listed = [one for one in releases(package, python=python) if first < Version(one) < last]
    return tuple(in_order([good, bad, *listed]))


def _version(given: str) -> Version:
    try:
        return Version(given)
    except InvalidVersion as error:
        raise UsageError(f"{given!r} is no release.", hint="write --good 6.2.0 --bad 6.4.4") from error


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
