"""Which shapes of growth are there, and how do they fit the levels after each item?

Each class is one or several models of the level.  Plain Python, standard library only.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import accumulate, pairwise
from math import exp, log, sqrt

from diagtools.analyse.least_squares import Column, Fit, fitted

MIB = 2**20

_TIME_CONSTANTS = (0.02, 0.03, 0.05, 0.07, 0.1, 0.14, 0.2)
_RAMP_ENDS = (0.05, 0.08, 0.12, 0.17, 0.23, 0.3, 0.4, 0.5, 0.6, 0.7)
_LATE_BEGINNINGS = tuple(share / 20 for share in range(2, 17))
_ROUNDS = 2  #: where a jump is and how steep the rest is tell each other
_REFINED = 8  #: parts of the grid around the best of it
_MOST_STEPS = 2
_MOST_OF_A_STEP = (
    0.92  #: of what jumps up: the two largest make so much of a step, whatever else jumps a little
)
_MOST_OUTLIERS = 0.15  #: of the items: more than that are no exception
#: Its place, its height, and that it was looked for everywhere (Zhang and Siegmund, Biometrics 2007).
_PER_JUMP = 3
_SHORTEST = 2  #: items between two jumps
_FEWEST_LEVELS = 4  #: of a running maximum: three of them fit any two steps
_MOST_SUDDEN = 0.65  #: of what jumps up is at single items: a slope in stairs is none
_MOST_DOWN = 0.2  #: of what jumps up: a level that goes up and down does not grow by jumps
LEAST_ERROR_BYTES = 16 * 1024.0  #: nothing real follows a model more closely, and no model is proven by it


_Shape = Callable[[float, float], float]


class GrowthClass(StrEnum):
    """How memory grows; ``inconclusive`` where the items do not tell."""

    FLAT = "flat"
    LEAK = "leak"
    STEP = "step"
    OUTLIERS = "outliers"
    PLATEAU = "plateau"
    SPIKE = "spike"
    FEATURE = "feature-proportional"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What a level may follow of a feature, at each level: all that the items had so far, and the most that one had."""

    total: Column
    largest: Column


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One shape of growth, fitted: its values at the points, and what it says of them.

    ``rise_bytes`` is how much it grows from the first point to the last.  ``feature`` is the one it follows, itself
    or its running maximum (``of_maximum``); ``fit`` is null for jumps, ``jumps`` are the points before which the level
    jumps; ``column`` is the one of the fit whose weight is the growth a unit.
    """

    growth_class: GrowthClass
    n_parameters: int
    values: tuple[float, ...]
    sse: float
    rise_bytes: float
    feature: str | None = None
    of_maximum: bool = False
    fit: Fit | None = None
    jumps: tuple[int, ...] = ()
    column: int = 0

    @property
    def bytes_per_unit(self) -> float:
        """How many bytes an item, or a unit of the feature; 0 for jumps."""
        return 0.0 if self.fit is None else self.fit.weights[self.column]


def models(levels: Column, positions: Column, features: Mapping[str, Followed]) -> Iterator[Model]:
    """Every shape of growth, fitted to these levels.

    ``levels`` are bytes after each item, ``positions`` how many items (or seconds) that was.  At least five levels.
    """
    yield _smooth(GrowthClass.FLAT, levels, [], n_parameters=1)
    yield _smooth(GrowthClass.LEAK, levels, [positions], n_parameters=2)
    for name, followed in features.items():
        yield from _following(levels, positions, name, followed)
    yield from _filling(levels, positions)
    yield from _bending(levels, positions)
    yield from _beginning_late(levels, positions)
    yield from _with_a_jump(levels, positions)
    yield from _jumping(levels)


def _smooth(
    growth_class: GrowthClass,
    levels: Column,
    columns: Sequence[Column],
    *,
    n_parameters: int,
    feature: str | None = None,
    of_maximum: bool = False,
) -> Model:
    fit = fitted(columns, levels)
    return Model(
        growth_class=growth_class,
        n_parameters=n_parameters,
        values=tuple(fit.at(point) for point in zip(*columns, strict=True))
        if columns
        else (fit.constant,) * len(levels),
        sse=fit.sse,
        rise_bytes=sum(w * (column[-1] - column[0]) for w, column in zip(fit.weights, columns, strict=True)),
        feature=feature,
        of_maximum=of_maximum,
        fit=fit,
    )


def _following(levels: Column, positions: Column, name: str, followed: Followed) -> Iterator[Model]:
    """In proportion to what the items had so far, to the largest of it, or to it and to the number of items."""
    total, largest = followed.total, followed.largest
    yield _smooth(GrowthClass.FEATURE, levels, [total], n_parameters=2, feature=name)
    if len(set(largest)) >= _FEWEST_LEVELS:
        yield _smooth(GrowthClass.FEATURE, levels, [largest], n_parameters=2, feature=name, of_maximum=True)
    both = _smooth(GrowthClass.FEATURE, levels, [total, positions], n_parameters=3, feature=name)
    if both.fit is not None and len(both.fit.used) == 2:
        by_feature = both.fit.weights[0] * (total[-1] - total[0])
        is_leak = 2 * by_feature < both.rise_bytes
        yield replace(both, growth_class=GrowthClass.LEAK, column=1) if is_leak else both


def _filling(levels: Column, positions: Column) -> Iterator[Model]:
    """Up to a level where it stays: ever more slowly, or evenly until it is full."""
    for shape, shares in ((_slowing, _TIME_CONSTANTS), (_ramp, _RAMP_ENDS)):
        found = [_filled(levels, positions, shape, share) for share in shares]
        at = min(range(len(found)), key=lambda one: found[one].sse)
        low, high = shares[max(at - 1, 0)], shares[min(at + 1, len(shares) - 1)]
        between = [low + (high - low) * part / _REFINED for part in range(1, _REFINED)]
        finer = [_filled(levels, positions, shape, share) for share in between]
        yield min(found[at], *finer, key=lambda model: model.sse)


def _bending(levels: Column, positions: Column) -> Iterator[Model]:
    """A leak that grows ever faster; and growth that slows down without an end, which is neither leak nor plateau."""
    steps = [at - positions[0] for at in positions]
    squares = [step * step for step in steps]
    yield _smooth(GrowthClass.LEAK, levels, [positions, squares], n_parameters=3)
    for slowing in ([sqrt(step) for step in steps], [log(1 + step) for step in steps]):
        yield _smooth(GrowthClass.INCONCLUSIVE, levels, [slowing], n_parameters=3)


def _beginning_late(levels: Column, positions: Column) -> Iterator[Model]:
    """A leak that begins with a later item."""
    first, length = positions[0], positions[-1] - positions[0]
    found = []
    for share in _LATE_BEGINNINGS:
        column = [max(at - first - share * length, 0.0) for at in positions]
        found.append(_smooth(GrowthClass.LEAK, levels, [column], n_parameters=3))
    yield min(found, key=lambda model: model.sse)


def _with_a_jump(levels: Column, positions: Column) -> Iterator[Model]:
    """A leak and one jump: of the class that is the larger part of it."""
    split = _best_split(levels)
    both = _before_and_after(levels, positions, split)
    for _ in range(_ROUNDS):
        weight = both.fit.weights[0] if both.fit else 0.0
        split = _best_split([level - weight * at for level, at in zip(levels, positions, strict=True)])
        both = _before_and_after(levels, positions, split)
    if both.fit is None or len(both.fit.used) < 2:
        return
    height = both.fit.weights[1]
    if levels[split] - levels[split - 1] >= _MOST_SUDDEN * height:
        is_step = height >= both.rise_bytes / 2
        yield replace(both, growth_class=GrowthClass.STEP if is_step else GrowthClass.LEAK, jumps=(split,))


def _before_and_after(levels: Column, positions: Column, split: int) -> Model:
    jump = [float(place >= split) for place in range(len(levels))]
    return _smooth(GrowthClass.STEP, levels, [positions, jump], n_parameters=2 + _PER_JUMP)


def _best_split(levels: Column) -> int:
    middle = sum(levels) / len(levels)
    return _stretch([0.0, *accumulate(level - middle for level in levels)], 0, len(levels)).split


def _filled(levels: Column, positions: Column, shape: _Shape, share: float) -> Model:
    first, length = positions[0], positions[-1] - positions[0]
    column = [shape((at - first) / length, share) for at in positions]
    return _smooth(GrowthClass.PLATEAU, levels, [column], n_parameters=3)


def _slowing(at: float, share: float) -> float:
    return -exp(-at / share)


def _ramp(at: float, share: float) -> float:
    return min(at, share)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Levels from ``start`` to before ``stop``, and the split of them that leaves least squares."""

    start: int
    stop: int
    split: int
    gain: float


