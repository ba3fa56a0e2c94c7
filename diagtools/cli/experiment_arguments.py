"""Which arguments the experiments take.  The docstring of a function is the command's help."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

#: What changes a command: the option, the word for its value, and what it does.
_CHANGES = (
    ("--env", "NAME=VALUE", "set an environment variable"),
    ("--args", "WORDS", "add these words to the command: --args='--batch 32'"),
    ("--instead", "CMD", "run this other command"),
    ("--without", "PKG", "this package is not installed"),
    ("--lazy", "FILE:LINE", "this import statement waits for the first use of its names"),
    (
        "--patch",
        "[MODULE=]FILE",
        "run this code at the start of each Python process, or once MODULE is imported",
    ),
    ("--with", "PKG==VERSION", "another version of a package; several at once with blanks between them"),
    ("--python", "PY", "another interpreter"),
    ("--rev", "REV", "one's own code at another git revision"),
    ("--stock", "KIND", "theories that come with diagtools: allocator, threads, gc, caches, workers, all"),
)
_METRICS = "peak (default), final, time, cpu, per-item, kept:PHASE, or printed:NAME, a number that it prints"


def ab(parser: argparse.ArgumentParser) -> None:
    """compare a command with itself, one change at a time: what does each do to memory, and how sure is that"""
    parser.usage = "diagtools ab [options] CHANGE ... -- CMD ..."
    changes(parser, "changes (each is a variant; repeatable)", _CHANGES)
    parser.add_argument(
        "--both", action="store_true", help="all changes at once too: do they depend on each other?"
    )
    _metrics(parser)
    parser.add_argument(
        "--pairs", metavar="N", type=int, default=3, help="pairs of runs (default: 3, for large effects)"
    )
    parser.add_argument(
        "--gate",
        action="store_true",
        help="10, 20 or 40 pairs, until each change is decided; exits with 1 where one raises a metric",
    )
    _common(parser)


def sweep(parser: argparse.ArgumentParser) -> None:
    """run a command with several values of one parameter: what does a unit cost, and does it grow without end"""
    parser.usage = "diagtools sweep --over NAME=1,2,4,8 [options] -- CMD ... {NAME} ..."
    parser.epilog = "Where CMD has no {NAME}, the environment variable NAME takes the values."
    parser.add_argument("--over", metavar="NAME=V,V,…", required=True, help="the parameter and its values")
    _metrics(parser)
    parser.add_argument("--repeat", metavar="N", type=int, default=2, help="runs of each value (default: 2)")
    _common(parser)


def bisect(parser: argparse.ArgumentParser) -> None:
    """search the releases of a package for the first one in which a number moved, without installing any"""
    parser.usage = "diagtools bisect PKG --good V --bad V [options] -- CMD ..."
    parser.epilog = "Releases that cannot be installed or run are passed over, as git bisect does."
    parser.add_argument("package", metavar="PKG", help="the package, as it is installed")
    parser.add_argument("--good", metavar="V", required=True, help="a release with which the number is small")
    parser.add_argument(
        "--bad", metavar="V", required=True, help="one with which it is large, older or newer"
    )
    parser.add_argument(
        "--metric",
        metavar="M",
        default="peak",
        help=f"{_METRICS}; leak: CMD is a function, MOD:FUNC, that may leak",
    )
    parser.add_argument(
        "--pairs", metavar="N", type=int, default=3, help="runs of each of the two ends, in turn (default: 3)"
    )
    parser.add_argument(
        "--python", metavar="PY", help="the Python that CMD starts, where its first word does not tell"
    )
    _common(parser)


def changes(parser: argparse.ArgumentParser, title: str, wanted: Iterable[tuple[str, str, str]]) -> None:
    """These options, in one list: in the order in which they are named."""
    group = parser.add_argument_group(title)
    for option, word, explained in wanted:
        group.add_argument(
            option, metavar=word, dest="changes", action=_Change, default=argparse.SUPPRESS, help=explained
        )
    parser.set_defaults(changes=[])


def of_functions() -> list[tuple[str, str, str]]:
    """The changes that mean something to a function that is called, and not to a command line."""
    return [one for one in _CHANGES if one[0] in ("--env", "--without", "--lazy", "--patch", "--with")]


class _Change(argparse.Action):
    """Keeps the changes in the order in which they were named, with the option of each."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        kind = (option_string or "").removeprefix("--")
        namespace.changes = [*getattr(namespace, "changes", []), (kind, values)]


def _metrics(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--metric",
        metavar="M",
        action="append",
        default=[],
        help=_METRICS,
    )


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--limit", metavar="SIZE", help="memory cap on each run, such as 2GiB: a kill is a result"
    )
    parser.add_argument(
        "--fresh-folder",
        action="store_true",
        help="each run works in an empty folder: for commands that write files",
    )
    parser.add_argument("--png", metavar="FILE", type=Path, help="draw the result as a picture too")
    parser.add_argument("--json", action="store_true", help="print JSON for scripts")
    parser.set_defaults(argv=[])
