"""What was known of a run in the moments before it ended?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from diagtools.redact import redact_text
from diagtools.units import format_bytes, format_seconds, format_share
from diagtools.values import Enforcer, Limit

SIGKILL = 9
#: Linux numbers: a run is read where it was not recorded, and the names of this machine may differ.
SIGNALS = {
    1: "SIGHUP",
    2: "SIGINT",
    3: "SIGQUIT",
    4: "SIGILL",
    5: "SIGTRAP",
    6: "SIGABRT",
    7: "SIGBUS",
    8: "SIGFPE",
    9: "SIGKILL",
    10: "SIGUSR1",
    11: "SIGSEGV",
    12: "SIGUSR2",
    13: "SIGPIPE",
    14: "SIGALRM",
    15: "SIGTERM",
    24: "SIGXCPU",
    25: "SIGXFSZ",
    31: "SIGSYS",
}

#: A dying process gives its memory back piece by piece, so "last" means the highest of this stretch.
_LAST_S = 0.5
#: A sample older than this says nothing of the end.
_STALE_S = 2.0
_KILLED = re.compile(r"(?i)killed process \d+|\boom[-_]kill|out of memory")


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarded:
    """A signal that the recorder passed on to the target."""

    t_s: float
    signal: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LastMoments:
    """The facts about an end, each null where unknown; usage is null too where the last sample is stale.

    ``used_bytes``, ``rss_bytes`` (tree) and ``cgroup_bytes`` are the highest of the last half second before
    the last sample, ``available_bytes`` (machine) the lowest.  ``signal`` is null for a plain exit.
    """

    exit_status: int | None
    signal: int | None
    t_s: float
    last_sample_age_s: float | None
    limit: Limit | None
    used_bytes: int | None
    rss_bytes: int | None
    cgroup_bytes: int | None
    available_bytes: int | None
    watchdog_bytes: int | None
    oom_kills: int
    forwarded: tuple[Forwarded, ...]
    recorder_died: bool
    is_closed: bool
    is_attached: bool
    is_stopped: bool
    kernel_lines: tuple[str, ...]

    @property
    def nearest_bytes(self) -> int | None:
        """Which usage does the limit compare?

        Under a cgroup limit the cgroup's, or the tree's where that is higher (it is sampled ten times as often);
        else the tree's.
        """
        in_cgroup = self.limit is not None and self.limit.enforcer is Enforcer.CGROUP
        tree = self.used_bytes if self.used_bytes is not None else self.rss_bytes
        known = [used for used in (tree, self.cgroup_bytes if in_cgroup else None) if used is not None]
        return max(known, default=None)

    def ending(self) -> str:
        """How did it end, in words?  ``exit status 137: ended by SIGKILL``."""
        if self.exit_status is None:
            return "nobody saw the exit status"
        if self.signal is None:
            return f"exit status {self.exit_status}"
        return f"exit status {self.exit_status}: ended by {SIGNALS[self.signal]}"

    def usage(self) -> str:
        """How much memory was in use at the end, in words?"""
        if self.last_sample_age_s is None:
            return "there is no sample of its memory"
        age = f"the last sample is {format_seconds(self.last_sample_age_s)} old"
        if self.nearest_bytes is None:
            return f"{age}: how much memory was in use at the end is not known"
        used = f"{format_bytes(self.nearest_bytes)} in use at the end"
        if self.limit is None:
            return f"{used}, no limit was set; {age}"
        share = format_share(self.nearest_bytes / self.limit.memory_bytes)
        return f"{used}, {share} of the limit of {format_bytes(self.limit.memory_bytes)}; {age}"


def last_moments(
    *,
    exit_status: int | None,
    events: pl.DataFrame,
    limit: Limit | None,
    tree: pl.DataFrame,
    system: pl.DataFrame,
    kernel_log: Sequence[str],
    end_s: float,
) -> LastMoments:
    """Which facts about its end do the frames of a run hold?

    ``events`` is EVENTS, ``tree`` TREE, ``system`` SYSTEM.  Where nobody told the exit status, the one that
    the sampler noted counts.
    """
    status = exit_status if exit_status is not None else _value(events, "ended")
    ended_s = next((t for kind in ("watchdog", "ended") if (t := _time(events, kind)) is not None), end_s)
    last_s = tree.select(pl.col("t_s").max()).item()
    age_s = None if last_s is None else max(0.0, ended_s - last_s)
    is_stale = age_s is None or age_s > _STALE_S
    recent = _recent(tree, last_s, is_stale=is_stale)
    machine = _recent(system, last_s, is_stale=is_stale)
    kinds = set(events["kind"])
    return LastMoments(
        exit_status=status,
        signal=status - 128 if status is not None and status - 128 in SIGNALS else None,
        t_s=ended_s,
        last_sample_age_s=age_s,
        limit=limit,
        used_bytes=recent.select(pl.col("used_bytes").max()).item(),
        rss_bytes=recent.select(pl.col("rss_bytes").max()).item(),
        cgroup_bytes=machine.select(pl.col("cgroup_bytes").max()).item(),
        available_bytes=machine.select(pl.col("available_bytes").min()).item(),
        watchdog_bytes=_value(events, "watchdog"),
        oom_kills=int(events.filter(pl.col("kind") == "oom_kill")["value"].sum()),
        forwarded=_forwarded(events),
        recorder_died="recorder_died" in kinds,
        is_closed="closed" in kinds,
        is_attached="attached" in kinds,
        is_stopped="stopped" in kinds,
        kernel_lines=tuple(redact_text(line.strip()) for line in kernel_log if _KILLED.search(line)),
    )


def _of_kind(events: pl.DataFrame, kind: str) -> pl.DataFrame:
    return events.filter(pl.col("kind") == kind).sort("t_s")


def _value(events: pl.DataFrame, kind: str) -> int | None:
    values = _of_kind(events, kind)["value"]
    return None if values.is_empty() else values[0]


def _time(events: pl.DataFrame, kind: str) -> float | None:
    times = _of_kind(events, kind)["t_s"]
    return None if times.is_empty() else float(times[0])


def _recent(frame: pl.DataFrame, last_s: float | None, *, is_stale: bool) -> pl.DataFrame:
    if last_s is None or is_stale:
        return frame.clear()
    return frame.filter(pl.col("t_s") >= last_s - _LAST_S)


def _forwarded(events: pl.DataFrame) -> tuple[Forwarded, ...]:
    rows = _of_kind(events, "signal").select("t_s", "value").iter_rows()
    return tuple(Forwarded(t_s=t_s, signal=value) for t_s, value in rows if value is not None)
