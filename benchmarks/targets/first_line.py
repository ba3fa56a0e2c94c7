import time; now = time.monotonic_ns()  # noqa: E702, I001 - the first instruction is what is measured
"""Writes when its first instruction ran: ``first_line.py REPORT`` (CLOCK_MONOTONIC, ns)."""

import os  # noqa: E402
import sys  # noqa: E402

with open(sys.argv[1] + ".tmp", "w") as file:
    file.write(str(now))
os.rename(sys.argv[1] + ".tmp", sys.argv[1])
