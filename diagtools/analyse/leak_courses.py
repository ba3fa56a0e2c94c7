"""Does a counter rise for good, fill up, swing or stay, from call to call of one function?

What is looked at is the *floor* of a counter: at each reading the least that it or any later one has.  What comes and
goes is not in it, so that a buffer that fills and is emptied is no leak, and a leak below one still is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, pairwise
from statistics import median

_PARTS = 5
_STEADY_PARTS = 4  #: of these: a bytearray grows by an eighth at a time, which may miss one of them
_PART_SHARE = 0.2  #: of the mean rise of a part: what counts as one
_SLOWEST = 0.6  #: late rise by early one: below, it slows down
_MOST_FALL = (
    0.3  #: of the rise: more, and it comes and goes; at 0.5, 1 of 300 rings of odd sizes seemed to leak
)
_SWINGS = 0.5  #: of the spread: by so much it comes down that is said to swing
_LATE = 0.6  #: of the calls: after them nothing more is added by what has filled up
_SAME_PEAK = 0.25  #: of the spread: by so much the later peaks of what swings may be higher


class Course(StrEnum):
    """What a counter does from call to call."""

    LEVEL = "level"
    RISING = "rising"
    FILLING = "filling"  # it rose and stopped, or slows down
    SWINGING = "swinging"  # it comes and goes between bounds
    UNCLEAR = "unclear"
    UNKNOWN = "unknown"  # nobody could say


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What one counter was after how many calls; at least two readings, in order."""

    calls: Sequence[int]
    values: Sequence[int]

    @property
    def n_calls(self) -> int:
        """How many calls lie between the first reading and the last?"""
        return self.calls[-1] - self.calls[0]

    def since(self, calls: int) -> Series:
        """The readings after so many calls, and the last one before."""
        first = max((at for at, n in enumerate(self.calls) if n <= calls), default=0)
        return Series(calls=self.calls[first:], values=self.values[first:])


def course(series: Series, least_per_call: float, least: float, *, settled_calls: int = 0) -> Course:
    """What does this counter do?

    ``least_per_call`` is the smallest slope that is called rising, ``least`` the smallest rise altogether.  Calls
    before ``settled_calls`` are no evidence for a leak, they are for what filled up.
    """
    late = series.since(settled_calls)
    if late.n_calls <= 0:
        return Course.UNKNOWN
    needed = max(least_per_call * late.n_calls, least)
    if is_rising(late, needed):
        return Course.RISING
    spread = max(series.values) - min(series.values)
    if spread < needed:
        return Course.LEVEL
    return _bounded(series, needed)


def is_rising(series: Series, needed: float) -> bool:
    """Does its floor rise by as much, all the time, and without slowing down?"""
    floor = _floor(series.values)
    rise = floor[-1] - floor[0]
    if rise < needed or _fall(series.values) > _MOST_FALL * rise:
        return False
    parts = _part_rises(series.calls, floor)
    steady = [part >= _PART_SHARE * rise / _PARTS for part in parts]
    if sum(steady) < _STEADY_PARTS or not steady[-1]:
        return False
    half = _at(series.calls, floor, series.calls[0] + series.n_calls / 2)
    return floor[-1] - half >= _SLOWEST * (half - floor[0])


def slope(series: Series) -> float:
    """By how much does it rise a call?  The median over all pairs of readings (Theil 1950, Sen 1968)."""
    pairs = [
        (later - earlier) / (n - m)
        for at, (m, earlier) in enumerate(zip(series.calls, series.values, strict=True))
        for n, later in zip(series.calls[at + 1 :], series.values[at + 1 :], strict=True)
        if n > m
    ]
    return median(pairs) if pairs else 0.0


def _bounded(series: Series, needed: float) -> Course:
    """It moved, and is no leak by its rise: is it known to have an end?"""
    values, calls = series.values, series.calls
    until = calls[0] + _LATE * series.n_calls
    early = [value for n, value in zip(calls, values, strict=True) if n <= until]
    late = [value for n, value in zip(calls, values, strict=True) if n > until]
    spread = max(values) - min(values)
    higher = max(late, default=max(early)) - max(early)
    if _fall(values) > _SWINGS * spread:
        return Course.SWINGING if higher <= _SAME_PEAK * spread else Course.UNCLEAR
    if higher < (1 - _LATE) * needed:
        return Course.FILLING
    floor = _floor(values)
    half = _at(calls, floor, calls[0] + series.n_calls / 2)
    return Course.FILLING if floor[-1] - half < _SLOWEST * (half - floor[0]) else Course.UNCLEAR


def _floor(values: Sequence[int]) -> list[int]:
    """At each place the least from there on."""
    return [*accumulate(reversed(values), min)][::-1]


def _fall(values: Sequence[int]) -> int:
    """By how much did it ever come down from where it had been?"""
    highest = accumulate(values, max)
    return max(top - value for top, value in zip(highest, values, strict=True))


def _part_rises(calls: Sequence[int], floor: Sequence[int]) -> list[float]:
    first, n = calls[0], calls[-1] - calls[0]
    at = [_at(calls, floor, first + n * part / _PARTS) for part in range(_PARTS + 1)]
    return [after - before for before, after in pairwise(at)]


def _at(calls: Sequence[int], values: Sequence[int], when: float) -> float:
    """What was it after so many calls, on the line between the readings?"""
    for place in range(1, len(calls)):
        if calls[place] >= when:
            before, after = calls[place - 1], calls[place]
            share = (when - before) / (after - before) if after > before else 1.0
            return values[place - 1] + share * (values[place] - values[place - 1])
    return values[-1]
