"""Which curve over one parameter comes nearest to what was measured, and which others are as good?

The curves are ``a + b · x^p``: a line (p = 1), steeper ones, flatter ones, the logarithm (p = 0) and curves that
approach a level (p < 0), and two more that reach one.  Plain Python, standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import exp, log, sqrt
from operator import itemgetter

from diagtools.analyse.least_squares import Column, Fit, fitted

_EXPONENTS = tuple(step / 20 for step in range(-60, 101))
_FILLINGS = (0.05, 0.08, 0.12, 0.2, 0.3, 0.45)  #: of the range: the time constants of what fills up
_FULL_AT = tuple(step / 20 for step in range(2, 17))  #: of the range: where what grows evenly is full
#: Student's t, two-sided, by degrees of freedom from 1 on; the last stands for all above.
_T90 = (6.31, 2.92, 2.35, 2.13, 2.02, 1.94, 1.89, 1.86, 1.83, 1.81, 1.80, 1.78, 1.77, 1.76, 1.75)
_T95 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13)
_T99 = (63.66, 9.92, 5.84, 4.60, 4.03, 3.71, 3.50, 3.36, 3.25, 3.17, 3.11, 3.05, 3.01, 2.98, 2.95)
_NEAREST_TO_ZERO = 1e-6  #: of the largest value: closer to zero a logarithm is all about that one value
_LEAST_ERROR = 0.0005  #: of the range: nothing real follows a curve more closely


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One curve, fitted: ``exponent`` is null for those that fill up, ``end`` the shape far out (null: no end)."""

    shape: Callable[[float], float]
    end: float | None
    exponent: float | None
    fit: Fit
    sign: int
    squares: float  #: of the shape, about its middle: how well the values tell its weight

    @property
    def sse(self) -> float:
        """The squares that are left."""
        return self.fit.sse

    def at(self, value: float) -> float:
        """What does the curve say at this value of the parameter?"""
        return self.sign * self.fit.at([self.shape(value)])

    @property
    def level(self) -> float | None:
        """Where does the curve end?  Null where it goes on."""
        return None if self.end is None else self.sign * self.fit.at([self.end])

    def cost(self, low: float, high: float) -> float:
        """What does a unit of the parameter cost between these two values?"""
        return (self.at(high) - self.at(low)) / (high - low)


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """All curves, fitted, a line and a level one too, and the noise: ``error`` (standard deviation, ``n_free``)."""

    flat: Curve
    line: Curve
    best: Curve
    all: tuple[Curve, ...]
    error: float
    n_free: int
    total_squares: float

    @property
    def as_good(self) -> list[Curve]:
        """Which curves are as good as the best, within the noise (90 %)?"""
        allowed = self.best.sse + (t(self.n_free, 0.90) * self.error) ** 2
        return [curve for curve in self.all if curve.sse <= allowed]

    @property
    def tells(self) -> bool:
        """Is there any dependence on the parameter (99 %)?  By the line, or by the best curve."""
        if self.n_free < 1:
            return False
        slope, error = abs(self.line.fit.weights[0]), self.slope_error(self.line)
        by_line = slope > t(self.n_free, 0.99) * error
        explained = (self.total_squares - self.best.sse) / 2
        least = (
            self.n_free / 2 * (0.01 ** (-2 / self.n_free) - 1)
        )  # F with two degrees above has a closed form
        return by_line or explained > least * self.error**2

    def slope_error(self, curve: Curve) -> float:
        """How uncertain is the weight of this curve (standard error)?"""
        return self.error / sqrt(curve.squares)


def t(n_free: int, confidence: float) -> float:
    """Student's t for 90, 95 or 99 %, two-sided."""
    table = {0.90: _T90, 0.95: _T95, 0.99: _T99}[confidence]
    return table[min(max(n_free, 1), len(table)) - 1]


def curves(values: Column, measured: Column) -> Curves:
    """Every curve, fitted to these points.  At least two different values."""
    falls = fitted([values], measured).weights[0] == 0
    sign = -1 if falls else 1
    y = [sign * one for one in measured]
    line = _curve(values, y, _power(min(values), max(values), 1.0), sign)
    others = [_curve(values, y, shape, sign) for shape in _shapes(values)]
    usable = [curve for curve in others if curve.fit.used] or [line]
    best = min(usable, key=lambda curve: curve.sse)
    middle = sum(y) / len(y)
    error, n_free = _error(values, y, best)
    return Curves(
        flat=_curve(values, y, _Shape(at=lambda _: 0.0, end=0.0), sign),
        line=line,
        best=best,
        all=tuple(usable),
        error=max(error, _LEAST_ERROR * (max(y) - min(y))),
        n_free=n_free,
        total_squares=sum((one - middle) ** 2 for one in y),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """One shape of the parameter: what it is far out (null: no end), and its exponent if it has one."""

    at: Callable[[float], float]
    end: float | None
    exponent: float | None = None


def _curve(values: Column, y: Column, shape: _Shape, sign: int) -> Curve:
    column = [shape.at(value) for value in values]
    middle = sum(column) / len(column)
    return Curve(
        shape=shape.at,
        end=shape.end,
        exponent=shape.exponent,
        fit=fitted([column], y),
        sign=sign,
        squares=sum((one - middle) ** 2 for one in column),
    )


def _shapes(values: Column) -> list[_Shape]:
    """The shapes of the parameter, scaled to its range; logarithms and hyperbolas only where it is above zero."""
    low, high = min(values), max(values)
    powers = [_power(low, high, one) for one in _EXPONENTS if one > 0 or low > _NEAREST_TO_ZERO * high]
    return [
        *powers,
        *(_filling(low, high, share) for share in _FILLINGS),
        *(_full(low, high, share) for share in _FULL_AT),
    ]


def _power(low: float, high: float, exponent: float) -> _Shape:
    start = min(low, 0.0)
    length = high - start
    if not exponent:
        return _Shape(at=lambda value: log((value - start) / length), end=None, exponent=exponent)
    end = 0.0 if exponent < 0 else None
    return _Shape(
        at=lambda value: ((value - start) / length) ** exponent / exponent, end=end, exponent=exponent
    )


def _filling(low: float, high: float, share: float) -> _Shape:
    return _Shape(at=lambda value: -exp(-(value - low) / (high - low) / share), end=0.0)


def _full(low: float, high: float, share: float) -> _Shape:
    return _Shape(at=lambda value: min((value - low) / (high - low), share), end=share)


def _error(values: Column, y: Column, best: Curve) -> tuple[float, int]:
    """How far does a run lie from the truth, usually, and from how many degrees of freedom is that known?

    Runs at the same value tell it without any curve.  Where the best curve leaves more than they differ, no curve
    is the truth, and what it leaves is the error.
    """
    n_by_curve = len(y) - 3
    by_curve = best.sse / n_by_curve if n_by_curve > 0 else 0.0
    squares, n_same = _among_themselves(values, y)
    if n_same and squares / n_same >= by_curve:
        return sqrt(squares / n_same), n_same
    return sqrt(by_curve), max(n_by_curve, 0)


def _among_themselves(values: Column, y: Sequence[float]) -> tuple[float, int]:
    squares, n_free = 0.0, 0
    for _, points in groupby(sorted(zip(values, y, strict=True)), key=itemgetter(0)):
        same = [one for _, one in points]
        mean = sum(same) / len(same)
        squares += sum((one - mean) ** 2 for one in same)
        n_free += len(same) - 1
    return squares, n_free
