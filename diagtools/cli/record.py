"""``diagtools record``: the command runs as it would alone, and leaves a run folder."""

from __future__ import annotations

import argparse
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
    argv = chosen.argv[1:] if chosen.argv[:1] == ["--"] else chosen.argv
    if chosen.pid is not None:
        if argv or chosen.limit or chosen.items_opened_under or chosen.items_calls:
            raise UsageError("--pid records a timeline only: no command, limit or items.", hint="leave the others out.")
        captured = attach(chosen.pid, chosen.folder, hz=chosen.hz)
    else:
        captured = capture(_target(chosen, argv), chosen.folder, hz=chosen.hz, streams=_streams(as_json=chosen.json))
    for warning in captured.warnings:
        print(f"diagtools: {warning}", file=sys.stderr)
    if chosen.json:
        from diagtools.cli.show import print_json

        print_json(captured.folder)
    else:
        print(f"diagtools: {_ending(captured)} See: diagtools show {_shown(captured.folder)}", file=sys.stderr)
    return captured.exit_status or 0


def _target(chosen: argparse.Namespace, argv: list[str]) -> Target:
    limit = Limit.parse(chosen.limit, Enforcer(chosen.limit_by)) if chosen.limit else None
    under = chosen.items_opened_under
    if under is not None and not under.is_dir():
        raise UsageError(f"'{under}' is not a folder.", hint="--items-opened-under takes the folder whose files are items.")
    items = ItemSource(opened_under=under, calls=chosen.items_calls) if under or chosen.items_calls else None
    return Target(argv=tuple(argv), limit=limit, items=items)


def _streams(*, as_json: bool) -> Streams:
    return Streams(interactive=True, stdout=2 if as_json else 1, stderr=2)


def _ending(captured: Captured) -> str:
    status = captured.exit_status
    if status is None:
        return "The recording was stopped or the process ended."
    if status > 128:
        try:
            return f"The command was ended by {signal.Signals(status - 128).name}."
        except ValueError:
            pass
    return f"The command exited with {status}."


def _shown(folder: Path) -> str:
    path = os.path.relpath(folder)
    return shlex.quote(path if not path.startswith("..") else str(folder))
