"""Where do the peaks of the items lead, by what is known of the items to come?

Peaks are fitted as sums, with no negative part, of the number of items, of what the items had of a feature so far, of
the largest of it, and of what the item itself has.  Plain Python, standard library only: the recorder uses it too,
while the command runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import log, sqrt
from operator import itemgetter

from diagtools.analyse.least_squares import Column, Fit, correlation_of_neighbours, fitted, spread

FEWEST = 12  #: items: fewer show no trend
MOST_FITTED = 400  #: points: more cost time and tell no more
_FEWEST_TO_BE_SURE = 20
_T_95 = 1.96
_LEAST_ERROR = 0.005  #: of the range of the peaks
_LEAST_ERROR_BYTES = 64 * 1024.0
_ABOUT_AS_GOOD = 6.0  #: difference of the criterion up to which another model widens the range
_STRAIGHT = 0.3  #: of what lies beyond the largest value seen: the range that a bend there would fill
_FAR = 2.0  #: times the largest value seen
_FAR_ALONG = 8.0  #: times as many items, or as much of a feature, as were seen
_LEAST_EXPLAINED = 0.5
_FEWEST_LEVELS = 3
_FILLED_AT = (0.1, 0.2, 0.35, 0.5, 0.7)
#: Parameters: a bend has to be earned, and a place was looked for.
_COSTS = {"slowing": 2, "filling": 2, "jump": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One part of the sum.

    ``kind`` is ``number`` or ``slowing`` (of the items), ``total``, ``largest`` or ``own`` (of their ``feature``),
    ``jump`` or ``filling`` (a level that stays from item number ``place`` on: reached at once, or evenly until then).
    """

    kind: str
    feature: str | None = None
    place: int = 0

    @property
    def adds_up(self) -> bool:
        """Does it grow with every item?"""
        return self.kind in ("number", "slowing", "total")


