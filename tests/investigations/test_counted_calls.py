"""The verdict on what a test process counted, as one line for it to read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diagtools.errors import NoDataError
from diagtools.investigations.counted_calls import judged
from diagtools.pytest_plugin.aside import run_aside
from tests.support.leak_runs import line

# 400, 800 and 1,600 calls, read eight times each; each call leaves one block of 100 bytes or none.
_COUNTS = (400, 800, 1600)


def counted(folder: Path, blocks_per_call: int) -> Path:
    """A folder with what was counted."""
    lines = [line("start", 5_000_000_000, 42, "3.12.1", "measure", "a.py::t"), line("warm", 200, 1500, 0, 0)]
    done, t_ns = 0, 6_000_000_000
    for stage, n_calls in enumerate(_COUNTS):
        lines.append(line("stage", stage, n_calls, 1))
        for part in range(9):
            n = done + n_calls * part // 8
            blocks = 1000 + n * blocks_per_call
            size = 100_000 + 100 * n * blocks_per_call
            fields = (blocks, size, 30, 40, 5000, 6000, 700, 1, 4)
            lines.append(line("reading", stage, part, n_calls * part // 8, t_ns, *fields))
            t_ns += 1_000_000
        done += n_calls
    lines.append(line("end", done, 0))
    (folder / "leaks.log").write_bytes(b"".join(lines))
    return folder


def test_a_leak_and_how_much_it_is(tmp_path: Path) -> None:
    found = judged(counted(tmp_path, 1))
    assert found["verdict"] == "leak"
    size = float(found["text"].removeprefix("leak: ").split()[0])
    assert size == pytest.approx(100, rel=0.02)


def test_what_stays_as_it_is(tmp_path: Path) -> None:
    assert judged(counted(tmp_path, 0))["verdict"] == "clean"


def test_a_process_of_its_own_prints_the_same(tmp_path: Path) -> None:
    folder = counted(tmp_path, 1)
    assert json.loads(run_aside("diagtools.investigations.counted_calls", str(folder))) == judged(folder)
    (folder / "leaks.log").unlink()
    with pytest.raises(NoDataError):
        judged(folder)
