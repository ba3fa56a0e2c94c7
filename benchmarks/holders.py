"""How long from 5 million objects to who keeps them alive, and at what cost in the program?

Each side gets a fresh process that makes the same objects, in turn.  *instances*: of a class, with a number, a text and
a list; *documents*: what `json.loads` gives; *entangled*: nodes that refer to others at random, to their children and
to their parent, so that nearly all of them are one core of circles.
Ours: the program, under `diagtools record --holders`, gets the signal that a user would send; then a second process
opens the run and has the table of holders.  *Until the answer* is both together, imports too.  The peers do the nearest
thing within the program, which stands still for it: objgraph `most_common_types` and, for one object out of all,
`find_backref_chain`; guppy3 `hpy().heap()` and `domisize` (what would be freed) of the type that takes most; Pympler
`muppy.get_objects` and `summary.summarize`.  None of them says who holds all of it.  *On top* is by how much the
kernel's high-water mark (VmHWM, begun anew) rose above the RSS before, as a multiple of that; CPU is the process's.
A peer that takes more than 120 s or an address space of 6 GiB is ended there, and not asked again for that shape.
All of it has one round, as each takes minutes.
"""

from __future__ import annotations

import importlib.util
import json
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from benchmarks.footprint import FailedError, footprint
from benchmarks.machine import without_paths
from benchmarks.processes import diagtools, running, target, wait
from benchmarks.results import Bench, Collected, Goal, Outcome, Size, at_most, median_of

OURS = "diagtools, holders"
#: The distributions, and what is imported: the target calls its ways of looking by that too.
PEERS = {"objgraph": "objgraph", "guppy3": "guppy", "Pympler": "pympler"}
SHAPES = ("instances", "documents", "entangled")
_MOST_S, _MOST_ON_TOP = 30, 1
_PEER_S, _PEER_BYTES = 120, 6 << 30  # what a peer may take
_NO_ROOM = (
    "MemoryError",
    "Memory allocation",
    "failed to map segment",
)  # Python, OpenBLAS, the dynamic loader
_LEAST_SHARE = 0.95  # of the objects that were wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    rounds: int
    objects: int


_PLANS = {
    Size.FULL: _Plan(rounds=1, objects=5_000_000),
    Size.QUICK: _Plan(rounds=1, objects=1_000_000),
    Size.TINY: _Plan(rounds=1, objects=20_000),
}


def run(bench: Bench) -> Outcome:
    """Looks at each shape on every side that is installed, interleaved."""
    plan, found = _PLANS[bench.size], Collected()
    peers = [name for name, module in PEERS.items() if importlib.util.find_spec(module)]
    versions = [f"{name} {metadata.version(name) if name in peers else 'not installed'}" for name in PEERS]
    notes = [f"Peers: {', '.join(versions)}."]
    for shape in SHAPES:
        ended: set[str] = set()
        for number, side in bench.interleaved([OURS, *peers], plan.rounds):
            if side in ended:
                continue
            folder = bench.folder / f"{shape}-{number}-{PEERS.get(side, 'ours')}"
            folder.mkdir()
            bench.say(f"{shape}: {side}")
            if side == OURS:
                said = _ours(shape, folder, plan, found)
                notes += [] if number else [said]
            elif said := _peer(side, shape, folder, plan, found):
                ended.add(side)
                notes.append(said)
    goals = tuple(goal for shape in SHAPES for goal in goals_of(found, shape))
    return Outcome(series=found.series([OURS, *peers]), goals=goals, notes=tuple(notes))


