"""Runs a command and writes the CPU seconds that wait4 names for it and its children: ``meter.py REPORT CMD …``."""

from __future__ import annotations

import os
import sys

pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
with open(sys.argv[1], "w") as file:
    file.write('{"user_s": %.6f, "system_s": %.6f, "status": %d}' % (usage.ru_utime, usage.ru_stime, status))
