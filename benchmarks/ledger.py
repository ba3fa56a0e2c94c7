"""How long does a process stand still for a snapshot of its ledger, and how much of its memory stays unexplained?

A program fills 2 GB in one shape, under `diagtools record --ledger`, and asks itself for snapshots by the signal that a
user would send.  *small*: lists of one number, in the arenas of Python's allocator; *blocks*: 64 kB to 1 MB each, bytes
and arrays; *threads*: 24 of them, each with blocks of 1 to 16 kB in an arena of glibc's; *mappings*: a few arrays of
hundreds of MB, one of them half touched, and shared memory; *raw*: private mappings made past every allocator;
*fragments*: what stays when 19 of 20 small objects and blocks of 2 kB were freed.
Beside it stands, in the same process and in turn, what one reads today and what says less: `/proc/self/smaps` as text,
the same parsed by psutil (`memory_maps`), and sums (`memory_full_info`).  *Pause* is wall clock around the call in the
thread that makes it, *CPU* that thread's; files are written within it.  Then one snapshot more a round, while another
thread sleeps for a ms again and again: how late did it wake up at most?  *Unexplained* is what the ledger says of
itself, of the RSS.  Of *raw* that is nearly all, and no goal: nobody handed it out, so nobody says whose it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from benchmarks.footprint import FailedError, footprint
from benchmarks.processes import awaited_json, diagtools, target
from benchmarks.results import Bench, Collected, Goal, Outcome, Size, at_most, median_of
from benchmarks.spread import known
from diagtools.analyse.ledger import Component
from diagtools.run import Run

OURS = "diagtools, ledger"
_SIDES = {
    "snapshot": OURS,
    "read smaps": "read /proc/self/smaps",
    "psutil memory_maps": "psutil memory_maps",
    "psutil memory_full_info": "psutil memory_full_info",
}
RAW = "raw"
SHAPES = ("small", "blocks", "threads", "mappings", RAW, "fragments")
_MOST_MS, _MOST_UNEXPLAINED = 250, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    rounds: int
    megabytes: int


_PLANS = {
    Size.FULL: _Plan(rounds=7, megabytes=2_000),
    Size.QUICK: _Plan(rounds=2, megabytes=500),
    Size.TINY: _Plan(rounds=1, megabytes=24),
}


def run(bench: Bench) -> Outcome:
    """Fills each shape once, in a process of its own, and looks at it in all ways, interleaved."""
    plan, found = _PLANS[bench.size], Collected()
    notes = [_measured(bench, shape, plan, found) for shape in SHAPES]
    goals = tuple(goal for shape in SHAPES for goal in goals_of(found, shape))
    return Outcome(series=found.series([*_SIDES.values()]), goals=goals, notes=tuple(notes))


def _measured(bench: Bench, shape: str, plan: _Plan, found: Collected) -> str:
    """Adds what this shape costs and says what the memory consisted of."""
    bench.say(f"{shape}: fills {plan.megabytes:,} MB")
    folder, report = bench.folder / shape, bench.folder / f"{shape}.json"
    program = target("hold_memory", shape, plan.megabytes, plan.rounds, report)
    footprint(diagtools("record", "--ledger", "-o", folder, "--", *program), bench.folder / "said")
    told = awaited_json(report)
    for way, side in _SIDES.items():
        for wall_ns, cpu_ns in told["costs"][way]:
            found.add(pause_of(shape), side, wall_ns / 1e6, "ms")
            found.add(f"{shape}: CPU", side, cpu_ns / 1e6, "ms")
    for late_ns in told["waited"]:
        found.add(f"{shape}: another thread wakes up late", OURS, late_ns / 1e6, "ms")
    ledger = Run.open(folder).ledger
    for share in _unexplained(ledger, 2 * plan.rounds, folder):
        found.add(unexplained_of(shape), OURS, 100 * share, "%")
    return f"{shape}: {told['rss_bytes'] / 1e6:,.0f} MB, of it {_largest(ledger)}."


def _unexplained(ledger: pl.DataFrame, n_wanted: int, folder: Path) -> list[float]:
    """The share in each snapshot.  Raises ``FailedError`` where one is missing, or does not sum to the whole."""
    shares = ledger.filter(pl.col("component") == Component.UNEXPLAINED)["share"].to_list()
    sums = ledger.group_by("index").agg(pl.col("share").sum())["share"].to_list()
    if len(shares) != n_wanted or any(abs(total - 1) > 1e-9 for total in sums):
        raise FailedError(
            f"{folder.name}: {len(shares)} snapshots of {n_wanted}, their shares sum to {sums}."
        )
    return shares


def _largest(ledger: pl.DataFrame) -> str:
    """The three components that hold most at the last snapshot."""
    last = ledger.filter(pl.col("index") == pl.col("index").max()).sort("bytes", descending=True).head(3)
    return ", ".join(f"{row['component']} {row['share']:.0%}" for row in last.iter_rows(named=True))


def pause_of(shape: str) -> str:
    """The measure of the time that one look at this shape takes."""
    return f"{shape}: pause"


def unexplained_of(shape: str) -> str:
    """The measure of what the ledger does not explain of this shape."""
    return f"{shape}: unexplained"


def goals_of(found: Collected, shape: str) -> list[Goal]:
    """What was to be reached with this shape: the median pause, and the worst of all its snapshots."""
    pause = at_most(f"ledger of {shape}: pause", median_of(found, pause_of(shape), OURS), _MOST_MS, "ms")
    if shape == RAW:
        return [pause]
    unexplained = max(map(abs, known(found.of(unexplained_of(shape), OURS))), default=None)
    return [pause, at_most(f"ledger of {shape}: unexplained at most", unexplained, _MOST_UNEXPLAINED, "%")]
