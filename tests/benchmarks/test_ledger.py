"""What the ledger's benchmark holds is what it says, and its goals are judged on the right figures."""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
import pytest

from benchmarks.footprint import footprint
from benchmarks.ledger import OURS, RAW, SHAPES, goals_of, pause_of, unexplained_of
from benchmarks.processes import awaited_json, diagtools, target
from benchmarks.results import Collected
from diagtools.run import Run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks read /proc")

MB = 1_000_000
KINDS = {
    "small": {"Python used"},
    "blocks": {"C mmapped", "C used"},
    "threads": {"C used"},
    "mappings": {"C mmapped", "shared memory"},
    RAW: {"unexplained"},
    "fragments": {"C free", "Python retained"},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_holds_what_was_asked_for_where_it_says(shape: str, tmp_path: Path) -> None:
    report = tmp_path / "report"
    program = target("hold_memory", shape, 64, 1, report)

    footprint(diagtools("record", "--ledger", "-o", tmp_path / "run", "--", *program), tmp_path / "said")

    told, ledger = awaited_json(report), Run.open(tmp_path / "run").ledger
    first = ledger.filter(pl.col("index") == 0)
    held = first.filter(pl.col("component").is_in(KINDS[shape]))["bytes"].sum()
    assert ledger["index"].n_unique() == 2
    assert 0.85 * 64 * MB <= held <= 1.3 * 64 * MB
    assert held <= first["bytes"].sum() <= 1.3 * told["rss_bytes"]
    assert all(len(costs) == 1 for costs in told["costs"].values())


def test_goals_are_the_median_pause_and_the_worst_snapshot() -> None:
    found = Collected()
    for pause_ms, unexplained in ((100.0, 0.1), (240.0, 2.5), (900.0, -0.2)):
        found.add(pause_of("small"), OURS, pause_ms, "ms")
        found.add(unexplained_of("small"), OURS, unexplained, "%")

    pause, unexplained_at_most = goals_of(found, "small")

    assert (pause.value, pause.is_met) == (240.0, True)
    assert (unexplained_at_most.value, unexplained_at_most.is_met) == (2.5, False)


def test_what_no_allocator_handed_out_has_no_goal_but_its_pause() -> None:
    (pause,) = goals_of(Collected(), RAW)

    assert pause.is_met is None
