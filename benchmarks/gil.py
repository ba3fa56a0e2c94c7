"""How many of the samples that are due does a recorder get while a C call holds the GIL, and does it see the peak?

The program makes one call into C that never gives up the GIL, while lists of 110 MB are made and dropped inside it.
Ours samples from outside; beside it two sampler threads inside the program, each in a run of its own: memory_profiler
and a plain loop over `/proc/self/statm`.  All were asked for 100 Hz.  Due is the length of the call times 100;
a sample counts if its time lies within the call.  The peak seen is compared with the kernel's high-water mark.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from benchmarks.processes import awaited_json, diagtools, running, target, wait
from benchmarks.results import Bench, Collected, Outcome, Size, at_least, median_of
from diagtools.read.timeline import read_timeline

RECORDED = "diagtools record"
_THREADS = {"statm": "a thread that reads statm", "memory_profiler": "memory_profiler in a thread"}
GOT, PEAK = "samples got of those due", "peak seen of the true one"
_HZ = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    rounds: int
    lists: int


_PLANS = {
    Size.FULL: _Plan(rounds=5, lists=20),
    Size.QUICK: _Plan(rounds=2, lists=10),
    Size.TINY: _Plan(rounds=1, lists=2),
}


def run(bench: Bench) -> Outcome:
    """Makes the call under each recorder, interleaved."""
    plan = _PLANS[bench.size]
    has_peer = importlib.util.find_spec("memory_profiler") is not None
    watchers = ["none", "statm", *(["memory_profiler"] if has_peer and bench.size is not Size.TINY else [])]
    found = Collected()
    for number, watcher in bench.interleaved(watchers, plan.rounds):
        folder = bench.folder / f"{number}-{watcher}"
        folder.mkdir()
        _measure(folder, watcher, plan.lists, found)
    goal = at_least("samples got while the GIL is held", median_of(found, GOT, RECORDED), 99, "%")
    notes = () if has_peer else ("memory_profiler: not installed.",)
    return Outcome(series=found.series([RECORDED, *_THREADS.values()]), goals=(goal,), notes=notes)


def _measure(folder: Path, watcher: str, n_lists: int, found: Collected) -> None:
    argv = target("hold_gil", folder / "report", n_lists, watcher)
    if watcher == "none":
        argv = diagtools("record", "--hz", _HZ, "-o", folder / "run", "--", *argv)
    with running(argv) as process:
        wait(process)
    call = awaited_json(folder / "report")
    if watcher == "none":
        n_seen, peak_bytes = _seen_from_outside(folder / "run", call["began_s"], call["ended_s"])
    else:
        n_seen, peak_bytes = call["n_seen"], call["peak_seen_bytes"]
    side = _THREADS.get(watcher, RECORDED)
    due = int((call["ended_s"] - call["began_s"]) * _HZ)
    found.add(GOT, side, 100 * min(1.0, n_seen / due), "%")
    found.add(PEAK, side, 100 * peak_bytes / call["hwm_bytes"], "%")


def _seen_from_outside(folder: Path, began_s: float, ended_s: float) -> tuple[int, int]:
    recorded = read_timeline(folder)
    times = pl.col("t_s") + (recorded.start_ns or 0) / 1e9
    during = recorded.samples.filter((times >= began_s) & (times <= ended_s))
    peak = during["rss_bytes"].max()
    return during["t_s"].n_unique(), peak if isinstance(peak, int) else 0
