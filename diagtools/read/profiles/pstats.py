"""``python -m cProfile -o FILE``: the self time of every function, by the one function that called it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from diagtools.errors import DamagedError, NoDataError
from diagtools.profile import Profile, Source, Unit, View
from diagtools.read.fields import clean
from diagtools.read.profiles.assemble import Gathered
from diagtools.read.profiles.call_tree import Place
from diagtools.read.profiles.export_file import LARGEST, check_stack, check_sums, content_of
from diagtools.read.profiles.pstats_marshal import MarshalReader
from diagtools.read.profiles.whole_units import EXACT, RunningWhole
from diagtools.values import State, Validity

_NS = 10**9
_BUILTIN = "~"
_KNOWN_ONE_DEEP = Validity(
    what="stacks",
    state=State.TRUNCATED,
    note="callers are known one level deep: a stack is a function and the one that called it",
)
#: A float of seconds, added up in another order.
_SLACK, _SLACK_S = 1e-9, 2e-10


@dataclass(frozen=True, slots=True)
class _Times:
    """Calls without those from within itself, all calls, self time, time with what it called."""

    n_primitive: int
    n: int
    own: float
    total: float


@dataclass(frozen=True, slots=True)
class _Function:
    times: _Times
    callers: Mapping[Place, _Times]


def read_pstats(path: Path) -> Profile:
    """Where did the time of a profiled program go?

    The sizes are whole nanoseconds and sum to the rounded total of all self times.  Raises ``DamagedError`` for a dump
    that is cut or of another shape; where its times contradict each other the profile says so.
    """
    functions = _functions(content_of(path), path.name)
    gathered = Gathered()
    whole = RunningWhole(_NS)
    for place, function in functions.items():
        _add(gathered, place, function, whole)
    return check_sums(gathered).profile(
        name=path.name,
        source=Source.PSTATS,
        view=View.CPU,
        unit=Unit.NS,
        validity=(_KNOWN_ONE_DEEP, *_contradictions(functions)),
    )


def _functions(data: bytes, name: str) -> dict[Place, _Function]:
    reader = MarshalReader(data)
    raw = reader.value()
    if not isinstance(raw, dict) or reader.n_left:
        raise DamagedError(f"'{name}' is not one table of statistics.", hint="python -m cProfile -o FILE …")
    if not raw:
        raise NoDataError(f"'{name}' holds no function.", hint="profile something that calls one.")
    return {_place(key): _function(value) for key, value in raw.items()}


def _function(value: Any) -> _Function:
    if not isinstance(value, tuple) or len(value) != 5 or not isinstance(value[4], dict):
        raise DamagedError("What the statistics say of a function is not as cProfile writes it.")
    n_primitive, n, own, total, callers = value
    found = {
        _place(caller): _edge(times) for caller, times in callers.items() if isinstance(times, tuple)
    }  # the profiler in pure Python only counts the calls
    return _Function(_times(n_primitive, n, own, total), found)


def _edge(value: tuple[Any, ...]) -> _Times:
    """Of a caller all calls come first, against the order for a function."""
    if len(value) != 4:
        raise DamagedError("What the statistics say of a call is not as cProfile writes it.")
    return _times(value[1], value[0], value[2], value[3])


def _times(n_primitive: Any, n: Any, own: Any, total: Any) -> _Times:
    if type(n_primitive) is not int or type(n) is not int or not 0 <= n_primitive <= n <= LARGEST:
        raise DamagedError(f"The statistics count {n} calls, {n_primitive} of them not from within itself.")
    for seconds in (own, total):
        if type(seconds) not in (int, float) or not (math.isfinite(seconds) and 0 <= seconds < LARGEST / _NS):
            raise DamagedError(f"The statistics hold a time of {seconds} s.")
    return _Times(n_primitive, n, float(own), float(total))


def _place(key: tuple[str, int, str]) -> Place:
    file, line, function = key
    return clean(function), "" if file == _BUILTIN else clean(file), line if 0 < line < 1 << 31 else 0


def _add(gathered: Gathered, place: Place, function: _Function, whole: RunningWhole) -> None:
    """Splits a function's self time among its callers by what they say of it; the rest has none that is known."""
    exact = Decimal(function.times.own)
    passed = Decimal(0)
    n_passed = 0
    for caller, times in function.callers.items():
        own = min(Decimal(times.own), EXACT.subtract(exact, passed))
        stack = check_stack(gathered.tree.add((caller, place)))
        gathered.add_to(stack, whole.add(own), n=times.n)
        passed = EXACT.add(passed, own)
        n_passed += times.n
    n_rest = function.times.n - n_passed
    is_rest = n_rest > 0 or not function.callers
    rest = whole.add(max(Decimal(0), EXACT.subtract(exact, passed)))
    if is_rest or rest:
        gathered.add_to(check_stack(gathered.tree.add((place,))), rest, n=max(0, n_rest))


def _contradictions(functions: Mapping[Place, _Function]) -> tuple[Validity, ...]:
    """What a function took is what it took itself and what those took that it called, by their own account."""
    called: dict[Place, float] = dict.fromkeys(functions, 0.0)
    n_odd = 0
    for function in functions.values():
        n_odd += _is_odd(function)
        for caller, times in function.callers.items():
            n_odd += caller not in called
            called[caller] = called.get(caller, 0.0) + times.total
    for place, function in functions.items():
        times = function.times
        is_plain = times.n == times.n_primitive and function.callers.keys() != {place}
        n_odd += is_plain and not _close(times.total, times.own + called[place])
    if not n_odd:
        return ()
    note = f"{n_odd} of the times and counts contradict the others: the file may have been changed"
    return (Validity(what="times", state=State.TRUNCATED, note=note),)


def _is_odd(function: _Function) -> bool:
    n_passed = sum(times.n for times in function.callers.values())
    passed = sum(times.own for times in function.callers.values())
    is_all = bool(function.callers) and n_passed == function.times.n
    too_much = passed > function.times.own and not _close(passed, function.times.own)
    return n_passed > function.times.n or too_much or (is_all and not _close(passed, function.times.own))


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_SLACK, abs_tol=_SLACK_S)
