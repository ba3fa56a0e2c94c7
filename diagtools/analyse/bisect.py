"""Which release is to be tried next, and what is known once none is left?

A search as `git bisect` makes it: the releases between a good one and a bad one, halved; what cannot be run is
passed over.  It takes for granted that the number moves once: where it moves twice, one of the moves is found.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class Side(StrEnum):
    """What a release is like."""

    GOOD = "good"
    BAD = "bad"
    BROKEN = "cannot run"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Releases in order, the oldest first, and what those that were tried are like.

    The first and the last are the ends that the user named: one is good, the other bad.
    """

    releases: tuple[str, ...]
    sides: tuple[tuple[str, Side], ...]

    @property
    def old(self) -> str:
        """The newest release that is known to be like the first one."""
        return self.releases[self._between[0]]

    @property
    def new(self) -> str:
        """The oldest release that is known to be like the last one."""
        return self.releases[self._between[1]]

    @property
    def left(self) -> tuple[str, ...]:
        """The releases of which it is not known which of the two they are like, in order."""
        first, last = self._between
        return self.releases[first + 1 : last]

    @property
    def untried(self) -> tuple[str, ...]:
        """Those of them that can still be tried."""
        tried = dict(self.sides)
        return tuple(one for one in self.left if one not in tried)

    @property
    def _between(self) -> tuple[int, int]:
        found = dict(self.sides)
        like = {side: [self.releases.index(one) for one in found if found[one] is side] for side in Side}
        return max(like[found[self.releases[0]]]), min(like[found[self.releases[-1]]])


def begun(releases: Sequence[str], first: Side, last: Side) -> Search:
    """The search between the first and the last of these releases."""
    return Search(releases=tuple(releases), sides=((releases[0], first), (releases[-1], last)))


def told(search: Search, release: str, side: Side) -> Search:
    """The search with one more release tried."""
    return replace(search, sides=(*search.sides, (release, side)))


def next_release(search: Search) -> str | None:
    """Which release halves what is left?  Null where nothing is left to try.

    Where the one in the middle cannot be run, others follow far from it (1/4, 3/4, 1/8, …): what is broken stands
    close together.
    """
    untried, left = search.untried, search.left
    if not untried:
        return None
    at = _fraction(len(left) - len(untried) + 1) * (len(left) - 1)
    return min(untried, key=lambda one: abs(left.index(one) - at))


def most_experiments(n_releases: int) -> int:
    """How many experiments may a search among so many releases take, where each of them can be judged?

    The first compares the ends, the others halve the gaps between neighbours.
    """
    return 1 + math.ceil(math.log2(max(1, n_releases - 1)))


def _fraction(number: int) -> float:
    """The van der Corput sequence, from 1 on: 1/2, 1/4, 3/4, 1/8, 5/8 and so forth."""
    found, weight = 0.0, 0.5
    while number:
        number, digit = divmod(number, 2)
        found += digit * weight
        weight /= 2
    return found
