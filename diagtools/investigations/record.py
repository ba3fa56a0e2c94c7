"""Records one run of a target, for notebooks and scripts."""

from __future__ import annotations

import dataclasses
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from diagtools.capture.runner import Streams, capture
from diagtools.capture.twice import capture_twice
from diagtools.errors import UsageError
from diagtools.run import Run
from diagtools.values import ItemSource, Limit, Snapshots, Target, Tool, Tracking


def record(
    target: Target | Sequence[str] | str,
    *,
    limit: Limit | str | None = None,
    items: ItemSource | None = None,
    tracking: Tracking | Tool | str | None = None,
    snapshots: Snapshots | None = None,
    twice: bool = False,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    folder: Path | None = None,
    hz: float = 100.0,
    echo: bool = False,
) -> Run:
    """What does this command do with memory?  Runs it once (unless ``twice``), in a process of its own.

    ``target`` is a command line (a string is split as a shell splits words, without a shell) or a whole
    ``Target``, which then says limit, items, tracking, environment and folder itself.  ``tracking`` records allocations
    too: ``"memray"``, ``"tracemalloc"`` or a ``Tracking``; RSS is then observed under that tracker.  With ``twice`` the
    command runs plain first, which is the run returned, and then tracked, into the folder ``tracked`` in it.
    ``snapshots`` are those of its ledger and its objects, taken by the program itself.

    ``limit`` is a size such as ``"2 GiB"`` for the watchdog, or a ``Limit``.  ``echo`` passes the target's output on as
    it appears.  Its exit status is ``run.exit_status`` (128 + signal where it was killed) and never raises.

    Raises ``StartError``, ``UsageError``, ``UnavailableError`` or ``RecorderError``.
    """
    wanted = target if isinstance(target, Target) else _target(target, limit, items, env, cwd)
    if tracking is not None and wanted is not target:
        wanted = dataclasses.replace(wanted, tracking=_tracking(tracking))
    if snapshots is not None and wanted is not target:
        wanted = dataclasses.replace(wanted, snapshots=snapshots)
    streams = Streams(stdout=1, stderr=2) if echo else Streams()
    if twice:
        return Run.open(capture_twice(wanted, folder, hz=hz, streams=streams).plain.folder)
    return Run.open(capture(wanted, folder, hz=hz, streams=streams).folder)


def _tracking(wanted: Tracking | Tool | str) -> Tracking:
    if isinstance(wanted, Tracking):
        return wanted
    if wanted not in set(Tool):
        raise UsageError(
            f"There is no tracker {wanted!r}.", hint="tracking='memray' or tracking='tracemalloc'"
        )
    return Tracking(tool=Tool(wanted))


def _target(
    command: Sequence[str] | str,
    limit: Limit | str | None,
    items: ItemSource | None,
    env: Mapping[str, str] | None,
    cwd: Path | None,
) -> Target:
    argv = shlex.split(command) if isinstance(command, str) else [os.fspath(word) for word in command]
    cap = Limit.parse(limit) if isinstance(limit, str) else limit
    return Target(argv=tuple(argv), limit=cap, items=items, env=dict(env or {}), cwd=cwd)
