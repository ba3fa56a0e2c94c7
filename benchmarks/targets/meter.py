"""Runs a command and writes the CPU seconds that wait4 names for it and its children: ``meter.py REPORT CMD …``."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
found = {"user_s": usage.ru_utime, "system_s": usage.ru_stime, "status": status}
Path(sys.argv[1]).write_text(json.dumps(found), encoding="utf-8")
