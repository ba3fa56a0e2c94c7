"""A forecast in one sentence.  Plain Python, standard library only: the recorder says it too."""

from __future__ import annotations

from dataclasses import dataclass

from diagtools.analyse.forecast_models import Term
from diagtools.redact import redact_text
from diagtools.units import format_bytes, format_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is expected: where the limit is reached (items, or seconds), and what the job needs; null: not known.

    ``in_s`` is how long until then, ``n_items`` how many the job has, ``of_items`` says that items are counted, and
    not seconds.  ``passed`` where the limit was passed already;
    ``knows_features`` where features of the items to come are known.
    """

    limit_bytes: int | None
    at: float | None
    earliest: float | None
    latest: float | None
    item: str | None
    in_s: float | None
    needed_bytes: int | None
    low_bytes: int | None
    high_bytes: int | None
    n_items: int | None
    of_items: bool
    is_sure: bool
    passed: bool
    knows_features: bool
    terms: tuple[Term, ...]
    far: tuple[Term, ...]


def forecast_sentence(expected: Expected) -> str:
    """Where does it lead?"""
    parts = [_limit(expected), _needed(expected), _why(expected), _doubt(expected)]
    return " ".join(part for part in parts if part)


def _limit(expected: Expected) -> str:
    if expected.limit_bytes is None:
        return ""
    limit = f"the limit of {format_bytes(expected.limit_bytes)}"
    if expected.passed:
        return f"Memory has passed {limit} already."
    memory = "Memory" if expected.knows_features else "If what is to come is like what was seen, memory"
    if expected.at is None:
        if expected.earliest is not None:
            return f"{memory} may reach {limit}, from {_place(expected.earliest, expected)} on, but probably does not."
        within = (
            "by the end of the job"
            if expected.needed_bytes is not None
            else "within eight times as much as was seen"
        )
        return f"{memory} does not reach {limit} {within}."
    named = "" if expected.item is None else f" ({redact_text(expected.item)!r})"
    soon = "" if expected.in_s is None else f", in about {format_seconds(max(expected.in_s, 0.0))}"
    sure = "reaches" if expected.is_sure else "probably reaches"
    return f"{memory} {sure} {limit} at {_place(expected.at, expected)}{named}{_range(expected)}{soon}."


def _range(expected: Expected) -> str:
    """Between which items?  Nothing where all say the same."""
    low, high = expected.earliest, expected.latest
    if low == expected.at and high == expected.at:
        return ""
    start = "now" if low is None else _number(low, expected)
    return f" ({start} or later)" if high is None else f" ({start} to {_number(high, expected)})"


def _place(at: float, expected: Expected) -> str:
    if not expected.of_items:
        return f"{_number(at, expected)} of the run"
    of = f" of {expected.n_items:,}" if expected.n_items else ""
    return f"item {_number(at, expected)}{of}"


def _number(at: float, expected: Expected) -> str:
    return f"{at:,.0f}" if expected.of_items else format_seconds(at)


def _needed(expected: Expected) -> str:
    if expected.needed_bytes is None or expected.low_bytes is None or expected.high_bytes is None:
        return ""
    needed, low, high = (
        format_bytes(each) for each in (expected.needed_bytes, expected.low_bytes, expected.high_bytes)
    )
    if expected.far:
        return f"The whole job needs between {low} and {high}."
    return f"The whole job needs {needed}" + (f" ({low} to {high})." if low != high else ".")


def _why(expected: Expected) -> str:
    number = "the number of items" if expected.of_items else "time"
    words = {
        "number": number,
        "slowing": f"{number}, ever more slowly",
        "total": "the sum of {}",
        "largest": "the largest {} so far",
        "own": "each item's own {}",
        "jump": "a level that was reached at once",
        "filling": "a level that was reached little by little",
    }
    named = [words[term.kind].format(term.feature) for term in expected.terms]
    return f"Peaks follow {' and '.join(named)}." if named else ""


def _doubt(expected: Expected) -> str:
    if not expected.far:
        return ""
    names = sorted({term.feature for term in expected.far if term.feature})
    more = f" of {' and '.join(names)}" if names else ""
    return f"It extrapolates far: much more{more} is to come than was seen, so only the range is meant."
