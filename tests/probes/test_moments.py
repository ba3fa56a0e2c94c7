"""When snapshots are taken, by whichever instrument."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from diagtools.probes import moments

MIB = 2**20


class Instrument:
    """Stands for one: as much is held as the test says."""

    name = "stand-in"
    held = 0

    def held_bytes(self) -> int:
        return self.held


def test_snapshots_of_more_than_ever_take_a_small_share_of_the_time() -> None:
    instrument, now_ns = Instrument(), 0
    schedule: Any = moments.Schedule(instrument, None, moments, {})  # never started
    schedule._now_ns = lambda: now_ns
    schedule._most = 10 * MIB
    instrument.held = int(10.9 * MIB)
    assert not schedule._is_most()
    instrument.held = 12 * MIB
    assert schedule._is_most()
    schedule._spent_ns = schedule._cost_ns = 800_000_000
    assert [schedule._is_most() for _ in range(4)] == [True, True, True, False], (
        "four are taken whatever they cost"
    )
    now_ns = 7_000_000_000
    assert schedule._is_most()


def test_a_process_that_executes_another_program_counts_on(tmp_path: Path) -> None:

    pid = os.getpid()
    for name in (f"heap.{pid}.0.json", f"heap.{pid}.3.json", f"heap.{pid}9.7.json", f"heap.{pid}.x.json"):
        (tmp_path / name).touch()
    assert moments._taken(str(tmp_path), "heap.*.json") == 4
    assert moments._taken(str(tmp_path), "objects.*.graph") == 0


def test_options_are_words_with_or_without_a_value() -> None:
    assert moments.options(["cap=5", "signal"]) == {"cap": "5", "signal": ""}
