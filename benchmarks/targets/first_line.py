"""Writes when its first instruction ran: ``first_line.py REPORT`` (CLOCK_MONOTONIC, ns)."""

import time

now = time.monotonic_ns()

import sys  # noqa: E402 - after what is measured
from pathlib import Path  # noqa: E402

Path(sys.argv[1]).write_text(str(now), encoding="ascii")
