"""What does it cost to follow a tree of nine processes at 100 Hz?

A root with eight children, each of which holds 4 MiB and drops it again every 200 ms, is recorded by each side in
turn, round by round.  CPU is that of the recording side alone, in two ways that must agree.  *While following*:
nanoseconds on a CPU by the kernel (``/proc/PID/task/*/schedstat``) of every process of the recording side, at two
moments while the tree runs; nothing is to be subtracted.  *From start to end*: wait4's user and system time of the
command and all its descendants, less what the tree counted of itself (getrusage) and less what such a tree costs
after its count, measured without a recorder.  Samples are those in each side's own file; the peers sleep 10 ms *after* each
sample, so they take fewer than were asked for: CPU per sample compares at the same rate.  Memory is VmHWM.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import stamps
from benchmarks.processes import (
    awaited_json,
    cpu_ns,
    descendants,
    diagtools,
    hwm_bytes,
    running,
    script,
    target,
    wait,
)
from benchmarks.results import Bench, Collected, Goal, Outcome, Size, at_least, at_most, median_of, median_ratio

RECORD, SAMPLER = "diagtools record", "diagtools' sampler alone"
MPROF, PSRECORD = "mprof run -C", "psrecord --include-children"
WHILE, WHOLE, RATE = "CPU while following", "CPU from start to end", "samples taken"
PER_SAMPLE, MEMORY = "CPU per sample of the tree", "memory of the recording side"
_SETTLE_S = 0.5
_CHILDREN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    rounds: int
    seconds: float


_PLANS = {
    Size.FULL: _Plan(rounds=7, seconds=6.0),
    Size.QUICK: _Plan(rounds=2, seconds=3.0),
    Size.TINY: _Plan(rounds=1, seconds=0.4),
}


@dataclass(frozen=True, slots=True)
class _Side:
    name: str
    command: Callable[[Sequence[str], Path], list[str]]
    stamps: Callable[[Path], list[float]]


def run(bench: Bench) -> Outcome:
    """Records the tree with every side that is installed, interleaved."""
    plan = _PLANS[bench.size]
    sides, notes = _sides()
    rest_s = _rest_after_count(bench, plan)
    found = Collected()
    for number, side in bench.interleaved(sides, plan.rounds):
        folder = bench.folder / f"{number}-{side.name.replace(' ', '-')}"
        folder.mkdir()
        _measure(side, folder, plan, rest_s, found)
    return Outcome(
        series=found.series([RECORD, SAMPLER, MPROF, PSRECORD]), goals=tuple(_goals(found)), notes=tuple(notes)
    )


def _sides() -> tuple[list[_Side], list[str]]:
    sides = [_Side(RECORD, _record, stamps.of_run)]
    notes = []
    for name, command, reader in (("mprof", _mprof, stamps.of_mprof), ("psrecord", _psrecord, stamps.of_psrecord)):
        if script(name):
            sides.append(_Side(MPROF if name == "mprof" else PSRECORD, command, reader))
        else:
            notes.append(f"{name}: not installed.")
    return sides, notes


def _record(argv: Sequence[str], output: Path) -> list[str]:
    return diagtools("record", "--hz", 100, "-o", output, "--", *argv)


def _mprof(argv: Sequence[str], output: Path) -> list[str]:
    return [*(script("mprof") or []), "run", "-C", "-T", "0.01", "-o", str(output), *argv]


def _psrecord(argv: Sequence[str], output: Path) -> list[str]:
    options = ["--include-children", "--interval", "0.01", "--log", str(output)]
    return [*(script("psrecord") or []), *options, f"exec {shlex.join(argv)}"]


def _tree(folder: Path, seconds: float) -> list[str]:
    return target("tree", folder / "ready", folder / "report", _CHILDREN, seconds)


def _rest_after_count(bench: Bench, plan: _Plan) -> float:
    """What does the tree cost between its own count and its end?  Without a recorder, median of three."""
    rests = []
    for number in range(3 if bench.size is not Size.TINY else 1):
        folder = bench.folder / f"alone-{number}"
        folder.mkdir()
        with running(_tree(folder, plan.seconds / 4)) as process:
            rests.append(wait(process).cpu_s - float(awaited_json(folder / "report")["cpu_s"]))
    return median(rests)


def _measure(side: _Side, folder: Path, plan: _Plan, rest_s: float, found: Collected) -> None:
    argv = side.command(_tree(folder, plan.seconds + 2 * _SETTLE_S), folder / "output")
    with running(argv) as process:
        tree = set(awaited_json(folder / "ready", process)["pids"])
        time.sleep(_SETTLE_S)
        pids = [pid for pid in descendants(process.pid) if pid not in tree]
        before, began = [cpu_ns(pid) for pid in pids], time.monotonic_ns()
        time.sleep(plan.seconds)
        after, ended = [cpu_ns(pid) for pid in pids], time.monotonic_ns()
        memory = [hwm_bytes(pid) / 1e6 for pid in pids]
        whole_s = wait(process).cpu_s - float(awaited_json(folder / "report")["cpu_s"]) - rest_s
    used = [100 * (b - a) / (ended - began) for a, b in zip(before, after, strict=True)]
    times = side.stamps(folder / "output")
    rate = (len(times) - 1) / (times[-1] - times[0])
    found.add(WHILE, side.name, sum(used), "% of one core")
    found.add(WHOLE, side.name, whole_s, "s")
    found.add(PER_SAMPLE, side.name, sum(used) * 1e4 / rate, "µs")
    found.add(RATE, side.name, rate, "Hz")
    found.add(MEMORY, side.name, sum(memory), "MB")
    if side.name == RECORD:
        found.add(WHILE, SAMPLER, used[-1], "% of one core")
        found.add(PER_SAMPLE, SAMPLER, used[-1] * 1e4 / rate, "µs")
        found.add(MEMORY, SAMPLER, memory[-1], "MB")


def _goals(found: Collected) -> list[Goal]:
    goals = [
        at_most("CPU of recorder and sampler, tree of 9, 100 Hz", median_of(found, WHILE, RECORD), 2, "% of one core"),
        at_most("memory of the sampler", median_of(found, MEMORY, SAMPLER), 15, "MB"),
        at_least("samples taken of 100 Hz", median_of(found, RATE, RECORD), 99, "Hz"),
    ]
    for peer in (MPROF, PSRECORD):
        goals.append(at_least(f"CPU of {peer} over ours", median_ratio(found, WHILE, peer, RECORD), 8, "×"))
    return goals
