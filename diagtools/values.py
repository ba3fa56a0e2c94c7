"""The frozen values that pass between layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from diagtools.errors import BudgetBreached, UsageError
from diagtools.units import format_bytes, parse_bytes

if TYPE_CHECKING:
    import polars as pl

#: What tracemalloc and memray can be asked for.
MOST_FRAMES = 65_535
MOST_INTERVAL_MS = 60_000


class Enforcer(StrEnum):
    """Who ends a target that passes its memory limit."""

    WATCHDOG = "watchdog"
    CGROUP = "cgroup"
    RLIMIT_AS = "rlimit_as"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A memory cap on the whole process tree of a target."""

    memory_bytes: int
    enforcer: Enforcer = Enforcer.WATCHDOG

    @classmethod
    def parse(cls, text: str, enforcer: Enforcer = Enforcer.WATCHDOG) -> Limit:
        """Which limit does ``"2 GiB"`` mean?  Raises ``UsageError`` for a size without a unit."""
        return cls(memory_bytes=parse_bytes(text), enforcer=enforcer)

    @property
    def counts_rss(self) -> bool:
        """Is it of resident memory?  An address space is larger than what of it is resident."""
        return self.enforcer is not Enforcer.RLIMIT_AS


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemSource:
    """Where items come from in a program that does not call ``diagtools.mark`` itself.

    ``opened_under`` makes an item of every file opened for reading under a folder (its end is the
    thread's next one: approximate); ``calls`` makes one of every call of ``"module:function"``.
    """

    opened_under: Path | str | None = None
    calls: str | None = None

    def __post_init__(self) -> None:
        if self.calls is not None and not all(self.calls.partition(":")[::2]):
            raise UsageError(
                f"{self.calls!r} does not name a function.",
                hint="write MODULE:FUNCTION, for instance 'app.index:embed_file'.",
            )


class Tool(StrEnum):
    """What records the allocations of a command's Python processes."""

    MEMRAY = "memray"
    TRACEMALLOC = "tracemalloc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """How the allocations of a command's Python processes are recorded.

    Of memray: ``native`` frames too, every block of Python's own allocators (``python_allocators``), children that are
    forked (``follow_fork``), RSS every ``interval_ms``; ``aggregated`` captures are small, but a killed process leaves
    none.  Of tracemalloc: ``n_frames`` of each stack, and a snapshot every ``snapshot_every_s`` too (``None``: only at
    phases, items, near the limit and at exit).
    """

    tool: Tool = Tool.MEMRAY
    native: bool = False
    python_allocators: bool = False
    follow_fork: bool = True
    interval_ms: int = 10
    aggregated: bool = False
    n_frames: int = 10
    snapshot_every_s: float | None = None

    def __post_init__(self) -> None:
        is_memray = self.tool is Tool.MEMRAY
        if not is_memray and (
            self.native or self.python_allocators or self.aggregated or not self.follow_fork
        ):
            raise UsageError(
                "tracemalloc has no native frames, no allocators of its own to tell apart and no formats.",
                hint="ask memray for them: --memray",
            )
        if is_memray and self.snapshot_every_s is not None:
            raise UsageError(
                "memray takes no snapshots: it records all the time.", hint="--tracemalloc takes some."
            )
        if not 1 <= self.n_frames <= MOST_FRAMES:
            raise UsageError(f"{self.n_frames} frames of a stack cannot be kept.", hint="10 are usual.")
        if not 1 <= self.interval_ms <= MOST_INTERVAL_MS:
            raise UsageError(f"An interval of {self.interval_ms} ms is not possible.", hint="10 is usual.")
        if self.snapshot_every_s is not None and not 0 < self.snapshot_every_s < float("inf"):
            raise UsageError("Snapshots need some time between them.", hint="--snapshot-every 5 is seconds.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshots:
    """Which snapshots the command's Python processes take of themselves: at phases, items, near the limit, at exit.

    ``ledger`` is of what their RSS consists of (``trim``: measure too what `malloc_trim` gives back: it is given back
    then), ``holders`` of their objects and who holds them.  ``every_s``: also so often.
    """

    ledger: bool = False
    trim: bool = False
    holders: bool = False
    every_s: float | None = None

    def __post_init__(self) -> None:
        if self.trim and not self.ledger:
            raise UsageError("What malloc_trim gives back is a part of the ledger.", hint="--ledger --trim")
        if not self.ledger and not self.holders:
            raise UsageError("No snapshots are asked for.", hint="ask for a ledger or for holders.")
        if self.every_s is not None and not 0 < self.every_s < float("inf"):
            raise UsageError("Snapshots need some time between them.", hint="--snapshot-every 5 is seconds.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What to run: a command, where and with what, and the limit it runs under.

    ``env`` holds only what is added to the inherited environment.
    """

    argv: tuple[str, ...]
    cwd: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    limit: Limit | None = None
    items: ItemSource | None = None
    tracking: Tracking | None = None
    snapshots: Snapshots | None = None

    def __post_init__(self) -> None:
        if not self.argv or not self.argv[0]:
            raise UsageError("There is no command to record.", hint="diagtools record -- python app.py")


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


