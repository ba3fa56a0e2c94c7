"""Series of items whose class of growth, slope and future are known, because they were made so.

Sizes, lengths, noise, the distribution of the features, the warm-up of the first item and the working set of each
item differ from one to the next; the same seed gives the same series.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import exp
from random import Random

import polars as pl

from diagtools import frames

MIB = 2**20
CLASSES = ("flat", "leak", "step", "outliers", "plateau", "spike", "feature-proportional")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One series: ITEMS, the class it was made as, and what an item keeps (null where each keeps another)."""

    items: pl.DataFrame
    truth: str
    kind: str
    per_item_bytes: float | None = None


def sizes(random: Random, n: int) -> list[float]:
    """Sizes as files have them: a few of them make up most of the sum."""
    kind = random.choice(("lognormal", "pareto", "bundles", "uniform"))
    if kind == "lognormal":
        sigma = random.uniform(0.7, 1.7)
        found = [random.lognormvariate(9.0, sigma) for _ in range(n)]
    elif kind == "pareto":
        alpha = random.uniform(1.2, 2.5)
        found = [2000.0 * random.paretovariate(alpha) for _ in range(n)]
    elif kind == "bundles":
        share = random.uniform(0.03, 0.15)
        found = [random.lognormvariate(12.0 if random.random() < share else 8.5, 0.8) for _ in range(n)]
    else:
        found = [random.uniform(500.0, 50_000.0) for _ in range(n)]
    return [float(round(min(size, 5e6))) for size in found]


def made(truth: str, seed: int, *, noise: float = 40.0, with_features: bool = True) -> Made:
    """A series of this class; the level's noise has a standard deviation of its growth divided by ``noise``."""
    random = Random(f"{truth} {seed}")
    n = round(exp(random.uniform(3.4, 6.5)))
    size = sizes(random, n)
    growth = 2 ** random.uniform(4.5, 11.5) * MIB
    kept, kind, per_item = _kept(truth, random, size, growth)
    base = random.uniform(30, 800) * MIB
    warm_up = (
        random.uniform(0, 0.6) * growth if truth not in ("flat", "spike") and random.random() < 0.5 else 0.0
    )
    errors = _errors(random, n + 1, growth / noise)
    levels = [base + warm_up + level + error for level, error in zip(kept, errors[1:], strict=True)]
    begins = [base + errors[0], *levels[:-1]]
    asked = _asked(truth, random, size, growth)
    return Made(
        items=_items(begins, levels, asked, _features(random, size) if with_features else [{}] * n),
        truth=truth,
        kind=kind,
        per_item_bytes=per_item,
    )


def _kept(
    truth: str, random: Random, size: list[float], growth: float
) -> tuple[list[float], str, float | None]:
    n = len(size)
    if truth in ("flat", "spike"):
        return [0.0] * n, truth, None
    if truth == "leak":
        spread = random.choice((0.0, 0.0, 0.3))
        mean = growth / n
        return (
            list(accumulate(mean * random.uniform(1 - spread, 1 + spread) for _ in size)),
            f"leak ± {spread}",
            mean,
        )
    if truth == "feature-proportional":
        return _by_feature(random, size, growth)
    if truth == "plateau":
        return _filled(random, n, growth)
    return _jumped(truth, random, n, growth)


def _by_feature(random: Random, size: list[float], growth: float) -> tuple[list[float], str, float | None]:
    if random.random() < 0.35:
        return _arena(random, size, growth)
    per_item = random.choice((0.0, 0.0, 0.2))
    parts = [per_item / len(size) + (1 - per_item) * one / sum(size) for one in size]
    return [growth * level for level in accumulate(parts)], f"total, {per_item} an item", None


def _arena(random: Random, size: list[float], growth: float) -> tuple[list[float], str, float | None]:
    """An allocator that returns nothing: the level is that of the largest item so far."""
    while True:
        largest = list(accumulate(size, max))
        rise = largest[-1] - largest[0]
        steps = [after - before for before, after in pairwise(largest) if after > before]
        if len(steps) >= 4 and max(steps) < 0.75 * rise:
            return [growth * (one - largest[0]) / rise for one in largest], "largest", None
        random.shuffle(size)
        if random.random() < 0.05:
            size[:] = sizes(random, len(size))


def _filled(random: Random, n: int, growth: float) -> tuple[list[float], str, float | None]:
    if random.random() < 0.5:
        constant = random.uniform(0.04, 0.2) * n
        return [growth * (1 - exp(-(at + 1) / constant)) for at in range(n)], "exponential", None
    end = max(2.0, random.uniform(0.12, 0.55) * n)
    return [growth * min((at + 1) / end, 1.0) for at in range(n)], "ramp", None


def _jumped(truth: str, random: Random, n: int, growth: float) -> tuple[list[float], str, float | None]:
    n_jumps = random.choice((1, 2)) if truth == "step" else random.randint(3, max(3, round(0.08 * n)))
    places = random.sample(range(round(0.08 * n) + 1, round(0.92 * n)), n_jumps)
    heights = [random.lognormvariate(0, 0.4) for _ in places]
    added = dict(zip(places, heights, strict=True))
    whole = sum(heights)
    return (
        [growth * level / whole for level in accumulate(added.get(at, 0.0) for at in range(n))],
        f"{n_jumps} jumps",
        None,
    )


def _errors(random: Random, n: int, deviation: float) -> list[float]:
    r = random.choice((0.0, 0.0, 0.0, 0.4))
    found, last = [], 0.0
    for _ in range(n):
        last = r * last + random.gauss(0, deviation * (1 - r * r) ** 0.5)
        found.append(last)
    return found


def _asked(truth: str, random: Random, size: list[float], growth: float) -> list[float]:
    """What each item needs for itself and gives back."""
    usual = random.choice((0.0, 0.05, 0.3)) * growth
    asked = [usual * random.uniform(0.8, 1.2) for _ in size]
    if truth == "spike":
        for at in random.sample(range(1, len(size)), random.choice((1, 1, 2, 3))):
            asked[at] += growth * random.uniform(0.9, 1.5)
    return asked


def _features(random: Random, size: list[float]) -> list[dict[str, float]]:
    return [
        {
            "size_bytes": one,
            "n_lines": float(round(one / 40 * random.lognormvariate(0, 0.5)) + 1),
            "depth": float(random.randint(1, 9)),
        }
        for one in size
    ]


def _items(
    begins: list[float], ends: list[float], asked: list[float], features: list[dict[str, float]]
) -> pl.DataFrame:
    n = len(begins)
    held = [round(begin) for begin in begins]
    left = [round(end) for end in ends]
    peaks = [max(b, e) + round(a) for b, e, a in zip(held, left, asked, strict=True)]
    return frames.ITEMS.from_columns(
        {
            "item": [f"f{at}.py" for at in range(n)],
            "index": [*range(1, n + 1)],
            "pid": [1] * n,
            "tid": [1] * n,
            "begin_s": [at * 0.5 for at in range(n)],
            "end_s": [at * 0.5 + 0.4 for at in range(n)],
            "status": ["ok"] * n,
            "error": [None] * n,
            "begin_rss_bytes": [None] * n,
            "end_rss_bytes": [None] * n,
            "delta_bytes": [e - b for b, e in zip(held, left, strict=True)],
            "peak_bytes": [*peaks],
            "demand_bytes": [p - b for p, b in zip(peaks, held, strict=True)],
            "features": [[{"name": k, "value": v} for k, v in row.items()] for row in features],
        }
    )
