"""Does a function leak?  A verdict from what was counted between its calls.

A leak rises for good, by as much late as early.  What was in use is judged, never the RSS: by its slope alone a quarter
of the bounded functions of our benchmark looked like leaks.  A cache without a limit that is filled with ever new keys
is a leak; one with a limit is not, however large that is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from diagtools import frames
from diagtools.analyse.leak_caches import limited_words, unlimited_words
from diagtools.analyse.leak_courses import Course, Series, course, slope
from diagtools.analyse.leak_story import told
from diagtools.frames import LeakLog
from diagtools.values import State, Validity

SURE_CALLS = 1000  #: with fewer, what did not rise may still leak too little to be seen

_SETTLED_SHARE = 1 / 7  #: of the calls of the first stages: the first of them
_NATIVE_BLOCKS = 0.05
#: Private memory that rises by so much more than what was counted is in the hands of another allocator.
_MORE_THAN_COUNTED, _LEAST_MORE = 2.0, 100


class Leaking(StrEnum):
    """What came of a leak check."""

    LEAK = "leak"
    CLEAN = "clean"
    BOUNDED = "bounded-filling"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """From which slope, and from which rise altogether, is a counter said to rise?"""

    least_per_call: float
    least: float
    is_witness: bool = False


#: In this order they are told.  What needs a rise of its own is above what an interpreter does now and then.
RULES = {
    "c_bytes": Rule(least_per_call=16, least=16 << 10),
    "python_bytes": Rule(least_per_call=16, least=16 << 10),
    "n_blocks": Rule(least_per_call=0.05, least=500),
    "mapped_bytes": Rule(least_per_call=64, least=1 << 20),
    "n_objects": Rule(least_per_call=0.05, least=500, is_witness=True),
    "n_threads": Rule(least_per_call=0.01, least=10, is_witness=True),
    "n_fds": Rule(least_per_call=0.01, least=10, is_witness=True),
    "anon_bytes": Rule(least_per_call=16, least=16 << 10, is_witness=True),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LeakVerdict:
    """What is known of a function: the verdict, why, and what each counter did (LEAK_COUNTERS).

    ``bytes_per_call`` is null where it is no leak or nobody could count bytes.  ``is_native``: what is left is no new
    Python object, so that C code took it, or something grows in place.  ``n_calls`` includes the warm-up.
    """

    verdict: Leaking
    reason: str
    bytes_per_call: float | None
    is_native: bool
    n_calls: int
    counters: pl.DataFrame
    caches: pl.DataFrame
    validity: tuple[Validity, ...] = ()


def leak_verdict(log: LeakLog) -> LeakVerdict:
    """Does this function leak?

    Where caches that were filling have been cleared, what still rises there is a leak, and else they are the reason.
    A check that did not come to its end, or had too few calls, says no more than it knows.
    """
    judged = [_judged(log, name, rule) for name, rule in RULES.items()]
    counters = frames.LEAK_COUNTERS.from_columns(
        {column: [row[column] for row in judged] for column in frames.LEAK_COUNTERS.columns}
    )
    verdict, reason = _verdict(log, counters)
    is_leak = verdict is Leaking.LEAK
    blocks = counters.filter(pl.col("counter") == "n_blocks")["per_call"].item()
    return LeakVerdict(
        verdict=verdict,
        reason=reason,
        bytes_per_call=_bytes_per_call(counters, log) if is_leak else None,
        is_native=is_leak and blocks is not None and blocks < _NATIVE_BLOCKS,
        n_calls=(log.n_warm or 0) + log.n_calls,
        counters=counters,
        caches=log.caches,
        validity=(*log.validity, *_doubts(log, counters), *(_uncounted(counters, log) if is_leak else ())),
    )


def _judged(log: LeakLog, name: str, rule: Rule) -> dict[str, object]:
    """One row of LEAK_COUNTERS."""
    row: dict[str, object] = {
        "counter": name,
        "least_per_call": rule.least_per_call,
        "is_witness": rule.is_witness,
    }
    known = judged_readings(log).select("n_calls", name).drop_nulls()
    series = Series(calls=known["n_calls"].to_list(), values=known[name].to_list())
    if known.height < 2 or series.n_calls <= 0:
        return (
            row
            | dict.fromkeys(("per_call", "first", "last"))
            | {
                "course": Course.UNKNOWN,
                "evidence": "it could not be counted",
            }
        )
    settled = 0 if _is_cleared(log) else _settled_calls(log)
    found = course(series, rule.least_per_call, rule.least, settled_calls=settled)
    per_call = slope(series.since(settled))
    first, last = series.values[0], series.values[-1]
    evidence = told(name, found, per_call, first, last, series.n_calls)
    return row | {"course": found, "per_call": per_call, "first": first, "last": last, "evidence": evidence}


def judged_readings(log: LeakLog) -> pl.DataFrame:
    """The readings that the verdict goes by: all, or where caches were being cleared only those."""
    return log.readings.filter("is_clearing") if _is_cleared(log) else log.readings


def _is_cleared(log: LeakLog) -> bool:
    cleared = log.readings.filter("is_clearing")
    return cleared.height > 2


def _settled_calls(log: LeakLog) -> int:
    first = log.readings.filter(pl.col("stage") == 0)["n_calls"]
    return 0 if first.is_empty() else int(max(first))


def _verdict(log: LeakLog, counters: pl.DataFrame) -> tuple[Leaking, str]:
    judged = counters.filter(~pl.col("is_witness"))
    courses = dict(judged.select("counter", "course").iter_rows())
    rising = judged.filter(pl.col("course") == Course.RISING)
    if not rising.is_empty():
        said = "; ".join(rising["evidence"].head(2))
        return Leaking.LEAK, f"What it leaves behind rises with every call: {said}.{unlimited_words(log)}"
    if set(courses.values()) == {Course.UNKNOWN}:
        return Leaking.INCONCLUSIVE, "Nothing could be counted."
    if not log.is_ended:
        return Leaking.INCONCLUSIVE, f"The process ended after {log.n_calls:,} calls, before the check did."
    if log.n_calls < SURE_CALLS:
        return Leaking.INCONCLUSIVE, _too_few(log)
    if Course.UNCLEAR in courses.values():
        unclear = judged.filter(pl.col("course") == Course.UNCLEAR)["evidence"][0]
        return Leaking.INCONCLUSIVE, f"It is not clear whether this ends: {unclear}."
    return _harmless(log, judged)


def _harmless(log: LeakLog, judged: pl.DataFrame) -> tuple[Leaking, str]:
    """Nothing rises for good: did something fill up?"""
    if _is_cleared(log) and log.caches["is_cleared"].any():
        return Leaking.BOUNDED, limited_words(log)
    filled = judged.filter(pl.col("course").is_in([Course.FILLING, Course.SWINGING]))
    if not filled.is_empty():
        return Leaking.BOUNDED, f"It has an end: {filled['evidence'][0]}."
    return Leaking.CLEAN, f"After {log.n_calls:,} calls as much is in use as before."


def _too_few(log: LeakLog) -> str:
    hidden = RULES["c_bytes"].least / max(log.n_calls, 1)
    return (
        f"{log.n_calls:,} calls are too few to be sure: "
        f"less than {hidden:,.0f} B a call would not have been seen."
    )


def _bytes_per_call(counters: pl.DataFrame, log: LeakLog) -> float | None:
    """What a call leaves: in malloc and in Python's allocator, and what of new address space became resident."""
    slopes = dict(counters.select("counter", "per_call").iter_rows())
    if slopes["c_bytes"] is None or slopes["python_bytes"] is None:
        return None
    in_use = max(slopes["c_bytes"], 0.0) + max(slopes["python_bytes"], 0.0)
    mapped = counters.filter((pl.col("counter") == "mapped_bytes") & (pl.col("course") == Course.RISING))
    if mapped.is_empty():
        return float(in_use)
    rss = judged_readings(log).select("n_calls", "rss_bytes").drop_nulls()
    resident = slope(Series(calls=rss["n_calls"].to_list(), values=rss["rss_bytes"].to_list()))
    return float(in_use + min(slopes["mapped_bytes"], max(resident - in_use, 0.0)))


