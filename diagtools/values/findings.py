"""What was found out, and how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from diagtools.errors import BudgetBreached
from diagtools.units import format_bytes

if TYPE_CHECKING:
    import polars as pl


class State(StrEnum):
    """How far a figure can be trusted."""

    COMPLETE = "complete"
    TRUNCATED = "truncated"
    STARVED = "starved"
    DECIMATED = "decimated"
    CLAMPED = "clamped"
    IN_PROCESS = "in-process"
    UNDER_TRACKER = "observed under a tracker"
    SHARED_N_TIMES = "shared memory counted n times"
    SKIPPED = "skipped"
    UNATTRIBUTED = "in parallel, cannot be told apart"


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """What is known about the trustworthiness of one thing (``what``), and why (``note``)."""

    what: str
    state: State
    note: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.state}" + (f" ({self.note})" if self.note else "")


class Grade(StrEnum):
    """How sure a cause of death is."""

    PROVEN = "proven"
    LIKELY = "likely"
    UNKNOWN = "unknown"


class Ending(StrEnum):
    """What a recording knows of the end of a program whose exit status nobody saw."""

    ENDED = "ended"
    WENT_ON = "went on when the recording was stopped"
    UNKNOWN = "unknown"


class Cause(StrEnum):
    """What ended a process that did not end by itself."""

    WATCHDOG = "watchdog"
    CGROUP_OOM = "cgroup_oom"
    KERNEL_OOM = "kernel_oom"
    MEMORY_ERROR = "memory_error"
    SIGNAL = "signal"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """Why a run ended before its time: the cause, how sure that is, and what shows it."""

    cause: Cause
    grade: Grade
    evidence: tuple[str, ...]
    t_s: float | None = None
    last_sample_age_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A claim in one sentence, its value and unit, and the frame that shows it."""

    sentence: str
    value: float | None = None
    unit: str = ""
    evidence: pl.DataFrame | None = field(default=None, compare=False, repr=False)
    validity: tuple[Validity, ...] = ()

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A limit on a metric of a run or a case, checked by notebooks and CI."""

    metric: str
    limit_bytes: int

    def check(self, measured_bytes: int, *, hint: str = "") -> None:
        """Does the measured value keep the budget?  Raises ``BudgetBreached`` where it does not, with this hint."""
        if measured_bytes > self.limit_bytes:
            raise BudgetBreached(
                f"{self.metric} is {format_bytes(measured_bytes)}, above its budget of "
                f"{format_bytes(self.limit_bytes)} by {format_bytes(measured_bytes - self.limit_bytes)}.",
                hint=hint or "run `diagtools show` on the run to see which items ask for the memory.",
            )