def _ours(shape: str, folder: Path, plan: _Plan, found: Collected) -> str:
    """Adds what a snapshot and its table of holders cost, and says what stands first in the table."""
    report, run_folder, said = folder / "report", folder / "run", folder / "said"
    program = target("hold_objects", shape, plan.objects, "snapshot", report, _PEER_S, _PEER_BYTES)
    footprint(diagtools("record", "--holders", "-o", run_folder, "--", *program), said)
    (step,) = steps_of(report)
    cost = footprint(target("open_holders", run_folder), said)
    told = json.loads(said.read_text(encoding="utf-8").splitlines()[-1])
    if told["n_objects"] < _LEAST_SHARE * plan.objects:
        raise FailedError(
            f"{shape}: {told['n_objects']:,} objects in the snapshot, {plan.objects:,} were made."
        )
    found.add(until_of(shape), OURS, step.wall_s + cost.wall_s, "s")
    found.add(f"{shape}: CPU", OURS, step.cpu_s + cost.cpu_s, "s")
    found.add(f"{shape}: the program stands still", OURS, step.wall_s, "s")
    found.add(f"{shape}: of it no thread runs, as the snapshot says", OURS, told["pause_s"], "s")
    found.add(on_top_of(shape), OURS, step.on_top_bytes / step.rss_bytes, "× its RSS")
    for name, seconds in told["steps"].items():
        found.add(f"{shape}: afterwards, {name}", OURS, seconds, "s")
    found.add(f"{shape}: memory of the second process", OURS, cost.peak_bytes / 1e6, "MB")
    found.add(f"{shape}: the file", OURS, told["file_bytes"] / 1e6, "MB")
    first = told["first"][0]
    share = first["retained_bytes"] / told["sum_bytes"]
    objects = f"{told['n_objects']:,} objects, RSS {step.rss_bytes / 1e6:,.0f} MB"
    return f"{shape}: {objects}; the first row is `{first['path']}` with {share:.0%} of what all take."


def _peer(side: str, shape: str, folder: Path, plan: _Plan, found: Collected) -> str:
    """Adds what this peer costs; says why, where it did not come to its end."""
    report, said = folder / "report", folder / "said"
    argv = target("hold_objects", shape, plan.objects, PEERS[side], report, _PEER_S, _PEER_BYTES)
    with running(argv, output=said) as process:
        status = wait(process).exit_status
    steps = steps_of(report)
    is_done = status == 0
    wall_s, cpu_s = sum(step.wall_s for step in steps), sum(step.cpu_s for step in steps)
    found.add(until_of(shape), side, wall_s if is_done else None, "s")
    found.add(f"{shape}: CPU", side, cpu_s if is_done else None, "s")
    found.add(f"{shape}: the program stands still", side, wall_s if is_done else None, "s")
    on_top = _highest(steps) / steps[0].rss_bytes - 1 if is_done else None
    found.add(on_top_of(shape), side, on_top, "× its RSS")
    if is_done:
        return ""
    done = ", ".join(f"{step.name} took {step.wall_s:.1f} s" for step in steps) or "nothing was done"
    return f"{shape}: {side} {why_ended(status, said, most_s=_PEER_S)}; {done}."


def why_ended(status: int, said: Path, *, most_s: int) -> str:
    """Why did a peer not come to its end?  Raises ``FailedError`` where it was no limit of ours."""
    if status == -signal.SIGALRM:
        return f"was not done in {most_s} s"
    text = said.read_text(encoding="utf-8", errors="replace") if said.exists() else ""
    if any(words in text for words in _NO_ROOM):
        return "needed more address space than it may have"
    last = (text.strip().splitlines() or ["nothing said"])[-1]
    raise FailedError(f"A peer exited with {status}: {without_paths(last)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one step cost in the program, and by how much its memory rose above what it had before."""

    name: str
    wall_s: float
    cpu_s: float
    rss_bytes: int
    on_top_bytes: int


def steps_of(report: Path) -> list[Step]:
    """Which steps came to their end?  In their order."""
    lines = report.read_text(encoding="utf-8").splitlines() if report.exists() else []
    return [Step(**json.loads(line)) for line in lines]


def _highest(steps: Sequence[Step]) -> int:
    return max(step.rss_bytes + step.on_top_bytes for step in steps)


def until_of(shape: str) -> str:
    """The measure of the time from the moment that is asked about to the answer."""
    return f"{shape}: until the answer"


def on_top_of(shape: str) -> str:
    """The measure of the memory that the program takes for it, for a moment."""
    return f"{shape}: memory on top"


def goals_of(found: Collected, shape: str) -> list[Goal]:
    """What was to be reached with this shape: medians."""
    seconds, on_top = (median_of(found, measure, OURS) for measure in (until_of(shape), on_top_of(shape)))
    return [
        at_most(f"holders of {shape}: from pause to table", seconds, _MOST_S, "s"),
        at_most(f"holders of {shape}: memory on top in the program", on_top, _MOST_ON_TOP, "× its RSS"),
    ]
