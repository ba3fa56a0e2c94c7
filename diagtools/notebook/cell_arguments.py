"""The line of ``%%record``."""

from __future__ import annotations

import argparse
import keyword
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from diagtools.errors import UsageError
from diagtools.values import Limit, Tool, Tracking


@dataclass(frozen=True, slots=True, kw_only=True)
class CellArguments:
    """How a cell is to be recorded."""

    name: str
    python: str
    limit: Limit | None
    hz: float
    passed: tuple[str, ...]
    folder: Path | None
    is_quiet: bool
    tracking: Tracking | None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"%%record: {message}.", hint=" ".join(self.format_usage().split()))


def parse(line: str) -> CellArguments:
    """How is this cell to be recorded?  Raises ``UsageError``."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"%%record {line}: {error}.", hint="close the quote.") from error
    chosen = _parser().parse_args(words)
    return CellArguments(
        name=_variable(chosen.name),
        python=chosen.python,
        limit=Limit.parse(chosen.limit) if chosen.limit else None,
        hz=chosen.hz,
        passed=tuple(dict.fromkeys(chosen.passed)),
        folder=Path(chosen.output) if chosen.output else None,
        is_quiet=chosen.quiet,
        tracking=_tracking(chosen),
    )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="%%record", add_help=False, allow_abbrev=False)
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--native", action="store_true")
    tracker = parser.add_mutually_exclusive_group()
    tracker.add_argument("--memray", action="store_true")
    tracker.add_argument("--tracemalloc", action="store_true")
    parser.add_argument("--limit", metavar="SIZE")
    parser.add_argument("--hz", type=float, default=100.0, metavar="N")
    parser.add_argument("--python", default=sys.executable, metavar="PY")
    parser.add_argument("-p", dest="passed", action="append", default=[], metavar="VAR")
    parser.add_argument("-o", dest="output", metavar="RUN")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--echo", dest="quiet", action="store_false", default=False)
    shown.add_argument("--quiet", dest="quiet", action="store_true", default=False)
    return parser


def _tracking(chosen: argparse.Namespace) -> Tracking | None:
    if chosen.tracemalloc:
        return Tracking(tool=Tool.TRACEMALLOC, native=chosen.native)
    return Tracking(tool=Tool.MEMRAY, native=chosen.native) if chosen.memray or chosen.native else None


def _variable(name: str) -> str:
    if not name.isidentifier() or keyword.iskeyword(name):
        raise UsageError(
            f"%%record: {name!r} is no name for a variable.", hint="%%record run, and then run.timeline."
        )
    return name