class Verdict(StrEnum):
    """What an experiment said about a hypothesis."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"


class Role(StrEnum):
    """What a suspected cause would be: the flaw itself, or the input that sets it off."""

    DEFECT = "defect"
    TRIGGER = "trigger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """A suspected cause, the change that would remove it, and the metric that change should move.

    ``name`` and ``suspicion`` read as a clause ("batches are unbounded"), ``mend`` as a noun ("bounded batches").
    ``variant`` names the experiment's variant that makes the change; ``expected_drop`` is the least
    share (0–1) by which ``metric`` must fall for the suspicion to count as confirmed where nothing is killed.
    """

    name: str
    suspicion: str
    change: str
    variant: str
    mend: str = ""
    role: Role = Role.DEFECT
    metric: str = "peak_rss_bytes"
    expected_drop: float = 0.10


class Outcome(StrEnum):
    """How one run of an experiment ended; a kill is an outcome, not missing data."""

    FINISHED = "finished"
    FAILED = "failed"
    KILLED = "killed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What an experiment said about one hypothesis.

    ``baseline_value`` and ``variant_value`` are medians of the metric; ``change_share`` is variant over
    baseline minus one with the range ``low_share``..``high_share`` over the runs.  Where runs were killed
    their value is a lower bound (``baseline_is_bound``, ``variant_is_bound``).  ``rescued`` is true where every
    baseline run was killed and no variant run; ``same_item`` says whether killed variant runs died in the
    item in which the baseline died (null where nothing died).
    """

    hypothesis: Hypothesis
    verdict: Verdict
    reason: str
    n_baseline: int
    n_baseline_killed: int
    n_variant: int
    n_variant_killed: int
    baseline_value: float | None
    variant_value: float | None
    baseline_is_bound: bool
    variant_is_bound: bool
    change_share: float | None
    low_share: float | None
    high_share: float | None
    rescued: bool
    same_item: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """One file of a run folder as it was when the run was closed."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What ``run.json`` says of a run; argv, paths and environment are redacted.

    ``state`` is ``recording`` until the recorder has closed the run, then ``finished``;
    ``start_ns`` is CLOCK_MONOTONIC at the zero of every frame, ``wall_ns`` the time of day then.
    """

    name: str
    state: str
    argv: tuple[str, ...]
    cwd: str
    env: Mapping[str, str]
    hz: float
    backend: str
    recorder: Mapping[str, str]
    platform: Mapping[str, str]
    git: Mapping[str, str]
    probes: Mapping[str, str]
    limit: Limit | None = None
    items: Mapping[str, str] = field(default_factory=dict)
    tracking: Mapping[str, str] = field(default_factory=dict)
    snapshots: Mapping[str, str] = field(default_factory=dict)
    start_ns: int | None = None
    wall_ns: int | None = None
    started_at: str = ""
    duration_s: float | None = None
    exit_status: int | None = None
    kernel_log: tuple[str, ...] = ()
    artefacts: Mapping[str, Artefact] = field(default_factory=dict)
    validity: tuple[Validity, ...] = ()
    format: int = 1


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
