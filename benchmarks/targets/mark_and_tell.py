"""Marks events as fast as it can in bursts and tells each one that returned: ``mark_and_tell.py PIPE``.

Into PIPE (a named one) go unsigned 64-bit numbers: the pid of the parent, the own pid, then the number of each event
once the call has returned.  Event k is named ``event k`` and has the feature k.  Ends after some seconds by itself.
"""

from __future__ import annotations

import os
import sys
import time

from diagtools import mark

BURST = 40
PAUSE_S = 0.004
LIFE_S = 20.0


def main() -> None:
    """Marks until it is killed."""
    pipe = os.open(sys.argv[1], os.O_WRONLY)
    os.write(pipe, os.getppid().to_bytes(8, "little") + os.getpid().to_bytes(8, "little"))
    number = 0
    until = time.monotonic() + LIFE_S
    while time.monotonic() < until:
        for _ in range(BURST):
            number += 1
            mark.event(f"event {number}", k=number)
            os.write(pipe, number.to_bytes(8, "little"))
        time.sleep(PAUSE_S)


main()
