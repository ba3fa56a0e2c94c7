"""The objects are as many as were asked for, a peer's limits are its end, and goals are judged on the right figures."""

from __future__ import annotations

import importlib.util
import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.footprint import FailedError, footprint
from benchmarks.holders import OURS, PEERS, SHAPES, Step, goals_of, on_top_of, steps_of, until_of, why_ended
from benchmarks.processes import diagtools, running, target, wait
from benchmarks.results import Collected

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks read /proc")

_ROOM = 6 << 30


@pytest.mark.parametrize("shape", SHAPES)
def test_twice_as_many_objects_are_that_many_more_and_one_name_holds_them(shape: str, tmp_path: Path) -> None:
    few, many = _opened(shape, 60_000, tmp_path / "few"), _opened(shape, 120_000, tmp_path / "many")

    assert few["root"] == many["root"] == "__main__.held"
    assert many["n_objects"] - few["n_objects"] == pytest.approx(60_000, rel=0.01)


@pytest.mark.parametrize("peer", PEERS)
def test_a_peer_that_comes_to_its_end_tells_of_both_its_steps(peer: str, tmp_path: Path) -> None:
    status, steps, _ = _looked(peer, "instances", 20_000, tmp_path)

    assert status == 0
    assert [step.name for step in steps][-2:] in (
        ["types", "chain"],
        ["types", "retained"],
        ["objects", "types"],
    )
    assert all(step.rss_bytes > 0 and step.on_top_bytes >= 0 for step in steps)


def test_a_peer_that_takes_too_long_keeps_what_it_had(tmp_path: Path) -> None:
    status, steps, said = _looked("objgraph", "entangled", 300_000, tmp_path, most_s=1)

    assert [step.name for step in steps] == ["types"]
    assert why_ended(status, said, most_s=1) == "was not done in 1 s"


def test_a_peer_that_takes_too_much_is_told_apart(tmp_path: Path) -> None:
    status, _, said = _looked("guppy3", "instances", 300_000, tmp_path, most_bytes=50 << 20)

    assert why_ended(status, said, most_s=120) == "needed more address space than it may have"


def test_a_peer_that_fails_otherwise_is_no_measurement(tmp_path: Path) -> None:
    said = tmp_path / "said"
    said.write_text("Traceback\nKeyError: 'x'\n", encoding="utf-8")

    with pytest.raises(FailedError, match="exited with 1: KeyError: 'x'"):
        why_ended(1, said, most_s=120)
    with pytest.raises(FailedError, match="nothing said"):
        why_ended(-signal.SIGSEGV, tmp_path / "nothing", most_s=120)


def test_goals_are_judged_on_the_whole_way_to_the_table_and_on_the_memory_on_top() -> None:
    found = Collected()
    for seconds, on_top in ((20.0, 0.9), (29.0, 1.2), (50.0, 1.1)):
        found.add(until_of("documents"), OURS, seconds, "s")
        found.add(on_top_of("documents"), OURS, on_top, "× its RSS")

    goals = goals_of(found, "documents")

    assert [(goal.value, goal.is_met) for goal in goals] == [(29.0, True), (1.1, False)]
    assert {goal.is_met for goal in goals_of(Collected(), "documents")} == {None}


def _opened(shape: str, n_objects: int, folder: Path) -> dict[str, Any]:
    """The first row of the table of holders."""
    folder.mkdir()
    said, run_folder = folder / "said", folder / "run"
    program = target("hold_objects", shape, n_objects, "snapshot", folder / "report", 120, _ROOM)
    footprint(diagtools("record", "--holders", "-o", run_folder, "--", *program), said)
    footprint(target("open_holders", run_folder), said)
    found: dict[str, Any] = json.loads(said.read_text(encoding="utf-8").splitlines()[-1])["first"][0]
    return found


def _looked(
    peer: str, shape: str, n_objects: int, folder: Path, *, most_s: int = 120, most_bytes: int = _ROOM
) -> tuple[int, list[Step], Path]:
    if importlib.util.find_spec(PEERS[peer]) is None:
        pytest.skip(f"{peer} is not installed")
    report, said = folder / "report", folder / "said"
    argv = target("hold_objects", shape, n_objects, PEERS[peer], report, most_s, most_bytes)
    with running(argv, output=said) as process:
        status = wait(process).exit_status
    return status, steps_of(report), said
