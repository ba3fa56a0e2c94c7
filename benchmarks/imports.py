"""What does it cost to watch imports, and are the figures those of a run that nobody watches?

Packages are imported in fresh interpreters, in turn: plainly, under `-X importtime`, recorded (costs) and recorded with
every import statement (graph).  A round is all packages, so that a busy spell of the machine does not fall on one
alone, and no side always follows the same other.  CPU is the process's own from just before the import to just after
it, as each side reads it itself; a ratio is taken round by round.  The recorder gives what it measures a stack in one
piece; a plain import has hot calls across two pieces of it or not, as it happens, and the page faults beside the times
show it: where they are many, its time is the longer.  *Memory* is what the import added; the plain side reads its own
`statm` before and after.  Dominators are timed on the largest graph of these.
"""

from __future__ import annotations

import importlib.util
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.processes import PYTHON, output_of, target
from benchmarks.results import Bench, Collected, Goal, Headline, Outcome, Size, at_most
from benchmarks.spread import known, ratios
from diagtools.analyse.import_graph import import_edges, statements
from diagtools.analyse.imports import attribute, total
from diagtools.capture.imports import interpreter_command
from diagtools.read.imports import ImportLog, read_imports

PACKAGES = ("pandas", "sklearn", "polars", "altair", "sympy", "sqlalchemy", "jupyterlab")
PLAIN, IMPORTTIME, COSTS, GRAPH = "plain import", "-X importtime", "diagtools imports", "with the graph"
_SIDES = (COSTS, GRAPH, PLAIN, IMPORTTIME)
MODULES, DOMINATORS = "modules in the largest graph", "statements and dominators of it"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    packages: int
    rounds: int


_PLANS = {
    Size.FULL: _Plan(packages=len(PACKAGES), rounds=9),
    Size.QUICK: _Plan(packages=3, rounds=5),
    Size.TINY: _Plan(packages=1, rounds=1),
}


def run(bench: Bench) -> Outcome:
    """Imports each package on every side, interleaved."""
    plan = _PLANS[bench.size]
    there = [name for name in PACKAGES if importlib.util.find_spec(name)]
    found = Collected()
    logs: list[ImportLog] = []
    names = there[: plan.packages]
    for name in names:
        for side in _SIDES:  # bytecode and pages are where they are the second time
            _measure(bench, name, side, 0, Collected())
    for number, name in bench.interleaved(names, plan.rounds):
        for side in _turned(number):
            log = _measure(bench, name, side, number + 1, found)
            if side == GRAPH and log is not None and number == 0:
                logs.append(log)
    _dominators(max(logs, key=lambda log: log.events.height), found)
    missing = [name for name in PACKAGES if name not in there]
    return Outcome(
        series=found.series(_SIDES),
        goals=tuple(_goals(found, names)),
        notes=tuple(f"{name}: not installed." for name in missing),
    )


def _turned(number: int) -> Sequence[str]:
    start = number // 2 % len(_SIDES)
    order = (*_SIDES[start:], *_SIDES[:start])
    return order[::-1] if number % 2 else order


def cpu_of(name: str) -> str:
    """The measure of one package's CPU time."""
    return f"CPU of import {name}"


def _measure(bench: Bench, name: str, side: str, number: int, found: Collected) -> ImportLog | None:
    folder = bench.folder / f"{name}-{number}-{_SIDES.index(side)}"
    folder.mkdir()
    mode = "graph" if side == GRAPH else ""
    commands = {
        PLAIN: target("import_plainly", name),
        IMPORTTIME: [PYTHON, "-X", "importtime", *target("import_plainly", name)[1:]],
    }
    argv = commands.get(side) or interpreter_command([f"import {name}"], folder, mode=mode)
    said = output_of(argv)
    log = None if side in commands else read_imports(folder)[0]
    cost = json.loads(said) if log is None else total(attribute(log.events))
    found.add(cpu_of(name), side, 1e3 * cost["cpu_s"], "ms")
    n_faults = cost["n_faults"] if log is None else log.n_faults
    found.add(f"page faults of import {name}", side, n_faults, "")
    if side != IMPORTTIME:
        _add_memory(found, name, side, cost)
    return log


def _add_memory(found: Collected, name: str, side: str, held: Mapping[str, float]) -> None:
    for what in ("anon", "rss"):
        found.add(_memory_of(what, name), side, held[f"{what}_bytes"] / 1e6, "MB")


def _memory_of(what: str, name: str) -> str:
    return f"{what} that import {name} adds"


def _dominators(log: ImportLog, found: Collected) -> None:
    imports = attribute(log.events)
    edges = import_edges(imports, log.calls)
    found.add(MODULES, COSTS, imports.height - 1, "")
    for _ in range(3):
        began = time.perf_counter_ns()
        statements(imports, edges)
        found.add(DOMINATORS, COSTS, (time.perf_counter_ns() - began) / 1e9, "s", Headline.MINIMUM)


def _goals(found: Collected, packages: list[str]) -> list[Goal]:
    def ratio(side: str, reference: str) -> dict[str, float]:
        found_ratios = {
            name: ratios(found.of(cpu_of(name), side), found.of(cpu_of(name), reference)) for name in packages
        }
        return {name: median(each) for name, each in found_ratios.items() if each}

    plain, graph = ratio(COSTS, PLAIN), ratio(GRAPH, PLAIN)
    differences = [
        abs(median(known(found.of(rss, COSTS))) - median(known(found.of(rss, PLAIN))))
        for rss in (_memory_of("rss", name) for name in packages)
    ]
    spreads = [
        max(values) - min(values)
        for name in packages
        if (values := known(found.of(_memory_of("anon", name), COSTS)))
    ]
    return [
        at_most("CPU over a plain import, geometric mean", _geomean(plain), 1.06, "×"),
        at_most("CPU over `-X importtime`, geometric mean", _geomean(ratio(COSTS, IMPORTTIME)), 1.06, "×"),
        at_most("CPU over a plain import, worst package", max(plain.values(), default=None), 1.15, "×"),
        at_most("CPU of the graph pass over a plain import, geometric mean", _geomean(graph), 1.15, "×"),
        at_most("RSS beside an unwatched run, worst package", max(differences, default=None), 0.2, "MB"),
        at_most("anonymous memory of repeated runs, worst spread", max(spreads, default=None), 0.1, "MB"),
        at_most(
            "dominators of the largest graph", min(known(found.of(DOMINATORS, COSTS)), default=None), 0.5, "s"
        ),
    ]


def _geomean(values: dict[str, float]) -> float | None:
    return math.exp(sum(map(math.log, values.values())) / len(values)) if values else None
