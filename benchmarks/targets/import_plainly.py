"""An import that nobody records: ``import_plainly.py MODULE`` prints JSON, what it took and what is held after it."""

from __future__ import annotations

import sys
import time


def _held() -> tuple[int, int]:
    """RSS and anonymous memory, in pages."""
    with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - pathlib would be an import of its own
        _, resident, shared, *_ = file.read().split()
    return int(resident), int(resident) - int(shared)


def _faults() -> int:
    """Pages faulted in so far."""
    with open("/proc/self/stat", "rb") as file:  # noqa: PTH123
        return int(file.read().rpartition(b")")[2].split()[7])


code = compile(f"import {sys.argv[1]}", "<statement>", "exec")
_held()
faults = _faults()
began_ns = time.process_time_ns()
before = _held()
exec(code)
after = _held()
cpu_ns = time.process_time_ns() - began_ns
faults = _faults() - faults

import json  # noqa: E402 - after what is measured
import os  # noqa: E402

page = os.sysconf("SC_PAGE_SIZE")
names = ("rss_bytes", "anon_bytes")
held = {name: page * (now - then) for name, now, then in zip(names, after, before, strict=True)}
print(json.dumps({**held, "cpu_s": cpu_ns / 1e9, "n_faults": faults}))
sys.stdout.flush()
os._exit(0)  # as the recorded side: an interpreter takes its modules apart when it exits
