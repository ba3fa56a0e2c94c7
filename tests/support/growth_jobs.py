"""Jobs that run into their limit at an item that is known, because they were made so."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from math import exp
from random import Random

from tests.support.growth_series import MIB, sizes

KINDS = ("leak", "total", "mixed", "largest", "own", "own and leak")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The true peak of each item, its features, and the item (from 1) at which the limit is passed."""

    kind: str
    peaks: list[float]
    features: dict[str, list[float]]
    limit_bytes: float
    reached_at: int

    @property
    def n_seen(self) -> int:
        """How many items have ended when a quarter of the job is done."""
        return len(self.peaks) // 4


def job(seed: int, *, noise: float = 40.0) -> Job:
    """A job that passes its limit after a third of it; the limit is drawn at random."""
    random = Random(f"job {seed}")
    while True:
        n = round(exp(random.uniform(4.4, 6.6)))
        size = sizes(random, n)
        kind = random.choice(KINDS)
        growth = 2 ** random.uniform(7, 12) * MIB
        base = random.uniform(50, 500) * MIB
        clean = [base + growth * part for part in _parts(kind, random, size)]
        clean[0] += random.uniform(0, 0.1) * growth
        highest = list(accumulate(clean, max))
        seen = highest[n // 3]
        if highest[-1] < seen + 0.1 * growth:
            continue
        limit = random.uniform(seen + 0.05 * growth, highest[-1])
        reached_at = next(at for at, level in enumerate(highest) if level >= limit) + 1
        peaks = [level + random.gauss(0, growth / noise) for level in clean]
        lines = [float(round(one / 40 * random.lognormvariate(0, 0.5)) + 1) for one in size]
        depth = [float(random.randint(1, 9)) for _ in size]
        features = {"size_bytes": size, "n_lines": lines, "depth": depth}
        return Job(kind=kind, peaks=peaks, features=features, limit_bytes=limit, reached_at=reached_at)


def _parts(kind: str, random: Random, size: list[float]) -> list[float]:
    n = len(size)
    whole, most = sum(size), max(size)
    number = [(at + 1) / n for at in range(n)]
    total = [level / whole for level in accumulate(size)]
    own = [one / most for one in size]
    share = random.uniform(0.2, 0.8)
    return {
        "leak": number,
        "total": total,
        "mixed": [share * t + (1 - share) * i for t, i in zip(total, number, strict=True)],
        "largest": list(accumulate(own, max)),
        "own": own,
        "own and leak": [share * o + (1 - share) * i for o, i in zip(own, number, strict=True)],
    }[kind]
