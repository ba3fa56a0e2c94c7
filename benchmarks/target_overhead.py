"""How much more CPU time does a program take because it is recorded?

A fixed amount of work (2 s or more of CPU that computes, allocates and touches fresh pages while 200 MB are held) runs
plain and under `diagtools record`, in turn; which of the two comes first alternates.  Beside the program runs a meter,
its parent, which reads user and system time from wait4: the probes that a recording puts into the program's start are
counted, the recorder and the sampler are not.  The meter is part of the recorded tree on both sides, which makes it a
tree of two: shared pages are read too, as they are not for a single process.
Then the same with a program that does nothing, for what every start costs once.  The ratio is that of each pair; its
mean is trimmed by a tenth on either side, with a 95 % bootstrap interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import PYTHON, TARGETS, awaited_json, diagtools, running, target, wait
from benchmarks.results import Bench, Collected, Estimate, Outcome, Size, at_most
from benchmarks.spread import bootstrap_interval, ratios, trimmed_mean

RECORDED, PLAIN = "recorded by diagtools", "plain"
TOTAL, KERNEL = "CPU time of the program", "of it in the kernel"
NOTHING = "CPU time of a program that does nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    pairs: int
    rounds: int


_PLANS = {
    Size.FULL: _Plan(pairs=30, rounds=1600),
    Size.QUICK: _Plan(pairs=4, rounds=800),
    Size.TINY: _Plan(pairs=1, rounds=5),
}


def run(bench: Bench) -> Outcome:
    """Runs the pairs; the goal is judged by the estimate, the interval says how sure it is."""
    plan = _PLANS[bench.size]
    found = Collected()
    for number, side in bench.interleaved([RECORDED, PLAIN], plan.pairs):
        folder = bench.folder / f"{number}-{side.split()[0]}"
        used = _used(folder, side, target("work", plan.rounds))
        found.add(TOTAL, side, used["user_s"] + used["system_s"], "s")
        found.add(KERNEL, side, used["system_s"], "s")
        used = _used(folder / "nothing", side, [PYTHON, "-c", "pass"])
        found.add(NOTHING, side, 1e3 * (used["user_s"] + used["system_s"]), "ms")
    extra = [100 * (ratio - 1) for ratio in ratios(found.of(TOTAL, RECORDED), found.of(TOTAL, PLAIN))]
    low, high = bootstrap_interval(extra, trimmed_mean)
    estimate = Estimate(
        what="CPU time that a recording adds to the program",
        value=trimmed_mean(extra),
        low=low,
        high=high,
        unit="%",
        method=f"mean of {len(extra)} paired ratios, a tenth trimmed on either side; 95 % bootstrap interval",
    )
    goal = at_most("CPU time that a recording adds to the program", estimate.value, 1, "%")
    return Outcome(series=found.series([PLAIN, RECORDED]), goals=(goal,), estimates=(estimate,))


def _used(folder: Path, side: str, command: Sequence[str]) -> dict[str, float]:
    folder.mkdir()
    report = folder / "report"
    argv = [PYTHON, "-I", str(TARGETS / "meter.py"), str(report), *command]
    if side == RECORDED:
        argv = diagtools("record", "-o", folder / "run", "--", *argv)
    with running(argv) as process:
        wait(process)
    return awaited_json(report)
