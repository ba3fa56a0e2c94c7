"""What to run: a command, and what is asked of its processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from diagtools.errors import UsageError
from diagtools.units import parse_bytes
from diagtools.values.changes import Changes

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
    changes: Changes | None = None

    def __post_init__(self) -> None:
        if not self.argv or not self.argv[0]:
            raise UsageError("There is no command to record.", hint="diagtools record -- python app.py")
