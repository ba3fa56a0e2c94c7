"""Which runs does a store hold?  Standard library only, and never stopped by what else lies there."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from diagtools.errors import DiagtoolsError, UsageError
from diagtools.read.header import FILES
from diagtools.read.manifest import NAME, has_newer_format, read_manifest

#: A recorder writes a hundred times a second; a recording untouched for this long has none any more.
_QUIET_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One run as a list shows it.

    ``state`` is ``finished``, ``recording``, ``unfinished`` (its recorder is gone and did not close it) or
    ``unreadable`` (written by a newer diagtools).  ``exit_status`` and ``duration_s`` are null where unknown.
    """

    path: Path
    name: str
    started_at: str
    argv: tuple[str, ...]
    exit_status: int | None
    duration_s: float | None
    size_bytes: int
    state: str


def list_runs(store: Path) -> list[RunSummary]:
    """Which runs lie in this folder, newest first?  None where it does not exist.

    Whatever is not a run is passed over.  Raises ``UsageError`` where the folder cannot be listed.
    """
    try:
        with os.scandir(store) as entries:
            folders = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UsageError(
            f"The store '{store}' cannot be listed: {error.strerror}.", hint="pass a folder that holds runs."
        ) from error
    runs = [run for folder in folders if (run := _summary(folder)) is not None]
    return sorted(runs, key=lambda run: (run.started_at, run.name), reverse=True)


def _summary(folder: Path) -> RunSummary | None:
    touched = _last_touched(folder)
    if touched is None:
        return None
    try:
        manifest = read_manifest(folder)
    except DiagtoolsError:
        return _unreadable(folder, touched) if has_newer_format(folder) else None
    is_quiet = manifest.state == "recording" and time.time() - touched > _QUIET_S
    return RunSummary(
        path=folder,
        name=folder.name,
        started_at=manifest.started_at or _utc(touched),
        argv=manifest.argv,
        exit_status=manifest.exit_status,
        duration_s=manifest.duration_s,
        size_bytes=_size_bytes(folder),
        state="unfinished" if is_quiet else manifest.state,
    )


def _unreadable(folder: Path, touched: float) -> RunSummary:
    return RunSummary(
        path=folder,
        name=folder.name,
        started_at=_utc(touched),
        argv=(),
        exit_status=None,
        duration_s=None,
        size_bytes=_size_bytes(folder),
        state="unreadable",
    )


def _last_touched(folder: Path) -> float | None:
    """When was ``run.json`` or a recording last written?  ``None`` where the folder has neither."""
    times = []
    for name in (NAME, *FILES):
        try:
            times.append((folder / name).lstat().st_mtime)
        except OSError:
            continue
    return max(times, default=None)


def _size_bytes(folder: Path) -> int:
    """How many bytes do the files below take?  Links are not followed."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(parent, name).lstat().st_size
            except OSError:
                continue
    return total


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
