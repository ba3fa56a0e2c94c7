"""Which arguments does ``diagtools leaks`` take?"""

from __future__ import annotations

import argparse
from pathlib import Path

from diagtools.cli import experiment_arguments


def add(parser: argparse.ArgumentParser) -> None:
    """say whether a function leaks: by how much a call, at which line, and who keeps it"""
    parser.epilog = (
        "Exits with 1 for a leak, with 0 for a function that is clean, fills up to a bound or could not be judged, "
        "and with 2 where it cannot be called so often."
    )
    parser.add_argument(
        "function",
        metavar="MOD:FUNC",
        help="a function that takes no arguments, async or not; its module is found as `python -m` would find it",
    )
    experiment_arguments.changes(
        parser, "changes (all at once; repeatable)", experiment_arguments.of_functions()
    )
    parser.add_argument("--python", metavar="PY", help="the interpreter that calls it (default: this one)")
    parser.add_argument(
        "--calls",
        metavar="N",
        type=int,
        default=2800,
        help="calls after the warm-up; as many again while something grows (default: 2800)",
    )
    parser.add_argument(
        "--timeout", metavar="S", type=float, default=300.0, help="seconds for each run of it (default: 300)"
    )
    parser.add_argument(
        "--no-explain", action="store_true", help="the verdict only: look for no line and no holder"
    )
    parser.add_argument("--png", metavar="FILE", type=Path, help="draw the counters as a picture too")
    parser.add_argument(
        "-o", dest="folder", metavar="RUN", type=Path, help="the run folder (default: a new one in ./runs)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON for scripts")
