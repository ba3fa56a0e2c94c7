"""Do a good and a bad release differ, and which of the two is another one like?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from diagtools.analyse.amounts import amount, plain
from diagtools.analyse.bisect import Side
from diagtools.units import format_bytes, format_share

#: A smaller change is not searched for: two or three runs of a release could not tell it from noise.
_LEAST_CHANGE = 0.10
_LEAST_BYTES = 256 * 1024
#: How far a run may stand from its end, as a share of the way to the other one (on a scale of ratios).
_CLEAR = 0.35
_LEAST_RUNS, _MOST_RUNS = 2, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the runs of one release showed: the metric of those that ended as usual, or that memory ended.

    The figure of a killed run is a lower bound, and not among ``values``.  ``n_failed`` ended in another way, of which
    ``failure`` tells.
    """

    values: tuple[float, ...]
    n_killed: int = 0
    n_failed: int = 0
    failure: str = ""

    @property
    def n_runs(self) -> int:
        """How often was it run?"""
        return len(self.values) + self.n_killed + self.n_failed

    @property
    def value(self) -> float | None:
        """The median; null where no run has one."""
        return median(self.values) if self.values else None

    @property
    def is_killed(self) -> bool:
        """Did memory end every run?"""
        return 0 < self.n_killed == self.n_runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What one release is like, why, and what its runs showed, where there were any."""

    side: Side
    reason: str = ""
    seen: Seen | None = None


class Difference(StrEnum):
    """What the two ends are to each other."""

    CLEAR = "clear"
    SWAPPED = "swapped"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """What the runs of the good and of the bad release showed, and how these differ."""

    good: Seen
    bad: Seen
    difference: Difference
    reason: str

    def at(self, value: float) -> float:
        """Where does a value stand between the good end (0) and the bad one (1)?  By ratios, where all are above 0."""
        good, bad = self.good.value, self.bad.value
        assert good is not None  # neither end was killed: see `side_of`
        assert bad is not None
        if min(good, bad, value) > 0:
            good, bad, value = math.log(good), math.log(bad), math.log(value)
        return (value - good) / (bad - good)


def ends(good: Seen, bad: Seen, metric: str) -> Ends:
    """Does the bad release hold, or take, clearly more than the good one?

    By kills where memory ended every run of one of the two and none of the other; else where no run of the one is among
    those of the other and the medians are 10 % (and 256 KiB) apart.  Swapped where it is the good one that is larger.
    """
    difference, reason = (
        _by_kills(good, bad) if good.n_killed or bad.n_killed else _by_values(good, bad, metric)
    )
    return Ends(good=good, bad=bad, difference=difference, reason=reason)


def side_of(seen: Seen, known: Ends) -> Side | None:
    """Which end is this release like?  Null where more runs are needed to tell.

    Every run clearly nearer to the same end, after two runs; after five, four of them.  What stands between the two, or
    at both, is unclear.
    """
    if seen.n_failed:
        return Side.BROKEN
    if seen.n_runs < _LEAST_RUNS:
        return None
    like = [*[Side.BAD] * seen.n_killed, *(_like(value, known) for value in seen.values)]
    for side in (Side.GOOD, Side.BAD, Side.UNCLEAR):
        if like.count(side) == len(like) or (len(like) >= _MOST_RUNS and like.count(side) >= _MOST_RUNS - 1):
            return side
    return Side.UNCLEAR if len(like) >= _MOST_RUNS else None


def in_words(value: float | None, metric: str) -> str:
    """A value of a metric with its unit."""
    return "not known" if value is None else amount(metric, value)


def _like(value: float, known: Ends) -> Side:
    if known.bad.is_killed:
        return Side.GOOD  # it ended as the good one did
    at = known.at(value)
    if at < _CLEAR:
        return Side.GOOD
    return Side.BAD if at > 1 - _CLEAR else Side.UNCLEAR


def _by_kills(good: Seen, bad: Seen) -> tuple[Difference, str]:
    counts = (
        f"memory ended {good.n_killed} of {good.n_runs} runs of the good release and {bad.n_killed} of {bad.n_runs} "
        "of the bad one"
    )
    if bad.is_killed and not good.n_killed:
        return Difference.CLEAR, counts
    if good.is_killed and not bad.n_killed:
        return Difference.SWAPPED, counts
    return Difference.NONE, counts


def _by_values(good: Seen, bad: Seen, metric: str) -> tuple[Difference, str]:
    before, after = good.value, bad.value
    if before is None or after is None:
        return Difference.NONE, f"{plain(metric)} is not known of both"
    one, other = in_words(before, metric), in_words(after, metric)
    said = f"{plain(metric)} is {one} with the good release and {other} with the bad one"
    if not (max(good.values) < min(bad.values) or max(bad.values) < min(good.values)):
        return Difference.NONE, f"{said}: their runs overlap"
    change = abs(after - before)
    if change < _LEAST_CHANGE * abs(before) or (metric.endswith("_bytes") and change < _LEAST_BYTES):
        least = f" and {format_bytes(_LEAST_BYTES)}" if metric.endswith("_bytes") else ""
        return Difference.NONE, f"{said}: less than {format_share(_LEAST_CHANGE)}{least} apart"
    return (Difference.CLEAR if after > before else Difference.SWAPPED), said
