"""How many leaks are found, how often is there a false alarm, and what does the check cost?

Functions of `tests/support/leaky`, each checked in a process of its own: all of those that leak leave 64 B or more a
call, the bounded ones come to an end with what they keep.  The *held-out* ones were written after the rules were fixed
and never used to mend them.  The peer is what is often done by hand: RSS after as many calls, less RSS before; a slope
of 16 B a call or more (the same that our counters need) is called a leak.  It judges the same readings as ours, so that
the two differ in nothing but the rule.  *Top line*: is the first line that the explanation names the one that the
program marks?  The time of a check is that of all it starts, with the explanation and without.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import ROOT
from benchmarks.results import Bench, Collected, Goal, Headline, Outcome, Size, at_least, at_most
from diagtools.analyse.leak_courses import Series, slope
from diagtools.analyse.leaks import Leaking
from diagtools.investigations.leaks import LeakCheck, leaks
from tests.support import leak_programs

OURS, BY_HAND = "diagtools leaks", "RSS by hand"
LEAKS, BOUNDED = "leaks found", "false alarms on bounded functions"
HELD_OUT_LEAKS, HELD_OUT_BOUNDED = f"held out: {LEAKS}", f"held out: {BOUNDED}"
UNSURE, TOP, CALLS = "inconclusive", "top line right", "calls of a check"
_MOST_CALLS = 6000
_LEAST_PER_CALL = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    every: int
    explained_every: int


_PLANS = {
    Size.FULL: _Plan(every=1, explained_every=1),
    Size.QUICK: _Plan(every=4, explained_every=8),
    Size.TINY: _Plan(every=40, explained_every=40),
}


def run(bench: Bench) -> Outcome:
    """Checks every function, and explains those that leak."""
    plan, found = _PLANS[bench.size], Collected()
    marked = leak_programs.leaking()
    held_out, held_out_bounded = leak_programs.held_out()
    sets = {
        LEAKS: list(marked),
        HELD_OUT_LEAKS: held_out,
        BOUNDED: leak_programs.bounded(),
        HELD_OUT_BOUNDED: held_out_bounded,
    }
    wrong: list[str] = []
    for measure, targets in sets.items():
        bench.say(f"{measure}: {len(targets)} functions")
        for target in targets[:: plan.every]:
            wrong += _check(target, measure, bench.folder, found)
    bench.say("explaining")
    for target in list(marked)[:: plan.explained_every]:
        wrong += _explain(target, marked[target], bench.folder, found)
    return Outcome(series=found.series([OURS, BY_HAND]), goals=tuple(_goals(found)), notes=tuple(wrong))


def _check(target: str, measure: str, folder: Path, found: Collected) -> list[str]:
    """Adds what both sides say of one function; which of ours is wrong or unsure."""
    check = _timed(target, folder, found, explain=False)
    is_leak = check.verdict is Leaking.LEAK
    found.add(measure, OURS, float(is_leak), "", Headline.TOTAL)
    found.add(measure, BY_HAND, float(_by_hand(check)), "", Headline.TOTAL)
    found.add(UNSURE, OURS, float(check.verdict is Leaking.INCONCLUSIVE), "", Headline.TOTAL)
    found.add(CALLS, OURS, check.found.n_calls, "")
    is_right = is_leak == (measure in (LEAKS, HELD_OUT_LEAKS))
    return [] if is_right else [f"{_name(target)} is said to be {check.verdict}."]


def _explain(target: str, lines: Sequence[str], folder: Path, found: Collected) -> list[str]:
    check = _timed(target, folder, found, explain=True)
    is_right = check.top_line is not None and check.top_line.endswith(tuple(lines))
    found.add(TOP, OURS, float(is_right), "", Headline.TOTAL)
    return [] if is_right else [f"{_name(target)}: the top line is {check.top_line}."]


def _timed(target: str, folder: Path, found: Collected, *, explain: bool) -> LeakCheck:
    began_s = time.monotonic()
    place = folder / f"{_name(target)}{'-explained' if explain else ''}"
    check = leaks(target, cwd=ROOT, explain=explain, folder=place)
    _ = check.found  # the judging is a part of it
    measure = "a leak, explained" if explain else "a check, without an explanation"
    found.add(f"time of {measure}", OURS, time.monotonic() - began_s, "s")
    return check


def _by_hand(check: LeakCheck) -> bool:
    """Would the slope of the RSS have been called a leak?"""
    rows = check.log.readings.select("n_calls", "rss_bytes").drop_nulls()
    rss = Series(calls=rows["n_calls"].to_list(), values=rows["rss_bytes"].to_list())
    return slope(rss) >= _LEAST_PER_CALL


def _name(target: str) -> str:
    return target.rpartition(".")[2].replace(":", ".")


def _goals(found: Collected) -> list[Goal]:
    return [
        at_least(LEAKS, _share(found, LEAKS), 0.98, "of all"),
        at_most(BOUNDED, _share(found, BOUNDED), 0.01, "of all"),
        at_least(HELD_OUT_LEAKS, _share(found, HELD_OUT_LEAKS), 0.98, "of all"),
        at_most(HELD_OUT_BOUNDED, _share(found, HELD_OUT_BOUNDED), 0.01, "of all"),
        at_least(TOP, _share(found, TOP), 0.95, "of all"),
        at_most("most calls of a check", _most(found, CALLS), _MOST_CALLS, ""),
    ]


def _share(found: Collected, measure: str) -> float | None:
    values = [value for value in found.of(measure, OURS) if value is not None]
    return sum(values) / len(values) if values else None


def _most(found: Collected, measure: str) -> float | None:
    return max((value for value in found.of(measure, OURS) if value is not None), default=None)
