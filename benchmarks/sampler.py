"""What does it cost to follow a tree of nine processes at 100 Hz?

A root with eight children is recorded by each side in turn, round by round.  The *still* tree keeps 4 MiB a process;
in the *moving* one each process takes and drops them five times a second, which we follow with more reads.  CPU is
that of the recording side alone, in two ways.  *While following*: nanoseconds on a CPU by the kernel
(`/proc/PID/task/*/schedstat`) of every process of the recording side, at two moments while the tree runs; nothing
is to be subtracted.  *From start to end*: wait4's user and system time of the command and all its descendants, less
what the tree counted of itself (getrusage) and less what such a tree costs after its count, measured without a
recorder.  Samples are those in each side's own file; the peers sleep 10 ms *after* each sample, so they take fewer
than were asked for: CPU per sample compares at the same rate.  Memory is VmHWM, added up over the recording side.
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

RECORD, SAMPLER = "diagtools record", "its sampler alone"
MPROF, PSRECORD = "mprof run -C", "psrecord --include-children"
RATE, MEMORY = "samples taken", "memory of the recording side"
_MANNERS = ("still", "moving")
_WHILE = {manner: f"CPU while following, {manner} tree" for manner in _MANNERS}
_WHOLE = {manner: f"CPU from start to end, {manner} tree" for manner in _MANNERS}
_EACH = {manner: f"CPU per sample of the whole tree, {manner} tree" for manner in _MANNERS}
_CHILDREN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    rounds: int
    seconds: float
    settle_s: float = 0.5
    alone: int = 3


_PLANS = {
    Size.FULL: _Plan(rounds=5, seconds=4.0),
    Size.QUICK: _Plan(rounds=2, seconds=1.5),
    Size.TINY: _Plan(rounds=1, seconds=0.3, settle_s=0.1, alone=1),
}


@dataclass(frozen=True, slots=True)
class _Side:
    name: str
    command: Callable[[Sequence[str], Path], list[str]]
    stamps: Callable[[Path], list[float]]


def run(bench: Bench) -> Outcome:
    """Records both trees with every side that is installed, interleaved."""
    plan = _PLANS[bench.size]
    sides, notes = _sides()
    if bench.size is Size.TINY:
        sides = sides[:1]
    rest_s = _rest_after_count(bench, plan)
    found = Collected()
    for number, (manner, side) in bench.interleaved([(m, s) for m in _MANNERS for s in sides], plan.rounds):
        folder = bench.folder / f"{number}-{manner}-{sides.index(side)}"
        folder.mkdir()
        _measure(side, manner, folder, plan, rest_s, found)
    return Outcome(
        series=found.series([RECORD, SAMPLER, MPROF, PSRECORD]),
        goals=tuple(_goals(found)),
        notes=tuple(notes),
    )


def _sides() -> tuple[list[_Side], list[str]]:
    sides = [
        _Side(RECORD, _record, stamps.of_run),
        _Side(MPROF, _mprof, stamps.of_mprof),
        _Side(PSRECORD, _psrecord, stamps.of_psrecord),
    ]
    missing = [side.name for side in sides[1:] if script(side.name.split()[0]) is None]
    return [side for side in sides if side.name not in missing], [
        f"{name}: not installed." for name in missing
    ]


def _record(argv: Sequence[str], output: Path) -> list[str]:
    return diagtools("record", "--hz", 100, "-o", output, "--", *argv)


def _mprof(argv: Sequence[str], output: Path) -> list[str]:
    return [*(script("mprof") or []), "run", "-C", "-T", "0.01", "-o", str(output), *argv]


def _psrecord(argv: Sequence[str], output: Path) -> list[str]:
    options = ["--include-children", "--interval", "0.01", "--log", str(output)]
    return [*(script("psrecord") or []), *options, f"exec {shlex.join(argv)}"]


def _tree(folder: Path, seconds: float, manner: str) -> list[str]:
    return target("tree", folder / "ready", folder / "report", _CHILDREN, seconds, manner)


def _rest_after_count(bench: Bench, plan: _Plan) -> float:
    """What does the tree cost between its own count and its end?  Without a recorder; the median."""
    rests = []
    for number in range(plan.alone):
        folder = bench.folder / f"alone-{number}"
        folder.mkdir()
        with running(_tree(folder, 0.5, "still")) as process:
            rests.append(wait(process).cpu_s - float(awaited_json(folder / "report")["cpu_s"]))
    return median(rests)


def _measure(side: _Side, manner: str, folder: Path, plan: _Plan, rest_s: float, found: Collected) -> None:
    argv = side.command(_tree(folder, plan.seconds + 2 * plan.settle_s, manner), folder / "output")
    with running(argv) as process:
        tree = set(awaited_json(folder / "ready", process)["pids"])
        time.sleep(plan.settle_s)
        pids = [pid for pid in descendants(process.pid) if pid not in tree]
        before, began = [cpu_ns(pid) for pid in pids], time.monotonic_ns()
        time.sleep(plan.seconds)
        after, ended = [cpu_ns(pid) for pid in pids], time.monotonic_ns()
        memory = [hwm_bytes(pid) / 1e6 for pid in pids]
        whole_s = wait(process).cpu_s - float(awaited_json(folder / "report")["cpu_s"]) - rest_s
    used = [100 * (b - a) / (ended - began) for a, b in zip(before, after, strict=True)]
    times = side.stamps(folder / "output")
    rate = (len(times) - 1) / (times[-1] - times[0])
    parts = {side.name: (sum(used), sum(memory))}
    if side.name == RECORD:
        parts[SAMPLER] = used[-1], memory[-1]  # the recorder's only child
    for name, (percent, megabytes) in parts.items():
        found.add(_WHILE[manner], name, percent, "% of one core")
        found.add(_EACH[manner], name, percent * 1e4 / rate, "µs")
        found.add(MEMORY, name, megabytes, "MB")
    found.add(RATE, side.name, rate, "Hz")
    found.add(_WHOLE[manner], side.name, whole_s, "s")


def _goals(found: Collected) -> list[Goal]:
    goals = []
    for manner in _MANNERS:
        used = median_of(found, _WHILE[manner], SAMPLER)
        goals.append(at_most(f"CPU of the sampler at 100 Hz, {manner} tree of 9", used, 2, "% of one core"))
    goals.append(at_most("memory of the sampler (VmHWM)", median_of(found, MEMORY, SAMPLER), 15, "MB"))
    for peer in (MPROF, PSRECORD):
        for manner in _MANNERS:
            ratio = median_ratio(found, _WHILE[manner], peer, RECORD)
            goals.append(at_least(f"CPU of {peer} over recorder and sampler, {manner} tree", ratio, 8, "×"))
    return goals
