"""Which sum of a constant and growing columns comes nearest to these values?

Plain Python, standard library only: the recorder uses it too, while the command runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from operator import mul

Column = Sequence[float]

#: A pivot this small beside its column's own square: the column is a copy of others, up to rounding.
_DEPENDENT = 1e-9
_MOST_CORRELATED = 0.9
_CLEARLY_MORE = 1.5
_BLOCKS = 8
_NEAR = 3  #: items: further apart than noise that lasts a little is alike
_OF_A_WALK = 1.1  #: least squares of a random walk: √(6/5) of its own standard deviation at the end


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """``constant + Σ weights × columns``; no weight is below zero.

    ``sse`` is the sum of squared residuals, ``n`` how many values were fitted, ``means`` are of the columns,
    ``inverse`` is of the centred products of the ``used`` ones: what the interval of a prediction
    needs.  ``ranges`` are how far the columns reach.
    """

    constant: float
    weights: tuple[float, ...]
    sse: float
    n: int
    means: tuple[float, ...]
    used: tuple[int, ...]
    inverse: tuple[tuple[float, ...], ...]
    ranges: tuple[float, ...]

    def at(self, point: Sequence[float]) -> float:
        """What does the fit say where the columns have these values?"""
        return self.constant + _dot(self.weights, point)

    def residuals(self, columns: Sequence[Column], y: Column) -> list[float]:
        """How far are the values above the fit?"""
        found = [value - self.constant for value in y]
        for at in self.used:
            weight = self.weights[at]
            found = [rest - weight * x for rest, x in zip(found, columns[at], strict=True)]
        return found

    def leverage(self, point: Sequence[float]) -> float:
        """How uncertain is the fit there, as a share of the residuals' variance?  1/n in the middle of the data."""
        away = [point[at] - self.means[at] for at in self.used]
        return 1 / self.n + _quadratic(self.inverse, away)

    def weight_leverage(self, column: int) -> float:
        """How uncertain is the weight of this column, as a share of the residuals' variance?"""
        at = self.used.index(column)
        return self.inverse[at][at]


def fitted(columns: Sequence[Column], y: Column) -> Fit:
    """Which constant and which weights ≥ 0 leave the smallest squares?

    Every choice of columns is solved and the best one without a negative weight is taken: with at most five columns
    that is exact (Lawson and Hanson, *Solving Least Squares Problems*, chapter 23) and needs no tolerance.
    Columns that do not vary, or that others already say, get no weight.
    """
    n = len(y)
    mean_y = sum(y) / n
    means = tuple(sum(column) / n for column in columns)
    centred = [[x - mean for x in column] for column, mean in zip(columns, means, strict=True)]
    rest = [value - mean_y for value in y]
    gram = [[_dot(one, other) for other in centred] for one in centred]
    moments = [_dot(column, rest) for column in centred]
    whole = _dot(rest, rest)
    best: tuple[float, tuple[int, ...], list[float], list[list[float]]] = (whole, (), [], [])
    for size in range(1, len(columns) + 1):
        for chosen in combinations(range(len(columns)), size):
            inverse = _inverse([[gram[i][j] for j in chosen] for i in chosen])
            if inverse is None:
                continue
            weights = [_dot(row, [moments[i] for i in chosen]) for row in inverse]
            left = whole - _dot(weights, [moments[i] for i in chosen])
            if min(weights) >= 0 and left < best[0]:
                best = (left, chosen, weights, inverse)
    left, chosen, weights, inverse_of_best = best
    placed = dict(zip(chosen, weights, strict=True))
    given = tuple(placed.get(at, 0.0) for at in range(len(columns)))
    return Fit(
        constant=mean_y - _dot(given, means),
        weights=given,
        sse=max(left, 0.0),
        n=n,
        means=means,
        used=chosen,
        inverse=tuple(tuple(row) for row in inverse_of_best),
        ranges=tuple(max(column) - min(column) for column in columns),
    )


def correlation_of_neighbours(residuals: Sequence[float]) -> float:
    """How alike are neighbouring residuals, from 0 (not at all) to 0.9?  0 where they are all zero."""
    square = _dot(residuals, residuals)
    if not square:
        return 0.0
    return min(max(_dot(residuals[1:], residuals[:-1]) / square, 0.0), _MOST_CORRELATED)


def spread(fit: Fit, residuals: Sequence[float]) -> float:
    """How far does one value lie from the fit, usually, as if neighbours did not repeat each other?

    Neighbours that go together tell less than their number: the variance is raised by (1 + r) / (1 − r).
    """
    r = correlation_of_neighbours(residuals)
    free = max(fit.n - len(fit.used) - 1, 1)
    return sqrt(fit.sse / free * (1 + r) / (1 - r))


def weight_error(fit: Fit, column: int, residuals: Sequence[float]) -> float:
    """How uncertain is the weight of this column (standard error)?

    Residuals that scatter about the fit make it less uncertain the more there are.  Those that wander (each item adds
    a little more or less than the last, and that stays) make it as uncertain as where they wandered to.
    """
    scattered = spread(fit, residuals) * sqrt(fit.weight_leverage(column))
    return max(scattered, _OF_A_WALK * sqrt(wandering(residuals) * fit.n) / fit.ranges[column])


def wandering(residuals: Sequence[float]) -> float:
    """By how much does the variance of residuals that wander grow with each step?  0 for mere scatter.

    Means of eight blocks scatter less than single values, the longer the blocks the less; those of a random walk do
    not.  About a line fitted to all of it a walk of n steps has n / 15 times the variance of one.
    """
    length = len(residuals) // _BLOCKS
    if length < 2:
        return 0.0
    means = [sum(residuals[at * length : (at + 1) * length]) / length for at in range(_BLOCKS)]
    of_means = _dot(means, means) / (_BLOCKS - 2)
    of_scatter = _variance_over(residuals, _NEAR) / 2 / length
    if of_means < _CLEARLY_MORE * of_scatter:
        return 0.0
    return (of_means - of_scatter) * 15 / len(residuals)


def _variance_over(residuals: Sequence[float], lag: int) -> float:
    differences = [late - early for early, late in zip(residuals, residuals[lag:], strict=False)]
    return _dot(differences, differences) / max(len(differences), 1)


def _dot(one: Sequence[float], other: Sequence[float]) -> float:
    return float(sum(map(mul, one, other)))


def _quadratic(matrix: Sequence[Sequence[float]], vector: Sequence[float]) -> float:
    return _dot([_dot(row, vector) for row in matrix], vector)


def _inverse(matrix: list[list[float]]) -> list[list[float]] | None:
    """The inverse of a symmetric matrix, by Gauss and Jordan; null where its columns depend on each other."""
    size = len(matrix)
    scale = [sqrt(matrix[i][i]) for i in range(size)]
    if not all(scale):
        return None
    rows = [
        [matrix[i][j] / scale[i] / scale[j] for j in range(size)] + [float(i == j) for j in range(size)]
        for i in range(size)
    ]
    for at in range(size):
        pivot = max(range(at, size), key=lambda i: abs(rows[i][at]))
        rows[at], rows[pivot] = rows[pivot], rows[at]
        if abs(rows[at][at]) < _DEPENDENT:
            return None
        rows[at] = [x / rows[at][at] for x in rows[at]]
        for i in range(size):
            if i != at and rows[i][at]:
                factor = rows[i][at]
                rows[i] = [x - factor * y for x, y in zip(rows[i], rows[at], strict=True)]
    return [[rows[i][size + j] / scale[i] / scale[j] for j in range(size)] for i in range(size)]
