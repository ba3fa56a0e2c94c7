"""``diagtools record``: the command runs as it would alone, and leaves a run folder."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import signal
import sys
from pathlib import Path

from diagtools.capture.runner import Captured, Streams, attach, capture
from diagtools.errors import UsageError
from diagtools.values import Enforcer, ItemSource, Limit, Target


def run(chosen: argparse.Namespace) -> int:
    """Records, says on stderr where, and returns the target's exit status."""
    captured = _attached(chosen) if chosen.pid is not None else _captured(chosen)
    for warning in captured.warnings:
        _say(f"diagtools: {warning}")
    if chosen.json:
        from diagtools.cli.show import print_json

        with contextlib.suppress(BrokenPipeError):  # the reader went away: the target's status still counts
            print_json(captured.folder)
            sys.stdout.flush()
    else:
        _say(f"diagtools: {_ending(captured)} See: diagtools show {_shown(captured.folder)}")
    return captured.exit_status or 0


def _captured(chosen: argparse.Namespace) -> Captured:
    streams = Streams(interactive=True, stdout=2 if chosen.json else 1, stderr=2)
    return capture(_target(chosen), chosen.folder, hz=chosen.hz, streams=streams)


def _attached(chosen: argparse.Namespace) -> Captured:
    if chosen.argv or chosen.limit or chosen.items_opened_under or chosen.items_calls:
        raise UsageError(
            "--pid records a timeline only: no command, limit or items.", hint="leave the others out."
        )
    return attach(chosen.pid, chosen.folder, hz=chosen.hz)


def _target(chosen: argparse.Namespace) -> Target:
    limit = Limit.parse(chosen.limit, Enforcer(chosen.limit_by)) if chosen.limit else None
    under = chosen.items_opened_under
    if under is not None and not under.is_dir():
        raise UsageError(
            f"'{under}' is not a folder.", hint="--items-opened-under takes the folder whose files are items."
        )
    items = ItemSource(opened_under=under, calls=chosen.items_calls) if under or chosen.items_calls else None
    return Target(argv=tuple(chosen.argv), limit=limit, items=items)


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