def _jumping(levels: Column) -> Iterator[Model]:
    """Level but for one or two jumps (a step), or for more of them (outliers): the best split first."""
    n = len(levels)
    middle = sum(levels) / n
    sums = [0.0, *accumulate(level - middle for level in levels)]
    squares = sum((level - middle) ** 2 for level in levels)
    stretches = [_stretch(sums, 0, n)]
    splits: list[int] = []
    for n_jumps in range(1, max(_MOST_STEPS + 1, int(_MOST_OUTLIERS * n)) + 1):
        best = max(stretches, key=lambda one: one.gain)
        if best.gain <= 0:
            return
        stretches.remove(best)
        stretches += [_stretch(sums, best.start, best.split), _stretch(sums, best.split, best.stop)]
        splits.insert(bisect_left(splits, best.split), best.split)
        squares -= best.gain
        model = _of_jumps(levels, sums, middle, splits, max(squares, 0.0))
        if model is not None:
            yield model
        if n_jumps > _MOST_STEPS and squares < (LEAST_ERROR_BYTES**2) * n:
            return


def _stretch(sums: Sequence[float], start: int, stop: int) -> _Stretch:
    before, whole, length = sums[start], sums[stop] - sums[start], stop - start
    best_gain, best_split = 0.0, start
    for split in range(start + _SHORTEST, stop - _SHORTEST + 1):
        left = sums[split] - before
        n_left = split - start
        difference = left * length - whole * n_left
        gain = difference * difference / (n_left * (length - n_left) * length)
        if gain > best_gain:
            best_gain, best_split = gain, split
    return _Stretch(start, stop, best_split, best_gain)


