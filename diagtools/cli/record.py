"""``diagtools record``: the command runs as it would alone, and leaves a run folder."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from diagtools.capture.runner import Captured, Streams, attach, capture
from diagtools.capture.snapshots import ASKED, how_to_ask
from diagtools.capture.watcher import Look
from diagtools.cli.output import not_written, printed
from diagtools.errors import DiagtoolsError, UsageError
from diagtools.probes.supervisor import survive_requests
from diagtools.values import Enforcer, ItemSource, Limit, Snapshots, Target, Tool, Tracking

if TYPE_CHECKING:
    from diagtools.investigations.live_forecast import LiveForecast

_EVERY_S = 10.0  # between two looks from outside
#: What only a tracker can do.
_FLAGS = ("memray", "native", "python_allocators", "no_follow_fork", "aggregated", "twice")


def run(chosen: argparse.Namespace) -> int:
    """Records, says on stderr where, and returns the target's exit status (of the first run, where there are two)."""
    survive_requests()
    captured = _attached(chosen) if chosen.pid is not None else _captured(chosen)
    for warning in (*captured.warnings, *_missing_items(captured.folder)):
        _say(f"diagtools: {warning}")
    if chosen.json:
        _print_json(captured.folder)
    else:
        _say(f"diagtools: {_ending(captured)} See: diagtools show {_shown(captured.folder)}")
    return captured.exit_status or 0


def _print_json(folder: Path) -> None:
    """Prints what was recorded; where that cannot be written, the target's status still counts."""
    from diagtools.cli.show import as_json

    error = printed(as_json(folder))
    if error is not None and not isinstance(error, BrokenPipeError):  # a reader that went away knows
        _say(f"diagtools: {not_written(error).message}")


def _captured(chosen: argparse.Namespace) -> Captured:
    streams = Streams(interactive=True, stdout=2 if chosen.json else 1, stderr=2)
    target = _target(chosen)
    if not chosen.twice:
        return capture(target, chosen.folder, hz=chosen.hz, streams=streams, look=_look(target))
    from diagtools.capture.twice import capture_twice

    both = capture_twice(target, chosen.folder, hz=chosen.hz, streams=streams)
    for warning in (both.why_not, *(both.tracked.warnings if both.tracked else ())):
        if warning:
            _say(f"diagtools: {warning}")
    if both.tracked is not None:
        _say(
            f"diagtools: Under the tracker: {_ending(both.tracked)} See: diagtools show {_shown(both.tracked.folder)}"
        )
    return both.plain


def _look(target: Target) -> Look | None:
    """What is said while the target runs?"""
    looks: list[Look] = []
    if target.snapshots is not None:
        looks.append(_Invitation().look)
    if target.limit is not None and target.limit.counts_rss:
        looks.append(_Forecast(target.limit).look)

    def look_at_all(folder: Path) -> None:
        for look in looks:
            look(folder)

    return look_at_all if looks else None


class _Invitation:
    """Says on stderr how to get a snapshot at any moment, once a process would answer."""

    def __init__(self) -> None:
        self._is_said = False

    def look(self, folder: Path) -> None:
        """Say it, if it has not been said."""
        said = "" if self._is_said else how_to_ask(folder)
        if said:
            _say(f"diagtools: {said}")
            self._is_said = True


