"""What does importing cost, who pays for what, and which statement holds it?"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl

from diagtools import frames
from diagtools.analyse.import_graph import (
    chain,
    held_modules,
    import_edges,
    packages_run_along,
    statements,
)
from diagtools.analyse.import_icicle import icicle
from diagtools.analyse.import_waterfall import import_staircase, import_waterfall
from diagtools.analyse.imports import attribute, by_package, total
from diagtools.capture.child import OUTPUTS, check_python
from diagtools.capture.imports import capture_command_imports, capture_imports
from diagtools.errors import BudgetBreached, NoDataError, UsageError
from diagtools.investigations.progress import Progress
from diagtools.present.charts.import_chain import import_chain_chart
from diagtools.present.charts.import_waterfall import import_waterfall_chart
from diagtools.present.charts.imports import icicle_chart
from diagtools.present.imports import import_summary, imports_json, place
from diagtools.read.imports import ImportLog, read_imports
from diagtools.read.manifest import read_manifest
from diagtools.values import Budget, State, Target, Validity

#: A run that faults in so many times the pages of another paid for the place of its stack, not for its imports.
_CLIFF = 1.5
_CLIFF_PAGES = 20_000


@dataclass(frozen=True, kw_only=True)
class ImportCost:
    """The measured imports of one interpreter; the figures are those of one run, the median one.

    ``python`` is its version, ``executable`` its path; ``events`` is IMPORT_EVENTS, ``imports`` IMPORTS, ``runs`` holds
    IMPORTS of each repetition, ``edges`` is IMPORT_EDGES; ``error`` is the type of the exception that ended the import
    (empty for none) and ``last_words`` what it printed.
    """

    target: str
    python: str
    executable: str
    pid: int
    events: pl.DataFrame
    imports: pl.DataFrame
    runs: tuple[pl.DataFrame, ...]
    edges: pl.DataFrame
    error: str
    last_words: tuple[str, ...]
    validity: tuple[Validity, ...]

    @cached_property
    def total(self) -> dict[str, float]:
        """What did all cost together: ``wall_s``, ``cpu_s``, ``rss_bytes``, ``anon_bytes``?"""
        return total(self.imports)

    @cached_property
    def spread(self) -> dict[str, tuple[float, float]]:
        """Between which values did each total lie?"""
        totals = [total(run) for run in self.runs]
        return {name: (min(t[name] for t in totals), max(t[name] for t in totals)) for name in self.total}

    @property
    def interpreter_bytes(self) -> int:
        """What did the interpreter hold of its own before the first import, the recorder with it?"""
        return int(self.events["anon_bytes"][0])

    @cached_property
    def packages(self) -> pl.DataFrame:
        """IMPORT_PACKAGES."""
        return by_package(self.imports)

    @cached_property
    def statements(self) -> pl.DataFrame:
        """STATEMENTS, of the program's whole import graph."""
        return statements(self.imports, self.edges)

    @cached_property
    def packages_run_along(self) -> pl.DataFrame:
        """PACKAGES_RUN_ALONG."""
        return packages_run_along(self.imports, self.edges)

    def held_by(self, places: Iterable[tuple[str, int]]) -> pl.DataFrame:
        """IMPORTS of the modules that would not be there without the statements at these places (file and line)."""
        return self.imports.filter(pl.col("module").is_in(held_modules(self.edges, places)))

    def chain(self, module: str) -> pl.DataFrame:
        """Who pulled this module in?  IMPORT_EDGES, in order.  Raises ``NoDataError`` where nothing leads to it."""
        found = chain(self.edges, module)
        if found.is_empty():
            raise NoDataError(
                f"Nothing imports {module!r} here.", hint="`cost.imports` lists what was imported."
            )
        return found

    def chart(self) -> alt.TopLevelMixin:
        """Who imported whom, each as wide as the memory that came with it."""
        return icicle_chart(icicle(self.imports))

    def waterfall(self) -> alt.TopLevelMixin:
        """When each module was imported, and how memory rose meanwhile."""
        staircase = import_staircase(self.events)
        return import_waterfall_chart(import_waterfall(self.events, self.imports), staircase)

    def chain_chart(self, module: str) -> alt.TopLevelMixin:
        """Who pulled this module in, statement by statement.  Raises ``NoDataError`` where nothing leads to it."""
        return import_chain_chart(self.chain(module), self.imports)

    def check(self, budget: Budget | None = None, *, forbid: Sequence[str] = ()) -> None:
        """Do the imports keep the budget, in every run, and leave these packages out?  Raises ``BudgetBreached``.

        The budget's metric is ``anon_bytes`` or ``rss_bytes``; ``UsageError`` for another.
        """
        must_not_import(forbid, self.target, self.edges)
        if budget is None:
            return
        if budget.metric not in ("anon_bytes", "rss_bytes"):
            hint = "metric='anon_bytes', or 'rss_bytes' with the pages of files."
            raise UsageError(f"Imports have no {budget.metric!r}.", hint=hint)
        budget.check(
            int(self.spread[budget.metric][1]), hint="`diagtools imports … --verify 3` tells what can wait."
        )

    def in_short(self) -> tuple[int, str, float, int, float]:
        """Its pid, command, anonymous bytes, number of modules and seconds."""
        return self.pid, self.target, self.total["anon_bytes"], self.imports.height - 1, self.total["wall_s"]

    def as_text(self) -> str:
        """The cost for a terminal."""
        return import_summary(self)

    def as_json(self) -> dict[str, Any]:
        """The cost for scripts: the contract of ``imports --json``."""
        return imports_json(self)