def _of_jumps(
    levels: Column, sums: Sequence[float], middle: float, splits: Sequence[int], sse: float
) -> Model | None:
    """The model of these jumps; null where they go down as well as up, or where most of them are slopes."""
    edges = [0, *splits, len(sums) - 1]
    means = [(sums[stop] - sums[start]) / (stop - start) for start, stop in pairwise(edges)]
    jumps = [after - before for before, after in pairwise(means)]
    up, down = sum(max(jump, 0) for jump in jumps), sum(max(-jump, 0) for jump in jumps)
    sudden = sum(levels[min(split + 1, len(levels) - 1)] - levels[split - 2] for split in splits)
    if down > _MOST_DOWN * up or sudden < _MOST_SUDDEN * up:
        return None
    is_step = sum(sorted(jumps)[-_MOST_STEPS:]) >= _MOST_OF_A_STEP * up
    counts = [stop - start for start, stop in pairwise(edges)]
    return Model(
        growth_class=GrowthClass.STEP if is_step else GrowthClass.OUTLIERS,
        n_parameters=1 + _PER_JUMP * len(jumps),
        values=tuple(middle + mean for mean, count in zip(means, counts, strict=True) for _ in range(count)),
        sse=sse,
        rise_bytes=means[-1] - means[0],
        jumps=tuple(splits),
    )
