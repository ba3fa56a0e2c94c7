"""How long does it take from a memray capture to its frames, and to a chart on screen, beside memray's own commands?

Three captures: *narrow* has few stacks, *wide* has very many that hold memory at the peak, *native* was taken with
`--native` of a program that imports pandas and works with it.  Each side is a fresh process that reads the same
capture, in turn: `memray stats`, `memray flamegraph` into a file, ours until the frames are there (`open_profile`), and
ours until a cell of a notebook has its output (frames, folded, laid out, drawn, its picture too).  What ours keeps
beside the capture as Parquet is removed before; opening it *again* is with that Parquet, the second time in a process.

*Time* is wall clock from spawn to exit, imports included; *CPU* is the kernel's (wait4), of the process and of all that
it waited for: our reader lets a process of its own read.  *Memory* is the largest sum of the RSS of all processes of a
side at a time, looked at each 10 ms, or the largest high-water mark of one of them; pages that two share count twice.
"""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.footprint import footprint
from benchmarks.processes import PYTHON, target
from benchmarks.results import (
    Bench,
    Collected,
    Goal,
    Outcome,
    Size,
    at_least,
    at_most,
    median_of,
    median_ratio,
)

STATS, FLAMEGRAPH = "memray stats", "memray flamegraph"
FRAMES, CHART, AGAIN = "diagtools, frames", "diagtools, chart", "diagtools, again"
_SIDES = (FRAMES, STATS, CHART, FLAMEGRAPH, AGAIN)
_MODES = {FRAMES: "frames", CHART: "chart", AGAIN: "again"}
NARROW, WIDE, NATIVE = "narrow", "wide", "native"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    rounds: int
    records: int
    stacks: dict[str, int] = field(default_factory=lambda: {NARROW: 4_000, WIDE: 100_000})
    native: tuple[object, ...] = (20,)
    sides: tuple[str, ...] = _SIDES


_PLANS = {
    Size.FULL: _Plan(rounds=3, records=10_000_000),
    Size.QUICK: _Plan(rounds=1, records=1_000_000),
    Size.TINY: _Plan(rounds=1, records=2_000, stacks={NARROW: 10}, native=(), sides=(STATS, CHART, AGAIN)),
}


def run(bench: Bench) -> Outcome:
    """Records each capture once, then reads it on every side, interleaved."""
    if importlib.util.find_spec("memray") is None:
        return Outcome(series=(), notes=("Not run: memray is not installed.",))
    plan = _PLANS[bench.size]
    found = Collected()
    kinds = [*plan.stacks, *([NATIVE] if plan.native else [])]
    for kind in kinds:
        capture = _recorded(bench, plan, kind)
        found.add(f"{kind}: capture", FRAMES, capture.stat().st_size / 1e6, "MB")
        for number, side in bench.interleaved(plan.sides, plan.rounds):
            _measure(bench, capture, side, number, found)
    goals = tuple(goal for kind in kinds for goal in goals_of(found, kind))
    return Outcome(series=found.series(_SIDES), goals=goals, notes=tuple(_notes(plan)))


def _notes(plan: _Plan) -> list[str]:
    notes = [
        f"{kind}: {plan.records:,} records (asked for, freed), {n:,} stacks that hold memory at the peak."
        for kind, n in plan.stacks.items()
    ]
    if plan.native and importlib.util.find_spec("pandas") is None:
        notes.append("native: pandas is not installed; the program works with decimals and JSON.")
    return notes


def _recorded(bench: Bench, plan: _Plan, kind: str) -> Path:
    bench.say(f"records the {kind} capture")
    capture = bench.folder / f"{kind}.bin"
    program, options = target("native_work", *plan.native), ["--native"]
    if kind != NATIVE:
        program, options = target("allocate", plan.records, plan.stacks[kind]), []
    argv = [*_memray("run"), "-q", "-f", *options, "-o", str(capture), *program[1:]]
    footprint(argv, bench.folder / "said")
    return capture


def _memray(command: str) -> list[str]:
    return [PYTHON, "-m", "memray", command]


def _measure(bench: Bench, capture: Path, side: str, number: int, found: Collected) -> None:
    kind, said = capture.stem, bench.folder / "said"
    argvs = {
        STATS: [*_memray("stats"), str(capture)],
        FLAMEGRAPH: [*_memray("flamegraph"), "-f", "-o", str(bench.folder / "page.html"), str(capture)],
    }
    if side in (FRAMES, CHART):
        for kept in capture.parent.glob(f"{capture.name}.*.parquet"):
            kept.unlink()
    cost = footprint(argvs.get(side) or target("open_capture", capture, _MODES[side]), said)
    if side != AGAIN:
        found.add(wall_of(kind), side, cost.wall_s, "s")
        found.add(f"{kind}: CPU", side, cost.cpu_s, "s")
        found.add(peak_of(kind), side, cost.peak_bytes / 1e6, "MB")
    if side in _MODES:
        _add_steps(kind, side, said, found)


def wall_of(kind: str) -> str:
    """The measure of the time that one side takes for this capture."""
    return f"{kind}: time"


def peak_of(kind: str) -> str:
    """The measure of the memory that one side takes for this capture."""
    return f"{kind}: memory"


def again_of(kind: str) -> str:
    """The measure of opening this capture when it was opened already."""
    return f"{kind}: opened again, from Parquet"


def _add_steps(kind: str, side: str, said: Path, found: Collected) -> None:
    """What our side says of itself: each step of the chart, and the second opening."""
    told = json.loads(said.read_text(encoding="utf-8").splitlines()[-1])
    steps = {step: seconds for step, seconds in told["steps"].items() if not step.startswith("import")}
    if side == AGAIN:
        found.add(again_of(kind), side, steps["open again"], "s")
    else:
        found.add(f"{kind}: time in a session that has imported all", side, sum(steps.values()), "s")
    if side == CHART:
        for step, seconds in told["steps"].items():
            found.add(f"{kind}: of which {step}", side, seconds, "s")
        found.add(f"{kind}: stacks that hold memory", side, told["stacks"], "")
        found.add(f"{kind}: the cell's output", side, told["output_bytes"] / 1e3, "kB")


def goals_of(found: Collected, kind: str) -> list[Goal]:
    """What was to be reached with this kind of capture?  Times are wall clock; ratios are taken round by round."""
    what = f"{kind} capture"
    faster = median_ratio(found, wall_of(kind), FLAMEGRAPH, CHART)
    again_s = median_of(found, again_of(kind), AGAIN)
    drawn = f"{what}: a chart on screen, times faster than `memray flamegraph`"
    again = at_most(f"{what}: opened again, from Parquet", again_s, 0.5, "s")
    if kind == NATIVE:
        return [at_least(drawn, faster, 2, "×"), again]
    over_stats = median_ratio(found, wall_of(kind), FRAMES, STATS)
    memory = median_ratio(found, peak_of(kind), CHART, FLAMEGRAPH)
    return [
        at_most(f"{what}: its frames, time over `memray stats`", over_stats, 1.3, "×"),
        at_least(drawn, faster, 3, "×"),
        at_most(f"{what}: memory of a chart over that of `memray flamegraph`", memory, 0.5, "×"),
        again,
    ]
