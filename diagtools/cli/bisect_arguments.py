"""Which arguments ``diagtools bisect`` takes.  The docstring of ``add`` is the command's help."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(parser: argparse.ArgumentParser) -> None:
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
        help="peak (default), final, time, cpu, per-item, kept:PHASE, or printed:NAME, a number that it prints; leak: "
        "CMD is a function, MOD:FUNC, that may leak",
    )
    parser.add_argument(
        "--pairs", metavar="N", type=int, default=3, help="runs of each of the two ends, in turn (default: 3)"
    )
    parser.add_argument(
        "--python", metavar="PY", help="the Python that CMD starts, where its first word does not tell"
    )
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
