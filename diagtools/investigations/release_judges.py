"""What is one release of a package like?  Whoever is asked runs the program with an overlay of that release."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from diagtools.analyse.bisect import Side
from diagtools.analyse.metrics import Metric
from diagtools.analyse.sides import Difference, Ends, Judged, Seen, ends, side_of
from diagtools.errors import NoDataError, UsageError
from diagtools.investigations.experiment import BASELINE, Experiment, Variant
from diagtools.investigations.measures import measures, name_of
from diagtools.investigations.progress import Progress
from diagtools.run import Run
from diagtools.values import Cause, Changes, Overlay, Target

_OF_MEMORY = (Cause.WATCHDOG, Cause.CGROUP_OOM, Cause.KERNEL_OOM, Cause.MEMORY_ERROR)
_BAD = "bad"
_ROUNDS, _MORE_ROUNDS = 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedEnds:
    """What the two ends are like, and whether they differ as they were named."""

    good: Judged
    bad: Judged
    difference: Difference
    reason: str


class Judge(Protocol):
    """Tells what releases are like, once it has seen the two ends; ``metric`` is what it goes by."""

    metric: str

    def ends(self, good: Overlay, bad: Overlay) -> JudgedEnds:
        """Are the ends good and bad?"""

    def one(self, overlay: Overlay) -> Judged:
        """Which of them is this release like?"""


class EachAlone:
    """A judge that needs no other release to tell what one is like: a leak is one wherever it is found."""

    def __init__(self, ask: Callable[[Overlay], Judged], metric: str) -> None:
        self.metric = metric
        self._ask = ask

    def ends(self, good: Overlay, bad: Overlay) -> JudgedEnds:
        """See ``Judge``."""
        first, second = self._ask(good), self._ask(bad)
        found = {
            (Side.GOOD, Side.BAD): Difference.CLEAR,
            (Side.BAD, Side.GOOD): Difference.SWAPPED,
        }.get((first.side, second.side), Difference.NONE)
        said = f"the good release is {_told(first)} and the bad one {_told(second)}, by {self.metric}"
        return JudgedEnds(good=first, bad=second, difference=found, reason=said)

    def one(self, overlay: Overlay) -> Judged:
        """See ``Judge``."""
        return self._ask(overlay)


class ByMetric:
    """Runs a command with each release, and compares a figure of it with those of the two ends.

    The ends take turns in ``pairs``; any other release runs alone, twice, and up to five times where that is not clear.
    Runs are kept in ``folder``, or in the store.
    """

    def __init__(
        self,
        target: Target,
        metric: str,
        *,
        pairs: int = 3,
        folder: Path | None = None,
        in_fresh_folder: bool = False,
        progress: Progress | None = None,
    ) -> None:
        self.metric = Metric.parse(metric).name
        self._asked = metric
        self._target = target
        self._pairs = pairs
        self._folder = folder
        self._in_fresh_folder = in_fresh_folder
        self._progress = progress or Progress()
        self._known: Ends | None = None
        self._usual_status = 0

    def ends(self, good: Overlay, bad: Overlay) -> JudgedEnds:
        """See ``Judge``.  Raises ``UsageError`` where the program cannot be run with one of them."""
        other = Variant(name=_BAD, change=f"with {bad}", target=self._with(bad))
        experiment = self._experiment("ends", good, [other])
        experiment.run(rounds=self._pairs, progress=self._progress)
        self._usual_status = experiment.usual_status
        runs = experiment.runs_of(BASELINE)
        self.metric = name_of(runs[0], Metric.parse(self._asked))
        seen = self._seen(experiment.runs_of(BASELINE))
        other_seen = self._seen(experiment.runs_of(_BAD))
        for overlay, name, showed in ((good, BASELINE, seen), (bad, _BAD, other_seen)):
            _must_run(overlay, showed)
            _must_be_applied(overlay, _not_applied(name, experiment, showed))
        known = ends(seen, other_seen, self.metric)
        self._known = known
        sides = (Side.GOOD, Side.BAD)
        if known.difference is not Difference.CLEAR:
            sides = (Side.BAD, Side.GOOD) if known.difference is Difference.SWAPPED else (Side.UNCLEAR,) * 2
        return JudgedEnds(
            good=Judged(side=sides[0], seen=known.good),
            bad=Judged(side=sides[1], seen=known.bad),
            difference=known.difference,
            reason=known.reason,
        )

    def one(self, overlay: Overlay) -> Judged:
        """See ``Judge``."""
        assert self._known is not None  # the ends were asked first
        experiment = self._experiment(overlay.brings[0][1], overlay, [])
        seen, side = Seen(values=()), None
        for rounds in (_ROUNDS, *[1] * _MORE_ROUNDS):
            try:
                experiment.run(rounds=rounds, progress=self._progress)
            except NoDataError as error:
                return Judged(side=Side.BROKEN, reason=error.message)
            seen = self._seen(experiment.runs_of(BASELINE))
            if unused := _not_applied(BASELINE, experiment, seen):
                return Judged(side=Side.BROKEN, reason=unused, seen=seen)
            side = side_of(seen, self._known)
            if side is not None:
                break
        if side is None:  # killed while it imported the package: an experiment runs that once
            side = Side.BAD if seen.is_killed else Side.UNCLEAR
        return Judged(side=side, reason=seen.failure, seen=seen)

    def _experiment(self, name: str, overlay: Overlay, variants: Sequence[Variant]) -> Experiment:
        return Experiment(
            baseline=self._with(overlay),
            variants=variants,
            metrics=(self._asked,),
            folder=self._folder and self._folder / name,
            in_fresh_folder=self._in_fresh_folder,
        )

    def _with(self, overlay: Overlay) -> Target:
        changes = dataclasses.replace(self._target.changes or Changes(), overlay=overlay)
        return dataclasses.replace(self._target, changes=changes)

    def _seen(self, runs: Sequence[Run]) -> Seen:
        values, failures, n_killed = [], [], 0
        for run in runs:
            value = measures(run, (Metric.parse(self._asked),)).get(self.metric)
            if run.death is not None and run.death.cause in _OF_MEMORY:
                n_killed += 1
            elif run.exit_status != self._usual_status:
                failures.append(_failure(run))
            elif value is None:
                failures.append(f"it has no {self.metric}")
            else:
                values.append(value)
        failure = failures[0] if failures else ""
        return Seen(values=tuple(values), n_killed=n_killed, n_failed=len(failures), failure=failure)


def _not_applied(name: str, experiment: Experiment, seen: Seen) -> str:
    """Why the program did not use the release; empty where it did, or ended while it imported it."""
    return experiment.not_applied.get(name, "").partition(": ")[2] if seen.values else ""


def _must_be_applied(overlay: Overlay, unused: str) -> None:
    if unused:
        raise UsageError(
            f"The command does not use {overlay}: {unused}.",
            hint="name a command that imports the package, and one whose Python reads PYTHONPATH (not -I or -E).",
        )


def _must_run(overlay: Overlay, seen: Seen) -> None:
    if seen.n_failed:
        raise UsageError(
            f"The command fails with {overlay}: {seen.failure}.",
            hint="name an end with which it runs; releases between them may fail.",
        )


def _failure(run: Run) -> str:
    ended = "its end was not seen" if run.exit_status is None else f"exit status {run.exit_status}"
    last = run.last_log_lines(1)
    return f"{ended}: {last[0].strip()}" if last and last[0].strip() else ended


def _told(judged: Judged) -> str:
    return f"{judged.side}" + (f" ({judged.reason})" if judged.reason else "")
