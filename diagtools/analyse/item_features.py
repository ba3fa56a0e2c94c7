"""Which features do all of these items have?  Plain Python, standard library only: the recorder asks too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from diagtools.values import State, Validity

_MOST_UNKNOWN = 0.1  #: of a feature's values
_LEAST_VARIATION = 0.05  #: standard deviation by mean: inputs more alike than that tell nothing apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """The features that every item has (``values``, in order), and what had to be assumed or left out."""

    values: Mapping[str, list[float]]
    validity: tuple[Validity, ...]


def features_of(rows: Sequence[Mapping[str, float]]) -> Features:
    """Which features have all items, when ``rows`` has those of each?

    A value that one item in ten, or fewer, lacks is taken to be the median of the others (said); a feature that more
    lack is left out (said).  Left out are those below zero somewhere, too: what an item has cannot take memory away;
    and those that hardly vary: they tell nothing.
    """
    found: dict[str, list[float]] = {}
    doubts: list[Validity] = []
    for name in sorted({name for row in rows for name in row}):
        given = [row.get(name) for row in rows]
        known = [value for value in given if value is not None and isfinite(value)]
        n_unknown = len(given) - len(known)
        if n_unknown > _MOST_UNKNOWN * len(given):
            doubts.append(_doubt(name, f"unknown of {n_unknown:,} of {len(given):,} items, left out"))
        elif min(known) >= 0 and _varies(known):
            usual = sorted(known)[len(known) // 2]
            found[name] = [value if value is not None and isfinite(value) else usual for value in given]
            if n_unknown:
                doubts.append(_doubt(name, f"unknown of {n_unknown:,} items, taken to be the median"))
    return Features(values=found, validity=tuple(doubts))


def _varies(values: Sequence[float]) -> bool:
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / len(values)
    return variance > (_LEAST_VARIATION * mean) ** 2


def _doubt(name: str, note: str) -> Validity:
    return Validity(what=f"feature {name}", state=State.TRUNCATED, note=note)
