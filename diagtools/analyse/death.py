"""Why did a run end before its time, and how sure is that?

The rules are asked in the order of ``_RULES``, what is proven before what is likely, and the first one that
has an answer gives it.  *137 is not OOM*: a SIGKILL alone says nothing of who sent it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from diagtools.analyse.last_moments import SIGKILL, SIGNALS, LastMoments, last_moments
from diagtools.analyse.logs import exception_name, final_exceptions, last_lines
from diagtools.units import format_bytes, format_seconds
from diagtools.values import Cause, Death, Enforcer, Grade, Limit

_NEAR_SHARE = 0.95
#: The kernel kills when free and reclaimable memory is down to its watermarks: tens of MiB on most machines.
_NEAR_ZERO_BYTES = 128 * 2**20
_TERMINATE = 15
_ABORT = 6
_NATIVE = ("std::bad_alloc", "memory allocation of ", "heap out of memory", "Cannot allocate memory")
_NOT_KNOWN = {
    6: "the program or a library gave up by abort(); why is not known from here",
    7: "a memory access failed, for instance of a mapped file that was cut; where is not known from here",
    9: "137 is not OOM: an operator, a timeout, systemd-oomd or the kernel could have sent it",
    11: "a memory access failed in native code; where is not known from here",
    15: "who sent it is not known: an operator, a scheduler or a timeout",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ruling:
    cause: Cause
    grade: Grade
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    moments: LastMoments
    exceptions: tuple[str, ...]
    last_lines: tuple[str, ...]


def death(
    *,
    exit_status: int | None,
    events: pl.DataFrame,
    limit: Limit | None,
    tree: pl.DataFrame,
    system: pl.DataFrame,
    logs: pl.DataFrame,
    kernel_log: Sequence[str],
    end_s: float,
) -> Death | None:
    """What ended the run before its time?  Null for a normal end.

    ``exit_status`` is 128 + signal for a killed target and null where the recorder could not tell; ``events``
    is EVENTS, ``tree`` TREE, ``system`` SYSTEM, ``logs`` LOGS; ``kernel_log`` holds the kernel's lines that
    name a process of the tree.  Normal are status 0 (unless the watchdog struck), a recording that was
    stopped, and any other plain exit without a sign of a death for memory.  The evidence is in sentences with
    their values, the decisive one first.
    """
    moments = last_moments(
        exit_status=exit_status,
        events=events,
        limit=limit,
        tree=tree,
        system=system,
        kernel_log=kernel_log,
        end_s=end_s,
    )
    if _ended_normally(moments):
        return None
    facts = _Facts(
        moments=moments, exceptions=tuple(final_exceptions(logs)), last_lines=tuple(last_lines(logs, n=10))
    )
    ruling = next((found for rule in _RULES if (found := rule(facts)) is not None), None)
    if ruling is None:
        return None
    return Death(
        cause=ruling.cause,
        grade=ruling.grade,
        evidence=(*ruling.evidence, moments.ending(), moments.usage(), *_forwarded_lines(moments)),
        t_s=moments.t_s,
        last_sample_age_s=moments.last_sample_age_s,
    )


def _ended_normally(moments: LastMoments) -> bool:
    return moments.is_stopped or (moments.exit_status == 0 and moments.watchdog_bytes is None)


# --- proven: somebody wrote down what he did ---------------------------------------------------------


def _by_watchdog(facts: _Facts) -> _Ruling | None:
    used, limit = facts.moments.watchdog_bytes, facts.moments.limit
    if used is None:
        return None
    above = ""
    if limit is not None and used > limit.memory_bytes:
        over = format_bytes(used - limit.memory_bytes)
        above = f", {over} above the limit of {format_bytes(limit.memory_bytes)}"
    line = f"the watchdog of diagtools ended it at {format_bytes(used)}{above}: not the kernel"
    return _Ruling(cause=Cause.WATCHDOG, grade=Grade.PROVEN, evidence=(line,))


def _by_cgroup_counter(facts: _Facts) -> _Ruling | None:
    n = facts.moments.oom_kills
    if n <= 0:
        return None
    line = (
        f"the kernel counted {n} OOM kill{'s' if n > 1 else ''} in its memory cgroup (oom_kill rose by {n})"
    )
    return _Ruling(cause=Cause.CGROUP_OOM, grade=Grade.PROVEN, evidence=(line,))


def _by_kernel_log(facts: _Facts) -> _Ruling | None:
    lines = facts.moments.kernel_lines
    if not lines:
        return None
    text = " ".join(lines).lower()
    in_cgroup = "memory cgroup" in text or "constraint_memcg" in text
    cause = Cause.CGROUP_OOM if in_cgroup else Cause.KERNEL_OOM
    return _Ruling(
        cause=cause, grade=Grade.PROVEN, evidence=tuple(f"kernel log: {line}" for line in lines[:3])
    )


def _by_lost_recorder(facts: _Facts) -> _Ruling | None:
    moments = facts.moments
    if not moments.recorder_died or moments.exit_status is None:
        return None
    line = "the recorder itself was gone, so the sampler ended the target: SIGTERM, then SIGKILL"
    grade = Grade.PROVEN if moments.signal in {SIGKILL, _TERMINATE} else Grade.LIKELY
    return _Ruling(cause=Cause.SIGNAL, grade=grade, evidence=(line,))


def _by_forwarded_signal(facts: _Facts) -> _Ruling | None:
    moments = facts.moments
    if moments.signal is None or moments.signal not in {sent.signal for sent in moments.forwarded}:
        return None
    line = f"{SIGNALS[moments.signal]} was forwarded by the recorder: somebody asked for the end"
    return _Ruling(cause=Cause.SIGNAL, grade=Grade.PROVEN, evidence=(line,))


# --- likely: the figures fit -------------------------------------------------------------------------


def _near_limit(facts: _Facts) -> _Ruling | None:
    moments, limit = facts.moments, facts.moments.limit
    if moments.signal != SIGKILL or limit is None or not _is_near(moments):
        return None
    if limit.enforcer is Enforcer.CGROUP:
        line = "SIGKILL near the limit of its memory cgroup; the kernel's counter was not seen to rise"
        return _Ruling(cause=Cause.CGROUP_OOM, grade=Grade.LIKELY, evidence=(line,))
    if limit.enforcer is Enforcer.WATCHDOG and not moments.is_closed:
        line = "SIGKILL near the limit that the watchdog guards; the recording was cut before it could note a kill"
        return _Ruling(cause=Cause.WATCHDOG, grade=Grade.LIKELY, evidence=(line,))
    return None


def _is_near(moments: LastMoments) -> bool:
    used, limit = moments.nearest_bytes, moments.limit
    return used is not None and limit is not None and used >= _NEAR_SHARE * limit.memory_bytes


def _machine_was_out_of_memory(facts: _Facts) -> _Ruling | None:
    moments = facts.moments
    available, rss = moments.available_bytes, moments.rss_bytes
    if moments.signal != SIGKILL or available is None or rss is None:
        return None
    if available > _NEAR_ZERO_BYTES or rss < 4 * available:
        return None
    line = (
        f"SIGKILL while the machine had {format_bytes(available)} available and this tree held "
        f"{format_bytes(rss)}; the kernel's log was not seen"
    )
    return _Ruling(cause=Cause.KERNEL_OOM, grade=Grade.LIKELY, evidence=(line,))


def _memory_error(facts: _Facts) -> _Ruling | None:
    moments = facts.moments
    if moments.exit_status is None or moments.signal is not None:
        return None
    named = [line for line in facts.exceptions if _is_memory_error(line)]
    if not named:
        return None
    limit = moments.limit
    evidence = [f"the last exception: {facts.exceptions[-1]}"]
    is_last = named[-1] == facts.exceptions[-1]
    if not is_last:
        evidence.append(f"raised from: {named[-1]}")
    is_limited = limit is not None and limit.enforcer is Enforcer.RLIMIT_AS
    if is_limited and limit is not None:
        evidence.append(f"RLIMIT_AS held its address space to {format_bytes(limit.memory_bytes)}")
    grade = Grade.PROVEN if is_limited and is_last else Grade.LIKELY
    return _Ruling(cause=Cause.MEMORY_ERROR, grade=grade, evidence=tuple(evidence))


def _native_memory_error(facts: _Facts) -> _Ruling | None:
    lines = [line for line in facts.last_lines if any(sign in line for sign in _NATIVE)]
    if facts.moments.signal != _ABORT or not lines:
        return None
    line = f"native code gave up for want of memory: {lines[-1]}"
    return _Ruling(cause=Cause.MEMORY_ERROR, grade=Grade.LIKELY, evidence=(line,))


def _is_memory_error(line: str) -> bool:
    name = exception_name(line) or ""
    return name.endswith("MemoryError") and "CUDA" not in line


# --- what is left ------------------------------------------------------------------------------------


def _nobody_saw(facts: _Facts) -> _Ruling | None:
    moments = facts.moments
    if moments.exit_status is not None or (moments.is_attached and moments.is_closed):
        return None
    line = "the recording has no end: its sampler was ended before it saw one, or is still running"
    last = tuple(f"the last exception: {text}" for text in facts.exceptions[-1:])
    return _Ruling(cause=Cause.UNKNOWN, grade=Grade.UNKNOWN, evidence=(line, *last))


def _sigkill_alone(facts: _Facts) -> _Ruling | None:
    if facts.moments.signal != SIGKILL:
        return None
    lines = [_NOT_KNOWN[SIGKILL]]
    if _is_near(facts.moments):
        lines.append("usage was near the limit, but nothing that enforces this limit says that it struck")
    if facts.moments.available_bytes is not None:
        lines.append(f"the machine had {format_bytes(facts.moments.available_bytes)} available")
    return _Ruling(cause=Cause.UNKNOWN, grade=Grade.UNKNOWN, evidence=tuple(lines))


def _other_signal(facts: _Facts) -> _Ruling | None:
    moments = facts.moments
    if moments.signal is None:
        return None
    lines = [_NOT_KNOWN.get(moments.signal, "who sent it is not known")]
    if moments.limit is not None and moments.limit.enforcer is Enforcer.RLIMIT_AS:
        lines.append("its address space was limited: native code can end so when an allocation fails")
    return _Ruling(
        cause=Cause.SIGNAL, grade=Grade.PROVEN, evidence=(f"{SIGNALS[moments.signal]} ended it", *lines)
    )


def _exit_after_signal(facts: _Facts) -> _Ruling | None:
    moments = facts.moments
    if moments.exit_status is None or not moments.forwarded:
        return None
    name = SIGNALS.get(moments.forwarded[-1].signal, f"signal {moments.forwarded[-1].signal}")
    line = f"{name} was forwarded by the recorder, and the target then ended by itself"
    return _Ruling(cause=Cause.SIGNAL, grade=Grade.LIKELY, evidence=(line,))


def _forwarded_lines(moments: LastMoments) -> tuple[str, ...]:
    return tuple(
        f"{SIGNALS.get(sent.signal, f'signal {sent.signal}')} forwarded by the recorder "
        f"{format_seconds(max(0.0, moments.t_s - sent.t_s))} before the end"
        for sent in moments.forwarded
    )


_RULES: tuple[Callable[[_Facts], _Ruling | None], ...] = (
    _by_watchdog,
    _by_cgroup_counter,
    _by_kernel_log,
    _by_lost_recorder,
    _by_forwarded_signal,
    _near_limit,
    _machine_was_out_of_memory,
    _memory_error,
    _native_memory_error,
    _nobody_saw,
    _sigkill_alone,
    _other_signal,
    _exit_after_signal,
)
