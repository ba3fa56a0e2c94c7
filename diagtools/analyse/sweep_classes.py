"""Does a metric follow a parameter evenly, ever faster, ever less, or not at all?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import inf
from statistics import median

from diagtools.analyse.least_squares import Column
from diagtools.analyse.sequential import least_amount_of
from diagtools.analyse.sweep_models import Curve, Curves, t

_LEAST_RISE = 0.005  #: of the level: less is how memory is rounded
_MOST_OF_A_LEVEL = 0.10  #: what cannot be ruled out of something flat must stay below that share of it
_STRAIGHT = (0.85, 1.2)  #: exponents that nobody would call a bend
_NEARLY_STRAIGHT = (0.5, 1.6)  #: what noise may leave open of a line
_MOST_BESIDE = 0.12  #: of the rise, a curve may pass beside a level: a kink does that, a step more
_LEFT_TO_COME = 0.2  #: of what was seen: how much more may come where something is said to saturate
_LEFT_AT_MOST = 0.6  #: by any curve that is as good: the same runs must not fit one that goes on
_FEWEST_FREE = 3  #: degrees of freedom: with fewer the noise itself is hardly known
_FEWEST_VALUES = 4  #: of the parameter: three points fit any bend


class SweepClass(StrEnum):
    """How the metric follows the parameter."""

    FLAT = "flat"
    LINEAR = "linear"
    WORSE = "worse than linear"
    LESS = "less than linear"
    SATURATES = "saturates"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Classified:
    """The class, where it is not clear why, and the curve that stands for it (``drawn`` is level for what is flat)."""

    sweep_class: SweepClass
    why: str
    curve: Curve
    drawn: Curve


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Within which 95 % does the cost of a unit lie?"""

    low: float
    high: float

    @property
    def most(self) -> float:
        """The largest cost that is not ruled out, whichever way."""
        return max(abs(self.low), abs(self.high))


def classified(found: Curves, values: Column, measured: Column, metric: str) -> Classified:
    """Which class are these curves of?  By those that are as good as the best, within the noise."""
    sweep_class, why = _class(found, values, measured, metric)
    is_bent = sweep_class in (SweepClass.WORSE, SweepClass.LESS, SweepClass.SATURATES)
    curve = found.best if is_bent else found.line
    drawn = found.flat if sweep_class is SweepClass.FLAT else curve
    return Classified(sweep_class=sweep_class, why=why, curve=curve, drawn=drawn)


def interval(found: Curves, curve: Curve, values: Column) -> Interval | None:
    """The interval of what a unit costs, on the average of the whole sweep; null where nothing tells the noise."""
    if not found.n_free:
        return None
    low, high = min(values), max(values)
    step = (curve.shape(high) - curve.shape(low)) / (high - low)
    either = t(found.n_free, 0.95) * found.slope_error(curve) * step
    middle = curve.cost(low, high)
    return Interval(low=middle - either, high=middle + either)


def _class(found: Curves, values: Column, measured: Column, metric: str) -> tuple[SweepClass, str]:
    """The class, and where it is not clear why."""
    level = median(map(abs, measured))
    least = max(least_amount_of(metric), _LEAST_RISE * level)
    rise = abs(found.best.at(max(values)) - found.best.at(min(values)))
    if max(measured) - min(measured) < least or (found.tells and rise < least):
        return SweepClass.FLAT, ""
    if not found.tells:
        return _untold(found, values, level, least)
    if len(set(values)) < _FEWEST_VALUES:
        return SweepClass.INCONCLUSIVE, f"{len(set(values))} values do not show a bend; sweep four or more"
    return _bend(found, values, measured)


def _untold(found: Curves, values: Column, level: float, least: float) -> tuple[SweepClass, str]:
    """Nothing was seen: flat only where anything large can be ruled out."""
    within = interval(found, found.line, values)
    reach = inf if within is None else within.most * (max(values) - min(values))
    if reach <= max(_MOST_OF_A_LEVEL * level, least):
        return SweepClass.FLAT, ""
    return SweepClass.INCONCLUSIVE, _too_little(found, "the runs vary too much to rule a change out")


def _bend(found: Curves, values: Column, measured: Column) -> tuple[SweepClass, str]:
    """It grows (or falls): evenly, ever faster, or ever less?  By the curves that are as good as the best."""
    exponents = [-1.0 if one.exponent is None else one.exponent for one in found.as_good]
    low, high = min(exponents), max(exponents)
    jump = _jump(found.best, values, measured)
    if jump is not None:
        return (
            SweepClass.INCONCLUSIVE,
            f"no smooth curve fits, it jumps between {jump[0]:,.6g} and {jump[1]:,.6g}",
        )
    if low > _STRAIGHT[1]:
        return SweepClass.WORSE, ""
    if high < _STRAIGHT[0]:
        return (SweepClass.SATURATES if _saturates(found, values) else SweepClass.LESS), ""
    if low < _NEARLY_STRAIGHT[0] or high > _NEARLY_STRAIGHT[1]:
        return (
            SweepClass.INCONCLUSIVE,
            _too_little(found, "it changes, but the runs vary too much to show a bend"),
        )
    return SweepClass.LINEAR, ""


def _jump(best: Curve, values: Column, measured: Column) -> tuple[float, float] | None:
    """Between which values does it jump, where even the best curve passes far beside what was measured?"""
    at = sorted(set(values))
    levels = [median(y for x, y in zip(values, measured, strict=True) if x == one) for one in at]
    beside = max(abs(level - best.at(one)) for one, level in zip(at, levels, strict=True))
    if beside <= _MOST_BESIDE * (max(levels) - min(levels)):
        return None
    steps = [abs(later - earlier) for earlier, later in pairwise(levels)]
    widest = steps.index(max(steps))
    return at[widest], at[widest + 1]


def _too_little(found: Curves, why: str) -> str:
    """Why is it not clear, and what would help?"""
    few = "the runs are too few" if found.n_free < _FEWEST_FREE else why
    return f"{few}; repeat each value, or sweep more of them"


def _saturates(found: Curves, values: Column) -> bool:
    """Is most of what it will ever be already there?"""
    left = [_left_to_come(curve, values) for curve in found.as_good]
    return _left_to_come(found.best, values) <= _LEFT_TO_COME and max(left) <= _LEFT_AT_MOST


def _left_to_come(curve: Curve, values: Column) -> float:
    start, end = curve.at(min(values)), curve.at(max(values))
    return inf if curve.level is None else abs(curve.level - end) / abs(end - start)
