"""What does `python -m workloads.leaky SERVICE` do? It answers requests, and says how many."""

import argparse
import importlib
import sys
import time
from collections.abc import Sequence

from diagtools import mark

SERVICES = ("headers", "rates", "reports")


def main(arguments: Sequence[str] | None = None) -> int:
    """How does it end: 0 done, 2 wrong use?"""
    parser = argparse.ArgumentParser(prog="python -m workloads.leaky", description=__doc__)
    parser.add_argument("service", choices=SERVICES)
    parser.add_argument("--requests", type=int, default=10_000, help="how many it answers (default: 10000)")
    parser.add_argument("--scale", type=int, default=1, help="how long a report is (default: 1)")
    parser.add_argument("--idle", type=float, default=0.0, help="seconds to wait after the last (default: 0)")
    options = parser.parse_args(arguments)
    if options.requests < 1 or options.scale < 1 or options.idle < 0:
        parser.error("--requests and --scale take at least 1, --idle at least 0")
    service = importlib.import_module(f"workloads.leaky.{options.service}")
    more = {"scale": options.scale} if options.service == "reports" else {}
    with mark.phase("requests"):
        for number in range(options.requests):
            with mark.item(f"request {number}"):
                service.serve(**more)
        time.sleep(options.idle)
    print(f"answered {options.requests} requests")
    return 0


if __name__ == "__main__":
    sys.exit(main())
