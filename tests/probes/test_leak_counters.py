"""What a process has in use, by those who count it: known amounts are seen, and nothing is where nothing was kept."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from diagtools.probes import leak_counters
from diagtools.probes import leaks as probe
from tests.support.interpreters import every_python

_PROGRAM = """
import json, sys
sys.path.insert(0, sys.argv[1])
import leaks
counters = leaks.load("leak_counters").Counters(leaks.load)
kept = []
def read():
    counters.read(), counters.read()
    return counters.read()
seen = [read(), read()]
{steps}
print(json.dumps(seen))
"""
_PROBES = Path(probe.__file__).parent


def _seen(steps: str, python: str = sys.executable, **env: str) -> list[dict[str, int]]:
    program = _PROGRAM.replace("{steps}", steps)
    done = subprocess.run(
        [python, "-c", program, str(_PROBES)], capture_output=True, text=True, env=env or None, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return [dict(zip(leak_counters.COUNTERS, row, strict=True)) for row in json.loads(done.stdout)]


@every_python
def test_known_amounts_are_seen_by_those_whose_they_are(python: str) -> None:
    large = "kept.append([bytes(600) for _ in range(1000)]); seen.append(read())"
    small = "kept.append([bytes(31) for _ in range(1000)]); seen.append(read())"
    first, again, with_large, with_small = _seen(f"{large}\n{small}", python)
    for name in ("c", "python", "blocks", "objects"):  # what a reading leaves in free lists
        assert abs(again[name] - first[name]) <= 8192, name
    assert 600_000 <= with_large["c"] - again["c"] <= 720_000
    assert with_large["python"] - again["python"] < 10_000
    assert 64_000 <= with_small["python"] - with_large["python"] <= 80_000
    assert 1000 <= with_small["blocks"] - with_large["blocks"] <= 1100


def test_what_nobody_of_the_two_mapped_is_seen_apart() -> None:
    _, before, after = _seen("import mmap; read(); b = mmap.mmap(-1, 64 << 20); seen.append(read())")
    assert 64 << 20 <= after["mapped"] - before["mapped"] <= 66 << 20
    assert after["rss"] - before["rss"] < 8 << 20  # untouched


def test_threads_and_files_are_counted() -> None:
    steps = (
        "import threading, os; event = threading.Event()\n"
        "for _ in range(3): threading.Thread(target=event.wait, daemon=True).start()\n"
        "pipe = os.pipe(); seen.append(read())"
    )
    _, before, after = _seen(steps)
    assert (after["threads"] - before["threads"], after["fds"] - before["fds"]) == (3, 2)


def test_without_its_own_allocator_python_has_nothing_in_use_there() -> None:
    _, _, after = _seen(
        "kept.append([bytes(31) for _ in range(1000)]); seen.append(read())", PYTHONMALLOC="malloc"
    )
    assert (after["python"], after["blocks"]) == (0, 0)
    assert after["c"] > 64_000


def test_what_a_cycle_held_is_gone_when_it_is_read() -> None:
    steps = "x = [bytes(100_000)]; x.append(x); del x; seen.append(counters.read())"
    _, before, after = _seen(steps)
    assert abs(after["c"] - before["c"]) < 10_000


def test_what_is_printed_where_nothing_is_exported_is_read_from_stderr() -> None:
    if not hasattr(sys, "_debugmallocstats"):
        pytest.skip("this interpreter says nothing of its allocator")
    assert b"arenas allocated current" in leak_counters._said_on_stderr()
