"""Which arguments each command takes.  The docstring of a function is the command's help."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from diagtools.cli import experiment_arguments, leak_arguments

_ENFORCERS = ("watchdog", "cgroup", "rlimit_as")


def _record(parser: argparse.ArgumentParser) -> None:
    """run a command once, recorded; exits as the command did"""
    parser.add_argument(
        "-o", dest="folder", metavar="RUN", type=Path, help="the run folder (default: a new one in ./runs)"
    )
    parser.add_argument("--hz", type=float, default=100.0, help="samples a second (default: 100)")
    parser.add_argument("--limit", metavar="SIZE", help="memory cap on the whole tree, such as 2GiB")
    parser.add_argument("--limit-by", choices=_ENFORCERS, help="who enforces it (default: watchdog)")
    items = parser.add_mutually_exclusive_group()
    items.add_argument(
        "--items-opened-under", metavar="DIR", type=Path, help="each file opened below DIR is an item"
    )
    items.add_argument("--items-calls", metavar="MOD:FUNC", help="each call of this function is an item")
    _tracker(parser)
    _snapshots(parser)
    parser.add_argument(
        "--pid",
        type=int,
        help="attach to a process that runs already: its timeline; what the kernel says with --ledger; what it says "
        "itself with --holders (from CPython 3.14 on)",
    )
    _json(parser)
    parser.add_argument(
        "argv", nargs=argparse.REMAINDER, metavar="-- CMD", help="the command and its arguments"
    )


def _tracker(parser: argparse.ArgumentParser) -> None:
    tracker = parser.add_mutually_exclusive_group()
    tracker.add_argument("--memray", action="store_true", help="record all allocations, with memray")
    tracker.add_argument(
        "--tracemalloc",
        metavar="N_FRAMES",
        nargs="?",
        type=int,
        const=10,
        help="take snapshots with tracemalloc, which needs no package in the command's Python (default: 10 frames)",
    )
    parser.add_argument("--native", action="store_true", help="with --memray: frames of C code too")
    parser.add_argument(
        "--python-allocators",
        action="store_true",
        help="with --memray: every block of Python's own allocators",
    )
    parser.add_argument(
        "--no-follow-fork", action="store_true", help="with --memray: leave forked children out"
    )
    parser.add_argument(
        "--aggregated", action="store_true", help="with --memray: small captures, none of a killed process"
    )
    parser.add_argument(
        "--twice", action="store_true", help="run it plain first, for its memory, and then under the tracker"
    )


def _snapshots(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--ledger", action="store_true", help="snapshots of what the command's RSS consists of"
    )
    parser.add_argument(
        "--trim", action="store_true", help="with --ledger: measure what malloc_trim gives back; it does so"
    )
    parser.add_argument(
        "--holders", action="store_true", help="snapshots of its Python objects: who keeps them alive"
    )
    parser.add_argument(
        "--snapshot-every",
        metavar="S",
        type=float,
        help="snapshots every S seconds too (default: at markers)",
    )


def _show(parser: argparse.ArgumentParser) -> None:
    """say what a run shows: verdict, peak, who asked for memory, last log lines; or a capture or an export"""
    parser.add_argument(
        "run",
        metavar="RUN",
        type=Path,
        nargs="?",
        help="a run folder (default: the newest in the store), a capture or a flamegraph export",
    )
    parser.add_argument(
        "--png",
        metavar="FILE",
        type=Path,
        help="draw the timeline, or the icicle of a capture, as a picture too",
    )
    parser.add_argument(
        "--during",
        metavar="NAME",
        help="what was live while this item or phase ran, when most was (a run with --memray)",
    )
    _of_profile(parser)
    _json(parser)


def _compare(parser: argparse.ArgumentParser) -> None:
    """say what grew from one run, capture or flamegraph export to another"""
    parser.add_argument(
        "before", metavar="A", type=Path, help="a run with allocations, a capture or an export"
    )
    parser.add_argument("after", metavar="B", type=Path, help="the same, afterwards")
    for side in ("before", "after"):
        parser.add_argument(
            f"--more-{side}",
            metavar="PATH",
            action="append",
            type=Path,
            default=[],
            help=f"another run of {side}: repeats tell noise from change (repeatable)",
        )
    parser.add_argument(
        "--by",
        choices=("line", "function", "module", "package"),
        default="line",
        help="what a row is (default: line)",
    )
    _of_profile(parser)
    parser.add_argument(
        "--budget", metavar="SIZE", help="exit with 1 where the total grew by more, such as 10MB"
    )
    parser.add_argument("--png", metavar="FILE", type=Path, help="draw what changed as a picture too")
    _json(parser)


def _runs(parser: argparse.ArgumentParser) -> None:
    """list the runs in the store, or prune it"""
    parser.add_argument("--store", metavar="DIR", type=Path, help="the store (default: ./runs)")
    parser.add_argument("--keep", metavar="N", type=int, help="remove all but the newest N")
    parser.add_argument("--older-than", metavar="AGE", help="remove runs older than this, such as 30d")
    parser.add_argument("--dry-run", action="store_true", help="say what would be removed, remove nothing")
    _json(parser)


def _imports(parser: argparse.ArgumentParser) -> None:
    """say what importing costs, and who pays for what"""
    parser.add_argument(
        "targets",
        metavar="TARGET",
        nargs="*",
        help="a module, or a statement such as 'import a, b'; several are imported one after the other",
    )
    parser.set_defaults(argv=[])
    parser.usage = "diagtools imports [options] TARGET ...\n       diagtools imports [options] -- CMD ..."
    parser.epilog = "After `--` stands a command: every Python process that it starts is looked into."
    parser.add_argument("--python", metavar="PY", help="the interpreter that imports it (default: this one)")
    parser.add_argument("--repeat", metavar="N", type=int, help="measure so often (default: 5, a command 1)")
    parser.add_argument(
        "--timeout", metavar="S", type=float, default=300.0, help="seconds for one import (default: 300)"
    )
    parser.add_argument(
        "--verify",
        metavar="N|FILE:LINE|FILE",
        help="make the N dearest statements lazy, or this one, or all of a file, and measure what that saves",
    )
    parser.add_argument(
        "--without",
        metavar="PKG",
        action="append",
        default=[],
        help="measure the same where this package is not installed (repeatable)",
    )
    parser.add_argument(
        "--forbid",
        metavar="PKG",
        action="append",
        default=[],
        help="exit with 1 where this is imported (repeatable)",
    )
    parser.add_argument(
        "--budget", metavar="SIZE", help="exit with 1 where the imports take more, such as 40MB"
    )
    _json(parser)


def _scan(parser: argparse.ArgumentParser) -> None:
    """say what is in a corpus, and what it would cost to index"""
    parser.add_argument("folder", metavar="DIR", type=Path, help="the folder that is to be indexed")
    parser.add_argument(
        "--learn", metavar="RUN", type=Path, help="predict the peak from a short recorded run of the indexer"
    )
    parser.add_argument("--base", metavar="SIZE", help="with --chunk-cost: memory before the first chunk")
    parser.add_argument(
        "--chunk-cost", metavar="SIZE", help="predict the peak from what a chunk of the largest file costs"
    )
    parser.add_argument(
        "--budget", metavar="SIZE", help="name the files that would break it; exit with 1 where one would"
    )
    parser.add_argument(
        "--check", metavar="RUN", type=Path, help="compare the prediction with this run's peak"
    )
    parser.add_argument(
        "--chunk-chars",
        metavar="N",
        type=int,
        help="characters of the longest chunk (default: as the run tells, or 2000)",
    )
    parser.add_argument("--ignored", action="store_true", help="look at what git would ignore too")
    parser.add_argument("--out", metavar="FILE.parquet", type=Path, help="write every file's row")
    parser.add_argument(
        "--png", metavar="FILE", type=Path, help="draw where bytes and chunks are as a picture too"
    )
    _json(parser)


def _investigate(parser: argparse.ArgumentParser) -> None:
    """run an investigation: an executed notebook and one offline page"""
    parser.add_argument("name", metavar="NAME", nargs="?", help="which one; without a name: list them")
    parser.add_argument(
        "-p",
        dest="parameters",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="a parameter of the notebook",
    )
    parser.add_argument(
        "-o",
        dest="folder",
        metavar="DIR",
        type=Path,
        default=Path("postmortems"),
        help="where it lands (default: ./postmortems)",
    )
    _json(parser)


def _export(parser: argparse.ArgumentParser) -> None:
    """turn a notebook into one offline HTML file, or a capture into a file for other tools"""
    parser.add_argument(
        "notebook",
        metavar="NOTEBOOK",
        type=Path,
        help="a notebook; or a run with allocations, a capture, an export",
    )
    parser.add_argument(
        "-o",
        dest="page",
        metavar="FILE",
        type=Path,
        help="the page (default: beside the notebook); of a capture .folded, .speedscope.json or .parquet",
    )
    _json(parser)


def _new(parser: argparse.ArgumentParser) -> None:
    """copy an investigation's notebook to start your own"""
    parser.add_argument("name", metavar="NAME", help="which one, for instance indexing-oom")
    parser.add_argument(
        "-o", dest="folder", metavar="DIR", type=Path, default=Path(), help="where to (default: here)"
    )
    _json(parser)


def _doctor(parser: argparse.ArgumentParser) -> None:
    """say what this machine allows, and why not where it does not"""
    _json(parser)


def _of_profile(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--view", choices=("peak", "leaked", "temporary"), help="of a memray capture (default: peak)"
    )
    parser.add_argument(
        "--unit",
        choices=("bytes", "ns", "samples"),
        help="what folded stacks count, where the file does not say",
    )


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON for scripts")


COMMANDS: dict[str, Callable[[argparse.ArgumentParser], None]] = {
    "record": _record,
    "show": _show,
    "compare": _compare,
    "runs": _runs,
    "imports": _imports,
    "scan": _scan,
    "ab": experiment_arguments.ab,
    "sweep": experiment_arguments.sweep,
    "bisect": experiment_arguments.bisect,
    "leaks": leak_arguments.add,
    "investigate": _investigate,
    "export": _export,
    "new": _new,
    "doctor": _doctor,
}
