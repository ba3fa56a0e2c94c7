"""What does `python -m workloads.holding PROGRAM` do? It holds memory in one way, and says how much that is."""

import argparse
import importlib
import sys
from collections.abc import Sequence

from diagtools import mark

PROGRAMS = ("arrays", "fragments", "weights", "arena", "cache", "registry")


def main(arguments: Sequence[str] | None = None) -> int:
    """How does it end: 0 done, 2 wrong use?"""
    parser = argparse.ArgumentParser(prog="python -m workloads.holding", description=__doc__)
    parser.add_argument("program", choices=PROGRAMS)
    parser.add_argument("--mib", type=int, default=128, help="how much it holds, about (default: 128)")
    options = parser.parse_args(arguments)
    if options.mib < 1:
        parser.error("--mib takes at least 1")
    program = importlib.import_module(f"workloads.holding.{options.program}")
    mark.phase("work")
    held = program.hold(options.mib << 20)
    mark.phase("held")
    print(held)
    return 0


if __name__ == "__main__":
    sys.exit(main())