_NUMBER = Term(kind="number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Items in order, by number: ``n`` of them, ``n_seen`` of which have ended, and their features.

    ``deviations`` are the standard deviations of those features of which only the sum over the items to come is known.
    """

    n: int
    n_seen: int
    features: Mapping[str, Sequence[float]]
    deviations: Mapping[str, float] = field(default_factory=dict)

    def order_error(self, feature: str | None, at: int) -> float:
        """How far may the sum up to this item be off (standard deviation), where the items' order is not known?

        That of a sample drawn without putting back: nothing at the end.
        """
        n, n_left = at + 1 - self.n_seen, self.n - at - 1
        deviation = self.deviations.get(feature or "", 0.0)
        return deviation * sqrt(n * n_left / (n + n_left - 1)) if n > 0 and n_left > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Which item first passes the limit, counted from 1; ``earliest`` and ``latest`` by the range; null: none does."""

    at: int | None
    earliest: int | None
    latest: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """The peaks of all items by the best sum of ``terms``, with the range they fall in, usually (95 %).

    ``far`` are the terms of which more is to come than was ever seen: beyond that nothing says that they go on alike.
    ``explained`` is the share of the seen peaks' variance.
    """

    terms: tuple[Term, ...]
    fit: Fit
    values: list[float]
    lows: list[float]
    highs: list[float]
    far: tuple[Term, ...]
    explained: float
    n_seen: int

    def reach(self, limit_bytes: float) -> Reach:
        """Which item to come passes the limit first?"""
        return Reach(
            at=_first_above(self.values, limit_bytes, self.n_seen),
            earliest=_first_above(self.highs, limit_bytes, self.n_seen),
            latest=_first_above(self.lows, limit_bytes, self.n_seen),
        )

    def is_sure(self, limit_bytes: float) -> bool:
        """Do the whole range and enough items say the same of the limit?"""
        reach = self.reach(limit_bytes)
        is_one = (reach.latest is None) == (reach.earliest is None)
        fits = self.explained >= _LEAST_EXPLAINED or reach.earliest is None
        return is_one and fits and self.n_seen >= _FEWEST_TO_BE_SURE


def predicted(peaks: Sequence[float | None], work: Work) -> Prediction | None:
    """What will the peaks of the items to come be?  Null where fewer than 12 are known.

    ``peaks`` are of the items seen, in order, null where nobody saw it.  The first is left out of the fit: it pays for
    what the program loads once.
    """
    known = {at: peak for at, peak in enumerate(peaks) if at and peak is not None}
    if len(known) + 1 < FEWEST:
        return None
    columns = _columns(work) | ({} if work.features else _staying(known, work.n))
    rows = _rows(known)
    y = [known[row] for row in rows]
    middle = sum(y) / len(y)
    whole = sum((value - middle) ** 2 for value in y)
    near = _about_as_good(work, columns, rows, y)
    ranges = [_range(terms, fit, work, columns, rows, y) for terms, fit in near]
    terms, fit = near[0]
    used = tuple(terms[at] for at in fit.used)
    return Prediction(
        terms=used,
        fit=fit,
        values=ranges[0].values,
        lows=[min(each) for each in zip(*(one.lows for one in ranges), strict=True)],
        highs=[max(each) for each in zip(*(one.highs for one in ranges), strict=True)],
        far=tuple(term for term in used if _is_far(term, columns[term], work.n_seen)),
        explained=1 - fit.sse / whole if whole else 1.0,
        n_seen=work.n_seen,
    )


@dataclass(frozen=True, slots=True)
class _Range:
    values: list[float]
    lows: list[float]
    highs: list[float]


def _columns(work: Work) -> dict[Term, list[float]]:
    """Each term's value at every item, seen and to come."""
    number = [float(at + 1) for at in range(work.n)]
    found = {_NUMBER: number, Term(kind="slowing"): [sqrt(at) for at in number]}
    for name, values in work.features.items():
        if len(values) == work.n:
            found[Term(kind="total", feature=name)] = list(accumulate(values))
            found[Term(kind="largest", feature=name)] = list(accumulate(values, max))
            found[Term(kind="own", feature=name)] = list(values)
    return found


def _staying(known: Mapping[int, float], n: int) -> dict[Term, list[float]]:
    """Levels that were reached and stay, of items of which no feature is known: no trend leads on from them."""
    rows = sorted(known)
    jump = Term(kind="jump", place=_best_jump(known, rows))
    found = {jump: [float(at >= jump.place) for at in range(n)]}
    for share in _FILLED_AT:
        full = Term(kind="filling", place=rows[int(share * (len(rows) - 1))])
        found[full] = [float(min(at, full.place)) for at in range(n)]
    return found


def _best_jump(known: Mapping[int, float], rows: Sequence[int]) -> int:
    """Before which item does the level change most (the split into two means with the smallest squares)?"""
    middle = sum(known.values()) / len(known)
    sums = [*accumulate(known[row] - middle for row in rows)]
    n = len(rows)
    gains = [(sums[at - 1] ** 2 / at / (n - at), rows[at]) for at in range(1, n)]
    return max(gains)[1]


def _choices(work: Work, columns: Mapping[Term, list[float]]) -> Iterator[tuple[Term, ...]]:
    """The sums that are tried: of one feature each, that what fits by chance stays rare."""
    number = _NUMBER
    yield ()
    yield (number,)
    yield (Term(kind="slowing"),)
    for term in columns:
        if term.kind in ("jump", "filling"):
            yield (term,)
            yield (term, number)
    for name in work.features:
        total, largest, own = (Term(kind=kind, feature=name) for kind in ("total", "largest", "own"))
        if total not in columns:
            continue
        yield from ((total,), (total, number), (own,), (own, number), (total, own), (total, own, number))
        if len(set(columns[largest][1 : work.n_seen])) >= _FEWEST_LEVELS:
            yield from ((largest,), (largest, number), (largest, total))


def _rows(known: Mapping[int, float]) -> list[int]:
    """Which items are fitted: all, or of many the highest of each stretch of them."""
    rows = sorted(known)
    step = -(-len(rows) // MOST_FITTED)
    stretches = (rows[at : at + step] for at in range(0, len(rows), step))
    return [max(stretch, key=lambda row: known[row]) for stretch in stretches]


def _at(rows: Sequence[int], terms: Sequence[Term], columns: Mapping[Term, list[float]]) -> list[list[float]]:
    return [[columns[term][row] for row in rows] for term in terms]


def _about_as_good(
    work: Work, columns: Mapping[Term, list[float]], rows: Sequence[int], y: Sequence[float]
) -> list[tuple[tuple[Term, ...], Fit]]:
    """Which sums fit best, the best first, and those that fit hardly less well after it?"""
    floor = _LEAST_ERROR_BYTES + _LEAST_ERROR * (max(y) - min(y))
    fits = [(terms, fitted(_at(rows, terms, columns), y)) for terms in _choices(work, columns)]
    terms, fit = min(fits, key=lambda one: _criterion(one[0], one[1], len(y), floor))
    n = _n_telling(terms, fit, columns, rows, y)
    ranked = sorted(
        ((_criterion(terms, fit, n, floor), terms, fit) for terms, fit in fits), key=itemgetter(0)
    )
    most = ranked[0][0] + _ABOUT_AS_GOOD
    return [(terms, fit) for criterion, terms, fit in ranked if criterion <= most]


def _criterion(terms: Sequence[Term], fit: Fit, n: float, floor: float) -> float:
    """Schwarz's, with at least an error that no model gets below."""
    n_parameters = 1 + sum(_COSTS.get(term.kind, 1) for term in terms)
    return n * log(fit.sse / fit.n + floor**2) + n_parameters * log(n)


def _n_telling(
    terms: Sequence[Term],
    fit: Fit,
    columns: Mapping[Term, list[float]],
    rows: Sequence[int],
    y: Sequence[float],
) -> float:
    """How many items would tell as much, if neighbours did not repeat each other?"""
    r = correlation_of_neighbours(fit.residuals(_at(rows, terms, columns), y))
    return max(len(y) * (1 - r) / (1 + r), 4.0)


def _range(
    terms: Sequence[Term],
    fit: Fit,
    work: Work,
    columns: Mapping[Term, list[float]],
    rows: Sequence[int],
    y: Sequence[float],
) -> _Range:
    mine: list[Column] = [columns[term] for term in terms]
    scatter = spread(fit, fit.residuals(_at(rows, terms, columns), y))
    scatter_of_one = sqrt(fit.sse / max(fit.n - len(fit.used) - 1, 1))
    highest = [max(column[: rows[-1] + 1]) for column in mine]
    bends = [
        0.0 if term.adds_up else _STRAIGHT * weight for term, weight in zip(terms, fit.weights, strict=True)
    ]
    sums = [(term.feature, w) for term, w in zip(terms, fit.weights, strict=True) if term.kind == "total"]
    values, lows, highs = [], [], []
    for at in range(work.n):
        point = [column[at] for column in mine]
        value = fit.at(point)
        order = sum(weight * work.order_error(feature, at) for feature, weight in sums)
        error = _T_95 * sqrt(scatter_of_one**2 + scatter**2 * fit.leverage(point) + order**2)
        error += sum(bend * max(x - seen, 0.0) for bend, x, seen in zip(bends, point, highest, strict=True))
        values.append(value)
        lows.append(value - error)
        highs.append(value + error)
    return _Range(values, lows, highs)


def _is_far(term: Term, column: Sequence[float], n_seen: int) -> bool:
    times = _FAR_ALONG if term.adds_up else _FAR
    return max(column) > times * max(column[:n_seen])


def _first_above(values: Sequence[float], limit_bytes: float, n_seen: int) -> int | None:
    return next((at + 1 for at in range(n_seen, len(values)) if values[at] >= limit_bytes), None)
