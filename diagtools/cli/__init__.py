"""The command line of ``diagtools``: one command a question, each in a module of its own.

A command's module is imported only when that command runs, so that ``record`` starts its target at once.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import sys
from collections.abc import Sequence

from diagtools import __version__
from diagtools.cli import arguments
from diagtools.cli.output import discard, is_broken, not_written, printed
from diagtools.errors import DiagtoolsError, RecorderError, StartError, UsageError
from diagtools.units import SIZE_HINT


class _Parser(argparse.ArgumentParser):
    """Raises our own error for wrong use instead of printing a page."""

    def error(self, message: str) -> None:  # type: ignore[override]  # it raises, as the original exits
        if message.startswith("argument --limit:"):  # a size below zero looks like another option
            raise UsageError("--limit needs a size above zero.", hint=SIZE_HINT)
        raise UsageError(f"{message[:1].upper()}{message[1:]}.", hint=f"{self.prog} --help")


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = _Parser(
        prog="diagtools",
        description="Find out why a Python process uses too much memory.",
        epilog="Start with: diagtools record --limit 2GiB -- python app.py",
    )
    top.add_argument("--version", action="version", version=f"diagtools {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    for name, add in arguments.COMMANDS.items():
        add(commands.add_parser(name, help=add.__doc__, description=add.__doc__))
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit status: the target's for ``record``, else 0, 1 or 2."""
    try:
        return _status(list(sys.argv[1:] if argv is None else argv))
    finally:
        _let_go()


def _status(given: list[str]) -> int:
    own, command = _split(given)
    try:
        return _run(own, command)
    except DiagtoolsError as error:
        _report(error, as_json="--json" in own)
        return _exit_status(own, error)
    except BrokenPipeError:  # the reader of our output went away, as `| head` does
        discard(sys.stdout)
        return 0
    except OSError as error:
        ours = _as_ours(error)
        _report(ours, as_json="--json" in own)
        return _exit_status(own, ours)
    except KeyboardInterrupt as interrupt:
        for note in getattr(interrupt, "__notes__", []):
            print(note, file=sys.stderr)
        return 130


def _let_go() -> None:
    """What nobody reads any more goes nowhere: a failing flush at exit would replace our status by 120."""
    for stream in (sys.stdout, sys.stderr):
        if is_broken(stream):
            discard(stream)


def _split(given: list[str]) -> tuple[list[str], list[str] | None]:
    """Our own words, and those after the first ``--``: a command, in which nothing is ours to read."""
    if "--" not in given:
        return given, None
    at = given.index("--")
    return given[:at], given[at + 1 :]


def _run(own: list[str], command: list[str] | None) -> int:
    chosen = parser().parse_args(own)
    if chosen.command is None:
        parser().print_help()
        return 0
    if command is not None:
        if not hasattr(chosen, "argv"):
            raise UsageError(
                f"`{chosen.command}` takes no command.", hint=f"diagtools {chosen.command} --help"
            )
        chosen.argv = [*chosen.argv, *command]
    module = importlib.import_module(f"diagtools.cli.{chosen.command}")
    status: int = module.run(chosen)
    if sys.stdout is not None:
        sys.stdout.flush()
    return status


def _exit_status(own: list[str], error: DiagtoolsError) -> int:
    """All that goes wrong on our side is 125 for ``record``, so that a script can tell it from its command."""
    if own[:1] == ["record"] and not isinstance(error, StartError):
        return RecorderError.exit_status
    return error.exit_status


def _as_ours(error: OSError) -> DiagtoolsError:
    if error.filename is None:  # a file that can be opened and not written
        return not_written(error)
    return DiagtoolsError(
        f"'{error.filename}' cannot be used: {error.strerror or error}.",
        hint="see who may use it, and how full its disk is.",
    )


def _report(error: DiagtoolsError, *, as_json: bool) -> None:
    """Says what went wrong: for scripts as one object on stdout, without secrets, for people on stderr."""
    if as_json and printed(json.dumps({"error": {"kind": error.kind, **_texts(error)}})) is None:
        return
    if sys.stderr is not None:
        hint = f"\n  Hint: {error.hint}" if error.hint else ""
        with contextlib.suppress(OSError):  # nobody is left to be told
            print(f"diagtools: {error.message}{hint}", file=sys.stderr, flush=True)


def _texts(error: DiagtoolsError) -> dict[str, str | None]:
    from diagtools.redact import redact_text

    texts = {"message": error.message, "hint": error.hint}
    return {name: text and _encodable(redact_text(text)) for name, text in texts.items()}


def _encodable(text: str) -> str:
    """Bytes of a name that are no text stand as escapes: lone surrogates are no JSON."""
    return text.encode("utf-8", "backslashreplace").decode()