class _Forecast:
    """Says on stderr that the limit will be reached, once that is sure."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._live: LiveForecast | None = None

    def look(self, folder: Path) -> None:
        """Say what there is to say, which is mostly nothing."""
        if self._live is None:
            # Here: not before the target runs.
            from diagtools.investigations.live_forecast import LiveForecast

            self._live = LiveForecast(folder, self._limit.memory_bytes)
        said = self._live.look()
        if said:
            _say(f"diagtools: {said}")


def _attached(chosen: argparse.Namespace) -> Captured:
    given = (chosen.argv, chosen.limit, chosen.limit_by, chosen.items_opened_under, chosen.items_calls)
    tracker = (chosen.tracemalloc, *(getattr(chosen, flag) for flag in _FLAGS), chosen.trim)
    if any(word not in (None, [], False) for word in (*given, *tracker)):
        raise UsageError(
            "--pid records a timeline and, with --ledger, what the kernel tells: no command, limit, items or tracker.",
            hint="leave the others out.",
        )
    if chosen.holders:
        return _asked(chosen)
    if not chosen.ledger:
        if chosen.snapshot_every is not None:
            raise UsageError(
                "--snapshot-every needs --ledger or --holders.", hint="--ledger --snapshot-every 5"
            )
        return attach(chosen.pid, chosen.folder, hz=chosen.hz)
    from diagtools.capture.outside import Follower

    look = Follower(chosen.pid, chosen.snapshot_every or _EVERY_S).look
    return attach(chosen.pid, chosen.folder, hz=chosen.hz, look=look)


def _asked(chosen: argparse.Namespace) -> Captured:
    """The process takes the snapshots itself, where it can be asked to; of a ledger it then tells the whole."""
    from diagtools.capture.inside import Asker

    every_s = chosen.snapshot_every or _EVERY_S
    instruments = [*(["ledger"] if chosen.ledger else []), "holders"]
    asker = Asker(chosen.pid, instruments, every_s)
    asked = dict.fromkeys(instruments, f"{ASKED} every_s={every_s:g}")
    try:
        return attach(chosen.pid, chosen.folder, hz=chosen.hz, look=asker.look, asked=asked)
    finally:
        asker.close()


def _target(chosen: argparse.Namespace) -> Target:
    limit = _limit(chosen.limit, chosen.limit_by)
    under = chosen.items_opened_under
    if under is not None and not under.is_dir():
        raise UsageError(
            f"'{under}' is not a folder.", hint="--items-opened-under takes the folder whose files are items."
        )
    items = ItemSource(opened_under=under, calls=chosen.items_calls) if under or chosen.items_calls else None
    return Target(
        argv=tuple(chosen.argv),
        limit=limit,
        items=items,
        tracking=_tracking(chosen),
        snapshots=_snapshots(chosen),
    )


def _snapshots(chosen: argparse.Namespace) -> Snapshots | None:
    if not chosen.ledger and not chosen.holders and not chosen.trim:
        return None
    every_s = chosen.snapshot_every
    return Snapshots(ledger=chosen.ledger, trim=chosen.trim, holders=chosen.holders, every_s=every_s)


def _tracking(chosen: argparse.Namespace) -> Tracking | None:
    _check_tracker(chosen)
    if chosen.memray:
        return Tracking(
            native=chosen.native,
            python_allocators=chosen.python_allocators,
            follow_fork=not chosen.no_follow_fork,
            aggregated=chosen.aggregated,
        )
    if chosen.tracemalloc is None:
        return None
    return Tracking(
        tool=Tool.TRACEMALLOC, n_frames=chosen.tracemalloc, snapshot_every_s=chosen.snapshot_every
    )


def _check_tracker(chosen: argparse.Namespace) -> None:
    for flag in ("native", "python_allocators", "no_follow_fork", "aggregated"):
        if getattr(chosen, flag) and not chosen.memray:
            option = f"--{flag.replace('_', '-')}"
            raise UsageError(f"{option} needs --memray.", hint=f"--memray {option}")
    takes_some = chosen.tracemalloc is not None or chosen.ledger or chosen.holders
    if chosen.snapshot_every is not None and not takes_some:
        raise UsageError(
            "--snapshot-every needs --ledger, --holders or --tracemalloc.", hint="--ledger --snapshot-every 5"
        )
    if chosen.twice and not chosen.memray and chosen.tracemalloc is None:
        raise UsageError("--twice needs a tracker for the second run.", hint="--twice --memray")


def _limit(size: str | None, enforcer: str | None) -> Limit | None:
    if size is None and enforcer is not None:
        raise UsageError("--limit-by needs --limit.", hint=f"--limit 2GiB --limit-by {enforcer}")
    return None if size is None else Limit.parse(size, Enforcer(enforcer or Enforcer.WATCHDOG))


def _missing_items(folder: Path) -> Iterator[str]:
    """Were items asked for, and none recorded?"""
    from diagtools.read.manifest import read_manifest  # here: the target waits for what this module imports
    from diagtools.read.no_items import no_items

    with contextlib.suppress(DiagtoolsError):  # the folder is gone: that has been said
        found = no_items(folder, read_manifest(folder).items)
        if found is not None:
            yield str(found)


def _say(text: str) -> None:
    """Prints to stderr, if there is one and somebody reads it."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            print(text, file=sys.stderr, flush=True)


def _ending(captured: Captured) -> str:
    status = captured.exit_status
    if status is None:
        return "The recording was stopped or the process ended."
    if status > 128:
        with contextlib.suppress(ValueError):
            return f"The command was ended by {signal.Signals(status - 128).name}."
    return f"The command exited with {status}."


def _shown(folder: Path) -> str:
    try:
        path = os.path.relpath(folder)
    except OSError:  # the working folder is gone
        path = ".."
    return shlex.quote(path if not path.startswith("..") else str(folder))
