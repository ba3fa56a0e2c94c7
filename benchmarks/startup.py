"""How long does it take until something happens: to import diagtools, and to the program's first instruction?

*Import*: an interpreter that does nothing, imports `diagtools`, or `diagtools.mark` only; from spawn to exit, in turn,
and its user and system time from wait4.  Third-party modules are those loaded from neither the standard library
nor diagtools.  *First instruction*: the program notes CLOCK_MONOTONIC in its first line, the harness noted its own
before the spawn; started plainly, under `diagtools record`, and under the peers, in turn.  Everything is done once
before it counts, so that bytecode and pages are where they are on the second day.
"""

from __future__ import annotations

import importlib.util
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.processes import PYTHON, awaited_json, diagtools, output_of, running, script, target, wait
from benchmarks.results import Bench, Collected, Goal, Outcome, Size, at_most
from benchmarks.spread import known

BARE, IMPORT, MARK = "bare interpreter", "import diagtools", "import diagtools.mark"
PLAIN, RECORD, MPROF = "started plainly", "diagtools record", "mprof run"
PSRECORD, MEMRAY = "psrecord", "memray run"
WALL, CPU, FIRST = "from spawn to exit", "CPU of it", "from spawn to the program's first instruction"
_THIRD_PARTY = """
import sys
before = set(sys.modules)
import diagtools
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
print(len(loaded - sys.stdlib_module_names - {"diagtools"}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    imports: int
    starts: int
    warm_up: int = 1


_PLANS = {
    Size.FULL: _Plan(imports=30, starts=20),
    Size.QUICK: _Plan(imports=9, starts=5),
    Size.TINY: _Plan(imports=1, starts=1, warm_up=0),
}


def run(bench: Bench) -> Outcome:
    """Imports, then starts, each interleaved."""
    plan = _PLANS[bench.size]
    found, commands = Collected(), _commands()
    for side in plan.warm_up * [BARE, IMPORT, MARK]:
        _import(side, Collected())
    for _, side in bench.interleaved([BARE, IMPORT, MARK], plan.imports):
        _import(side, found)
    for side in plan.warm_up * list(commands):
        _start(commands[side], bench.folder / f"first-{side.split()[0]}")
    for number, side in bench.interleaved(list(commands), plan.starts):
        latency_ms = _start(commands[side], bench.folder / f"{number}-{side.split()[0]}")
        found.add(FIRST, side, latency_ms, "ms")
    n_third_party = int(output_of([PYTHON, "-c", _THIRD_PARTY]))
    sides = [BARE, IMPORT, MARK, PLAIN, RECORD, MPROF, PSRECORD, MEMRAY]
    missing = [side for side in sides[3:] if side not in commands]
    return Outcome(
        series=found.series(sides),
        goals=tuple(_goals(found, n_third_party)),
        notes=tuple(f"{side}: not installed." for side in missing),
    )


def _import(side: str, found: Collected) -> None:
    code = "pass" if side == BARE else side
    began = time.monotonic_ns()
    with running([PYTHON, "-c", code]) as process:
        ended = wait(process)
    found.add(WALL, side, (time.monotonic_ns() - began) / 1e6, "ms")
    found.add(CPU, side, 1e3 * ended.cpu_s, "ms")


def _commands() -> dict[str, Callable[[Path], list[str]]]:
    def program(folder: Path) -> list[str]:
        return target("first_line", folder / "report")

    commands: dict[str, Callable[[Path], list[str]]] = {
        PLAIN: program,
        RECORD: lambda folder: diagtools("record", "-o", folder / "run", "--", *program(folder)),
    }
    if mprof := script("mprof"):
        commands[MPROF] = lambda folder: [*mprof, "run", "-o", str(folder / "dat"), *program(folder)]
    if psrecord := script("psrecord"):
        commands[PSRECORD] = lambda folder: [
            *psrecord, "--log", str(folder / "log"), f"exec {shlex.join(program(folder))}",
        ]  # fmt: skip
    if importlib.util.find_spec("memray"):
        commands[MEMRAY] = lambda folder: [
            PYTHON, "-m", "memray", "run", "-q", "-o", str(folder / "bin"), *program(folder)[1:],
        ]  # fmt: skip
    return commands


def _start(command: Callable[[Path], list[str]], folder: Path) -> float:
    """How many ms after the spawn did the first instruction run?"""
    folder.mkdir()
    argv = command(folder)
    began = time.monotonic_ns()
    with running(argv) as process:
        wait(process)
    first_ns: object = awaited_json(folder / "report")
    return (int(str(first_ns)) - began) / 1e6


def _goals(found: Collected, n_third_party: int) -> list[Goal]:
    return [
        at_most("third-party modules that `import diagtools` loads", n_third_party, 0, ""),
        at_most("`import diagtools` over a bare interpreter", _added(found, WALL, IMPORT, BARE), 25, "ms"),
        at_most(
            "`diagtools record` to the first instruction, over a plain start",
            _added(found, FIRST, RECORD, PLAIN),
            150,
            "ms",
        ),
    ]


def _added(found: Collected, measure: str, side: str, reference: str) -> float | None:
    pairs = zip(known(found.of(measure, side)), known(found.of(measure, reference)), strict=False)
    differences = [value - base for value, base in pairs]
    return median(differences) if differences else None
