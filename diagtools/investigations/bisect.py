"""In which release of a package did a number move?  A search that halves what is left, in fresh processes."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.version import InvalidVersion, Version

from diagtools.analyse.bisect import Search, Side, begun, most_experiments, next_release, told
from diagtools.analyse.sides import Difference, Judged
from diagtools.capture.interpreter import interpreter_of
from diagtools.capture.overlay import overlay
from diagtools.capture.releases import in_order, releases
from diagtools.errors import UnavailableError, UsageError
from diagtools.investigations.bisection import Bisection, Tried
from diagtools.investigations.progress import Progress
from diagtools.investigations.release_judges import ByMetric, Judge
from diagtools.investigations.release_leaks import LEAK, by_leak
from diagtools.values import Overlay, Target

_MOST_PASSED_OVER = 8  #: each may cost a build


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
    an overlay (``capture.overlay``): nothing is installed.  ``metric`` is a figure of ``analyse.metrics``, or ``leak``:
    then ``command`` names a function, ``MOD:FUNC``.  ``judge`` asks something else of a release, and needs no command.
    ``python`` is the interpreter that the command starts, where its first word does not tell.  Of n releases at most
    log₂ n + 1 are tried, and at most eight more that cannot be run or told.

    Raises ``UsageError`` for ends that are no releases or with which the command fails, ``UnavailableError`` where no
    index can be reached.
    """
    if judge is None and metric == LEAK:
        judge = by_leak(command, python=python or sys.executable)
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
