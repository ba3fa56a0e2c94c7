"""Which captures of allocations lie in a run folder, and what do they say together?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from diagtools.errors import NoDataError
from diagtools.profile import Profile, View
from diagtools.read.artefact import find_artefact
from diagtools.read.profiles.memray_capture import read_memray
from diagtools.read.profiles.stored import SUFFIX
from diagtools.values import Artefact

#: What a run keeps of what was read from its captures; made again where it does not fit them.
STORED = "allocations"

_MEMRAY = re.compile(r"allocations\.(\d+)\.memray(?:\.(\d+))?")
_TRACEMALLOC = re.compile(r"allocations\.(\d+)\.tracemalloc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """One file of a run folder that one process wrote."""

    path: Path
    pid: int


def memray_captures(folder: Path) -> list[Capture]:
    """The memray captures of a run, by process; those of forked children too.  Raises ``DamagedError``."""
    return _captures(folder, _MEMRAY)


def tracemalloc_logs(folder: Path) -> list[Capture]:
    """The tracemalloc logs of a run, by process.  Raises ``DamagedError``."""
    return _captures(folder, _TRACEMALLOC)


def _captures(folder: Path, pattern: re.Pattern[str]) -> list[Capture]:
    found = []
    for entry in sorted(folder.iterdir()):
        match = pattern.fullmatch(entry.name)
        path = find_artefact(folder, entry.name) if match else None
        if match and path is not None:
            found.append(Capture(path=path, pid=int(next(one for one in reversed(match.groups()) if one))))
    return sorted(found, key=lambda one: one.pid)


def read_recorded(
    folder: Path,
    *,
    view: View,
    over_time: bool = False,
    wall_ns: int | None,
    artefacts: Mapping[str, Artefact],
) -> Profile:
    """What did the processes of this run hold at their peaks (or leak, …)?  Second 0 is the run's start.

    ``wall_ns`` is the time of day then, ``artefacts`` what was closed.  Raises ``NoDataError`` where the run was
    recorded without a tracker, and as ``read_memray``.
    """
    captures = memray_captures(folder)
    if not captures:
        raise NoDataError(
            f"'{folder.name}' was recorded without a tracker: nobody noted its allocations.",
            hint="diagtools record --memray -- CMD",
        )
    label = f"{view}-over-time" if over_time else str(view)
    return read_memray(
        [capture.path for capture in captures],
        view=view,
        over_time=over_time,
        pids=[capture.pid for capture in captures],
        zero_ms=None if wall_ns is None else wall_ns // 1_000_000,
        known={
            name: artefact.sha256.lower() for name, artefact in artefacts.items() if _MEMRAY.fullmatch(name)
        },
        name=folder.name,
        store=folder / f"{STORED}.{label}{SUFFIX}",
    )
