"""How is a handful of noisy values summed up?"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from statistics import fmean, median

_RESAMPLES = 10_000


def known(values: Sequence[float | None]) -> list[float]:
    """Which values were had?"""
    return [value for value in values if value is not None]


def ratios(values: Sequence[float | None], reference: Sequence[float | None]) -> list[float]:
    """How many times the reference is each value?  Pair by pair where both have a value; zeros are left out."""
    pairs = zip(values, reference, strict=False)
    return [value / base for value, base in pairs if value is not None and base]


def trimmed_mean(values: Sequence[float], share: float = 0.1) -> float:
    """What is the mean without this share of the lowest and of the highest values?

    A shared machine gives a few runs that were disturbed: they are cut off on both sides alike.
    """
    ordered = sorted(values)
    cut = math.floor(len(ordered) * share)
    return fmean(ordered[cut : len(ordered) - cut])


def bootstrap_interval(
    values: Sequence[float], statistic: Callable[[Sequence[float]], float] = median, *, seed: int = 1
) -> tuple[float, float]:
    """Within which 95 % does the statistic lie when the values are drawn again?  Percentile bootstrap, 10,000 draws."""
    draw = random.Random(seed)
    found = sorted(statistic(draw.choices(values, k=len(values))) for _ in range(_RESAMPLES))
    return found[int(0.025 * _RESAMPLES)], found[int(0.975 * _RESAMPLES) - 1]