def import_cost(
    *targets: str, python: str = sys.executable, repeat: int = 5, timeout_s: float = 300.0
) -> ImportCost:
    """What does it cost to import these, in a fresh interpreter?

    Each target is a module (``sklearn.ensemble``) or a statement (``import a, b``); several are executed one after the
    other in one process.  ``repeat`` runs measure, one more records the graph.
    Raises ``UsageError`` for what is neither, and where ``python`` cannot be measured.
    """
    if repeat < 1:
        raise UsageError(f"repeat={repeat} measures nothing.", hint="repeat=5 shows the spread too.")
    codes = [statement_of(target) for target in targets]
    version = check_python(python)
    progress = Progress()
    with tempfile.TemporaryDirectory(prefix="diagtools-") as folder:
        logs = []
        for number in range(repeat):
            progress.say(f"importing, {number + 1} of {repeat} …")
            path = capture_imports(codes, Path(folder) / str(number), python=python, timeout_s=timeout_s)
            logs.append((_main_log(path), path))
        progress.say("importing once more, for the graph …")
        graph = capture_imports(codes, Path(folder) / "graph", python=python, graph=True, timeout_s=timeout_s)
        _must_be_there(targets, logs[0])
        return _joined("; ".join(targets), version, logs, _main_log(graph))


def command_import_cost(target: Target, *, timeout_s: float = 3600.0) -> list[ImportCost]:
    """What do the Python processes that this command starts import, those that import most first?

    The command runs twice: for the costs, and for the graph.  Raises ``StartError`` where it cannot be started and
    ``NoDataError`` where no process of it can be seen.
    """
    progress = Progress()
    with tempfile.TemporaryDirectory(prefix="diagtools-") as folder:
        progress.say("running the command …")
        path = capture_command_imports(target, Path(folder) / "costs", timeout_s=timeout_s)
        costs = read_imports(path)
        progress.say("running it once more, for the graph …")
        again = capture_command_imports(target, Path(folder) / "graph", graph=True, timeout_s=timeout_s)
        graphs = {log.command: log for log in reversed(read_imports(again))}
        ended = _of_command(path)
    found = [_of_process(log, graphs.get(log.command), ended) for log in costs]
    return sorted(found, key=lambda cost: -cost.total["anon_bytes"])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ended:
    """How a command ended: empty for well, its last words, and what is to be said of that."""

    error: str
    last_words: tuple[str, ...]
    validity: tuple[Validity, ...]


def _of_command(path: Path) -> _Ended:
    status = read_manifest(path).exit_status
    said = [line for name in OUTPUTS for line in (path / name).read_text("utf-8", "replace").splitlines()]
    return _Ended(
        error=f"exit status {status}" if status else "",
        last_words=tuple(said[-5:]) if status else (),
        validity=_ended(path),
    )


def _of_process(log: ImportLog, graph: ImportLog | None, ended: _Ended) -> ImportCost:
    imports = attribute(log.events)
    edges = import_edges(attribute(graph.events), graph.calls) if graph else frames.IMPORT_EDGES.empty()
    return ImportCost(
        target=log.command,
        python=log.python,
        executable=log.executable,
        pid=log.pid,
        events=log.events,
        imports=imports,
        runs=(imports,),
        edges=edges,
        error=log.error or ended.error,
        last_words=ended.last_words,
        validity=(*ended.validity, *log.validity),
    )


