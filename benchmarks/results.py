"""What a benchmark hands over: raw values, estimates and goals.  Whatever is printed is computed from these."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from statistics import median
from typing import TypeVar

from benchmarks.spread import known, ratios

Side = TypeVar("Side")


class Size(StrEnum):
    """How much of a benchmark is run: all of it, enough for a look, or enough to see that it works."""

    FULL = "full"
    QUICK = "quick"
    TINY = "tiny"


class Headline(StrEnum):
    """Which single number stands for a series?"""

    MEDIAN = "median"
    MINIMUM = "minimum"
    TOTAL = "total"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The values of one measure on one side, in the order in which they were taken; null where there was none."""

    measure: str
    side: str
    unit: str
    values: tuple[float | None, ...]
    headline: Headline = Headline.MEDIAN


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One figure computed from series, with the interval in which it lies."""

    what: str
    value: float
    low: float
    high: float
    unit: str
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What was to be reached and what was; ``is_met`` is null where it could not be measured."""

    what: str
    wanted: str
    value: float | None
    unit: str
    is_met: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All that one benchmark found.  The first series of a measure is ours: the others are compared with it."""

    series: tuple[Series, ...]
    goals: tuple[Goal, ...] = ()
    estimates: tuple[Estimate, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bench:
    """What a benchmark may use: how large it runs, an empty folder of its own, and somebody to talk to."""

    size: Size
    folder: Path
    say: Callable[[str], None]
    draw: random.Random = field(default_factory=lambda: random.Random(1))

    def interleaved(self, sides: Sequence[Side], rounds: int) -> Iterator[tuple[int, Side]]:
        """Every side once a round; each round begins with another side, so that drift hits all alike."""
        for number in range(rounds):
            self.say(f"round {number + 1} of {rounds}")
            start = number % len(sides)
            for side in (*sides[start:], *sides[:start]):
                yield number, side


class Collected:
    """Values by measure and side while they are taken."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], list[float | None]] = {}
        self._units: dict[str, tuple[str, Headline]] = {}

    def add(
        self, measure: str, side: str, value: float | None, unit: str, headline: Headline = Headline.MEDIAN
    ) -> None:
        """Adds the next value of a series."""
        self._values.setdefault((measure, side), []).append(value)
        self._units[measure] = unit, headline

    def of(self, measure: str, side: str) -> list[float | None]:
        """Which values were added?"""
        return self._values.get((measure, side), [])

    def series(self, sides: Sequence[str]) -> tuple[Series, ...]:
        """All of it: measures in the order in which they came, sides in this one."""
        return tuple(
            Series(measure=measure, side=side, unit=unit, values=tuple(values), headline=headline)
            for measure, (unit, headline) in self._units.items()
            for side in sides
            if (values := self.of(measure, side))
        )


def headline_of(series: Series) -> float | None:
    """Which number stands for these values?  Null where there are none."""
    summed_up: dict[Headline, Callable[[list[float]], float]] = {
        Headline.MEDIAN: median,
        Headline.MINIMUM: min,
        Headline.TOTAL: sum,
    }
    values = known(series.values)
    return summed_up[series.headline](values) if values else None


def at_most(what: str, value: float | None, bound: float, unit: str) -> Goal:
    """A value that is to be low."""
    is_met = None if value is None else value <= bound
    wanted = f"≤ {bound:,g} {unit}".rstrip() if bound else "0"
    return Goal(what=what, wanted=wanted, value=value, unit=unit, is_met=is_met)


def at_least(what: str, value: float | None, bound: float, unit: str) -> Goal:
    """A value that is to be high."""
    is_met = None if value is None else value >= bound
    return Goal(what=what, wanted=f"≥ {bound:g} {unit}".rstrip(), value=value, unit=unit, is_met=is_met)


def median_ratio(collected: Collected, measure: str, side: str, reference: str) -> float | None:
    """How many times the reference is this side, pair by pair?"""
    found = ratios(collected.of(measure, side), collected.of(measure, reference))
    return median(found) if found else None


def median_of(collected: Collected, measure: str, side: str) -> float | None:
    """What is the median of this series?"""
    values = known(collected.of(measure, side))
    return median(values) if values else None
