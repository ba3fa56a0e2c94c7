"""Which captures of allocations lie in a run folder, and what do they say together?"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from diagtools.errors import NoDataError, UsageError
from diagtools.profile import Profile, View
from diagtools.read.artefact import find_artefact
from diagtools.read.profiles.memray_capture import read_memray, stored_label
from diagtools.read.profiles.stored import SUFFIX
from diagtools.read.profiles.tracemalloc_log import read_tracemalloc
from diagtools.values import Artefact, State, Validity

#: What a run keeps of what was read from its captures; made again where it does not fit them.
STORED = "allocations"

#: The process, a number where it executed another Python, and the process that it forked.
_MEMRAY = re.compile(r"allocations\.(\d+)(?:-\d+)?\.memray(?:\.(\d+))?")
_TRACEMALLOC = re.compile(r"allocations\.(\d+)\.tracemalloc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The captures of one run; at its second 0 ``start_ns`` is the monotonic clock and ``wall_ns`` the time of day."""

    folder: Path
    start_ns: int | None
    wall_ns: int | None
    artefacts: Mapping[str, Artefact]


def has_captures(folder: Path) -> bool:
    """Were allocations recorded in this folder?"""
    return bool(_captures(folder, _MEMRAY) or _captures(folder, _TRACEMALLOC))


def read_recorded(recorded: Recorded, *, view: View | None = None, over_time: bool = False) -> Profile:
    """What did the processes of this run hold: at their peaks, or in another view?

    ``view`` is the peak by default; what tracemalloc recorded is LIVE at the snapshot that traced most.  Raises
    ``NoDataError`` where the run was recorded without a tracker, ``UsageError`` for what a tracker does not record, and
    as ``read_memray`` and ``read_tracemalloc``.
    """
    if captures := _captures(recorded.folder, _MEMRAY):
        return _memray(recorded, captures, view or View.PEAK, over_time=over_time)
    if logs := _captures(recorded.folder, _TRACEMALLOC):
        if view not in (None, View.LIVE) or over_time:
            raise UsageError(
                "tracemalloc recorded snapshots: what was live at some moments, and nothing between them.",
                hint="record with --memray for the peak, for what leaked and for lifetimes.",
            )
        return _tracemalloc(recorded, logs)
    raise NoDataError(
        f"'{recorded.folder.name}' was recorded without a tracker: nobody noted its allocations.",
        hint="diagtools record --memray -- CMD",
    )


def _memray(recorded: Recorded, captures: Mapping[Path, int], view: View, *, over_time: bool) -> Profile:
    label = stored_label(view, over_time=over_time)
    known = {name: one.sha256.lower() for name, one in recorded.artefacts.items() if _MEMRAY.fullmatch(name)}
    return read_memray(
        list(captures),
        view=view,
        over_time=over_time,
        pids=list(captures.values()),
        zero_ms=None if recorded.wall_ns is None else recorded.wall_ns // 1_000_000,
        known=known,
        name=recorded.folder.name,
        store=recorded.folder / f"{STORED}.{label}{SUFFIX}",
    )


def _tracemalloc(recorded: Recorded, logs: Mapping[Path, int]) -> Profile:
    """The process that traced most; the others are named."""
    name = recorded.folder.name
    found = [read_tracemalloc(path, zero_ns=recorded.start_ns, name=name) for path in logs]
    largest = max(found, key=lambda profile: profile.total)
    validity = largest.validity
    if len(found) > 1:
        others = sum(profile.total for profile in found) - largest.total
        note = f"the largest of {len(found)} processes; the others hold {others:,} bytes"
        validity = (*validity, Validity(what="allocations", state=State.SKIPPED, note=note))
    return dataclasses.replace(largest, validity=validity)


def _captures(folder: Path, pattern: re.Pattern[str]) -> dict[Path, int]:
    """The files of this kind, each with the process that wrote it.  Raises ``DamagedError`` for links out of it."""
    found = {}
    for entry in sorted(folder.iterdir()):
        match = pattern.fullmatch(entry.name)
        path = find_artefact(folder, entry.name) if match else None
        if match and path is not None and path.stat().st_size:
            found[path] = int(next(one for one in reversed(match.groups()) if one))
    return found