def assert_not_imported(*packages: str, by: str, python: str = sys.executable) -> None:
    """Does this statement get along without these packages?  Raises ``BudgetBreached``, with who pulls them in."""
    check_python(python)
    with tempfile.TemporaryDirectory(prefix="diagtools-") as folder:
        path = capture_imports([statement_of(by)], Path(folder) / "graph", python=python, graph=True)
        log = _main_log(path)
        _must_be_there([by], (log, path))
        must_not_import(packages, by, import_edges(attribute(log.events), log.calls))


def must_not_import(packages: Sequence[str], by: str, edges: pl.DataFrame) -> None:
    """Raises ``BudgetBreached`` where one of these packages is imported.  ``edges`` is IMPORT_EDGES."""
    for package in packages:
        found = chain(edges, package)
        if not found.is_empty():
            steps = [f"{place(row['file'])}:{row['line']}" for row in found.iter_rows(named=True)]
            raise BudgetBreached(
                f"'{by}' imports '{package}', which it must not: {' → '.join(steps)}.",
                hint="make one of these imports lazy.",
            )


def statement_of(target: str) -> str:
    """The statement that imports a module, or the one that is given.  Raises ``UsageError`` for anything else."""
    words = target.split()
    if not words:
        raise UsageError("There is nothing to import.", hint="diagtools imports json")
    if len(words) == 1 and all(part.isidentifier() for part in target.strip().split(".")):
        return f"import {target.strip()}"
    if words[0] in ("import", "from") or ";" in target or "(" in target or "=" in target:
        return target
    raise UsageError(
        f"'{target}' is neither a module nor a statement.", hint="diagtools imports 'import a, b'"
    )


def _must_be_there(targets: Sequence[str], measured: tuple[ImportLog, Path]) -> None:
    """A module that was not found and a statement that is no Python are mistakes of whoever asked, and no results."""
    log, path = measured
    said = (path / "stderr.log").read_text("utf-8", "replace").splitlines()
    is_ours = sum(line.startswith('  File "') for line in said) == 1  # raised by the statement itself
    hints = {
        "ModuleNotFoundError": "is it installed in that interpreter? Name another one with --python.",
        "SyntaxError": "write it as in a program: diagtools imports 'import a, b'",
    }
    if is_ours and log.error in hints:
        raise UsageError(f"'{'; '.join(targets)}' cannot be imported: {said[-1]}.", hint=hints[log.error])


def _main_log(folder: Path) -> ImportLog:
    """The log of the interpreter itself; of processes that it started there are others."""
    return read_imports(folder)[0]


def _joined(
    target: str, version: str, logs: Sequence[tuple[ImportLog, Path]], graph: ImportLog
) -> ImportCost:
    found = [log for log, _ in logs]
    runs = [attribute(log.events) for log in found]
    usual = _usual(found, runs)
    words = (logs[usual][1] / "stderr.log").read_text("utf-8", "replace").splitlines()[-5:]
    return ImportCost(
        target=target,
        python=version,
        executable=found[usual].executable,
        pid=found[usual].pid,
        events=found[usual].events,
        imports=runs[usual],
        runs=tuple(runs),
        edges=import_edges(attribute(graph.events), graph.calls),
        error=found[usual].error,
        last_words=tuple(words) if found[usual].error or not found[usual].is_whole else (),
        validity=tuple(dict.fromkeys([*_ended(logs[usual][1]), *found[usual].validity, *_cliff(found)])),
    )


def _ended(path: Path) -> tuple[Validity, ...]:
    return tuple(one for one in read_manifest(path).validity if one.what == "imports")


def _usual(logs: Sequence[ImportLog], runs: Sequence[pl.DataFrame]) -> int:
    """Which run has the median of anonymous memory, of those that did not pay for their stack?"""
    least = min((log.n_faults for log in logs if log.n_faults is not None), default=0)
    fair = [n for n, log in enumerate(logs) if log.n_faults is None or not _is_cliff(log.n_faults, least)]
    ranked = sorted(fair, key=lambda n: (total(runs[n])["anon_bytes"], total(runs[n])["wall_s"]))
    return ranked[len(ranked) // 2]


def _is_cliff(n_faults: int, least: int) -> bool:
    return n_faults > least * _CLIFF and n_faults - least > _CLIFF_PAGES


def _cliff(logs: Sequence[ImportLog]) -> Iterator[Validity]:
    known = [log.n_faults for log in logs if log.n_faults is not None]
    high = [n for n in known if _is_cliff(n, min(known))]
    if high:
        note = (
            f"{len(high)} of {len(logs)} runs left out: the interpreter's stack lay across two of its chunks, which "
            f"cost {max(high) - min(known):,} page faults"
        )
        yield Validity(what="import times", state=State.SKIPPED, note=note)