def _uncounted(counters: pl.DataFrame, log: LeakLog) -> Iterator[Validity]:
    """Polars and others bring an allocator of their own, whose blocks nobody can count from outside."""
    counted = _bytes_per_call(counters, log) or 0.0
    private = counters.filter((pl.col("counter") == "anon_bytes") & (pl.col("course") == Course.RISING))
    seen = 0.0 if private.is_empty() else private["per_call"].item()
    if seen > max(_MORE_THAN_COUNTED * counted, counted + _LEAST_MORE):
        note = (
            f"private memory rises by {seen:,.0f} B a call, what was counted by {counted:,.0f} B: "
            "a library with an allocator of its own may keep the rest"
        )
        yield Validity(what="bytes per call", state=State.CLAMPED, note=note)


def _doubts(log: LeakLog, counters: pl.DataFrame) -> Iterator[Validity]:
    unknown = counters.filter((pl.col("course") == Course.UNKNOWN) & ~pl.col("is_witness"))["counter"]
    if len(unknown) and log.readings.height:
        note = f"{', '.join(unknown)}: this interpreter or its C library does not say"
        yield Validity(what="counters", state=State.SKIPPED, note=note)
    if log.warm_is_cut:
        note = f"a call takes so long that {log.n_warm} were made to warm up"
        yield Validity(what="warm-up", state=State.CLAMPED, note=note)
    if log.n_forks:
        note = f"{log.n_forks} children were forked: what they keep is not counted"
        yield Validity(what="children", state=State.SKIPPED, note=note)
