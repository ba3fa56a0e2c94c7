"""One process that calls a function again and again, recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from diagtools.errors import NoDataError
from diagtools.frames import LeakLog
from diagtools.investigations.leak_failures import check_came_through
from diagtools.investigations.leak_target import Called
from diagtools.investigations.record import record
from diagtools.probes import leak_stages
from diagtools.probes import leaks as probe
from diagtools.read.leaks import read_leaks
from diagtools.run import Run
from diagtools.values import Changes, Target, Tracking

N_WARM = 200

_STAGES = (1 / 7, 2 / 7, 4 / 7)
_BUDGET_SHARE = (
    0.5  #: of the time that there is: the rest is for what a call takes longer than it did at first
)
_EXPLAINING_CALLS = 1600


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be called, by whom, how often, and within which time."""

    called: Called
    python: str
    calls: int
    env: Mapping[str, str]
    cwd: Path | None
    timeout_s: float
    changes: Changes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The run of such a process, and what it wrote."""

    run: Run
    log: LeakLog


def count_calls(
    asked: Asked, mode: str = "measure", *, folder: Path | None, tracking: Tracking | None = None
) -> Counted:
    """Calls it once as often as that, for one of ``probes.leaks.MODES``.

    Raises ``UsageError`` where the function could not be called so often, ``NoDataError`` where nothing was written.
    """
    run = record(_target(asked, mode, tracking), folder=folder)
    return Counted(run=run, log=check_came_through(run, _read(run), timeout_s=asked.timeout_s))


def _target(asked: Asked, mode: str, tracking: Tracking | None) -> Target:
    sizes = [max(leak_stages.BLOCKS, round(asked.calls * share)) for share in _STAGES]
    stages = sizes if mode == "measure" else [min(_EXPLAINING_CALLS, asked.calls)]
    words = (
        mode,
        asked.called.name,
        asked.called.folder or "-",
        str(N_WARM),
        ",".join(map(str, stages)),
        f"{_BUDGET_SHARE * asked.timeout_s:g}",
        f"{asked.timeout_s:g}",
    )
    return Target(
        argv=(asked.python, str(Path(probe.__file__).resolve()), *words),
        cwd=asked.cwd,
        env=asked.env,
        tracking=tracking,
        changes=asked.changes,
    )


def _read(run: Run) -> LeakLog:
    try:
        return read_leaks(run.path, run.manifest.start_ns or 0)
    except NoDataError as error:
        raise NoDataError(
            f"{error.message} The process ended with {run.exit_status} before it called anything.",
            hint=f"diagtools show {run.path}",
        ) from None
