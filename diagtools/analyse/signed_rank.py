"""Do paired values differ, by how much, and how sure is that?  Exact, without a normal approximation.

Wilcoxon's signed-rank test (Biometrics Bulletin 1, 1945) asks little of the noise: that a pair would have been as
likely to differ the other way round had the change done nothing, which the random order of the runs sees to.  One run
that was disturbed is one rank, however far out it lies.  Zeros are left out, as Wilcoxon did: a pair that does not
differ tells nothing of the direction, and fewer pairs make the larger p.  Plain Python.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, groupby
from math import comb
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Chances:
    """How likely is what was seen, or more of it, if nothing changed: to the low side, the high one, or either?"""

    lower: float
    higher: float

    @property
    def either(self) -> float:
        """The p of the two-sided test."""
        return min(2 * self.lower, 2 * self.higher, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """By how much do values lie above zero?  ``low`` and ``high`` are null where the values are too few for them."""

    estimate: float
    low: float | None
    high: float | None


def signed_rank(changes: Sequence[float]) -> Chances:
    """Do these differences lie below or above zero?

    The distribution of the sum of the positive ranks is counted out over all signs, so that p is exact also where
    sizes tie (they share the middle rank).  Without a value other than zero both chances are 1.
    """
    nonzero = sorted((change for change in changes if change), key=abs)
    ranks = _whole_ranks(nonzero)
    below = _cumulative(tuple(ranks))
    seen = sum(rank for rank, change in zip(ranks, nonzero, strict=True) if change > 0)
    whole = below[-1]
    return Chances(lower=below[seen] / whole, higher=(whole - (below[seen - 1] if seen else 0)) / whole)


def sign_test(n_lower: int, n_higher: int) -> Chances:
    """Is one direction commoner than the other?  Exact: of so many throws of a fair coin."""
    n = n_lower + n_higher
    return Chances(lower=_tail(n, n_higher), higher=_tail(n, n_lower))


def shift(changes: Sequence[float], *, confidence: float = 0.95) -> Shift:
    """By how much do these values lie above zero?  The estimate of Hodges and Lehmann (1963), and its exact interval.

    The estimate is the median of the means of all pairs of values, each with itself too (Walsh averages).  The
    interval holds every shift that the signed-rank test does not reject: it holds the true one at least as often as
    ``confidence`` says, with ties more often.  At 95 % it takes six values.  At least one value.
    """
    walsh = sorted((one + other) / 2 for at, one in enumerate(changes) for other in changes[at:])
    below = _cumulative(tuple(range(1, len(changes) + 1)))
    n_out = bisect_right(below, (1 - confidence) / 2 * below[-1])
    if not n_out:
        return Shift(estimate=median(walsh), low=None, high=None)
    return Shift(estimate=median(walsh), low=walsh[n_out - 1], high=walsh[-n_out])


def holm(chances: Sequence[float]) -> list[float]:
    """How likely is each if all of these were tested at once?  Holm's step-down correction (1979), in their order."""
    adjusted = [1.0] * len(chances)
    most = 0.0
    for place, at in enumerate(sorted(range(len(chances)), key=lambda one: chances[one])):
        most = max(most, min(1.0, (len(chances) - place) * chances[at]))
        adjusted[at] = most
    return adjusted


def _whole_ranks(by_size: Sequence[float]) -> list[int]:
    """The rank of each size; twice that for all of them where ties share a middle rank that is no whole number."""
    doubled: list[int] = []
    for _, same in groupby(by_size, key=abs):
        n_same = len(list(same))
        doubled += [2 * len(doubled) + n_same + 1] * n_same
    return doubled if any(rank % 2 for rank in doubled) else [rank // 2 for rank in doubled]


@lru_cache(maxsize=256)
def _cumulative(ranks: tuple[int, ...]) -> list[int]:
    """Of all ways to give these ranks a sign: how many have a sum of positive ranks up to each number?"""
    ways = [1] + [0] * sum(ranks)
    reached = 0
    for rank in ranks:
        reached += rank
        for total in range(reached, rank - 1, -1):
            ways[total] += ways[total - rank]
    return list(accumulate(ways))


def _tail(n: int, most: int) -> float:
    """Of ``n`` throws of a fair coin: how likely are at most so many heads?"""
    return float(sum(comb(n, heads) for heads in range(most + 1)) / 2**n)
