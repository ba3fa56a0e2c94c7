"""What does importing cost, who pays for what, and which statement holds it?"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from diagtools.analyse.import_graph import import_edges, thread_importers
from diagtools.analyse.imports import PROGRAM, attribute, in_parallel, total
from diagtools.capture.child import check_python
from diagtools.capture.imports import capture_imports
from diagtools.errors import UsageError
from diagtools.frames import IMPORT_EDGES
from diagtools.investigations.measured_imports import (
    ImportCost,
    must_have_ended,
    must_not_import,
    package_names,
)
from diagtools.investigations.progress import Progress
from diagtools.read.imports import ImportLog, read_imports
from diagtools.read.manifest import read_manifest
from diagtools.read.printed import read_printed
from diagtools.units import format_bytes
from diagtools.values import State, Validity

#: A run that faults in so many times the pages of another paid for the place of its stack, not for its imports.
_CLIFF = 1.5
_CLIFF_PAGES = 20_000
_N_LAST_WORDS = 5
_N_PARALLEL = 2


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
        cost = joined([log for log, _ in logs], _main_log(graph), [path for _, path in logs])
        return replace(cost, target="; ".join(targets), python=version)


def assert_not_imported(*packages: str, by: str, python: str = sys.executable) -> None:
    """Does this statement get along without these packages?  Raises ``BudgetBreached``, with who pulls them in.

    Raises ``UsageError`` for what is no package or cannot be imported, and ``NoDataError`` where the statement failed
    or did not end: then nothing can be said.
    """
    packages = tuple(package_names(packages))
    check_python(python)
    with tempfile.TemporaryDirectory(prefix="diagtools-") as folder:
        path = capture_imports([statement_of(by)], Path(folder) / "graph", python=python, graph=True)
        log = _main_log(path)
        _must_be_there([by], (log, path))
        imports = attribute(log.events)
        must_not_import(packages, by, import_edges(imports, log.calls, log.files), imports)
        said = (path / "stderr.log").read_text("utf-8", "replace").splitlines()
        must_have_ended(by, log.error, said, is_whole=log.is_whole)


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
    places = [line for line in said if line.startswith('  File "') and "<frozen importlib" not in line]
    is_ours = len(places) == 1  # raised by the statement itself
    hints = {
        "ModuleNotFoundError": _hint_of(targets),
        "SyntaxError": "write it as in a program: diagtools imports 'import a, b'",
    }
    if is_ours and log.error in hints:
        raise UsageError(f"'{'; '.join(targets)}' cannot be imported: {said[-1]}.", hint=hints[log.error])


def _hint_of(targets: Sequence[str]) -> str:
    script = next((target for target in targets if target.endswith(".py")), None)
    if script:
        return f"a script is a command: diagtools imports -- python {script}"
    return "is it installed in that interpreter? Name another one with --python."


def _main_log(folder: Path) -> ImportLog:
    """The log of the interpreter itself; of processes that it started there are others."""
    return read_imports(folder)[0]


def joined(logs: Sequence[ImportLog], graph: ImportLog | None, paths: Sequence[Path]) -> ImportCost:
    """What one program cost, of the log and the run folder of each run, and of the log of one with the graph."""
    edges, started_by = IMPORT_EDGES.empty(), dict[str, str]()
    if graph:
        seen = attribute(graph.events)
        edges = import_edges(seen, graph.calls, graph.files)
        started_by = thread_importers(seen, edges)
    runs = [attribute(log.events, started_by) for log in logs]
    usual = _usual(logs, runs)
    log, path = logs[usual], paths[usual]
    status = read_manifest(path).exit_status
    error = log.error or (f"exit status {status}" if status else "")
    said = read_printed(path)
    ended = [one for one in read_manifest(path).validity if one.what == "imports"]
    return ImportCost(
        target=log.command,
        python=log.python,
        executable=log.executable,
        pid=log.pid,
        events=log.events,
        imports=runs[usual],
        runs=tuple(runs),
        edges=edges,
        error=error,
        last_words=said[-_N_LAST_WORDS:] if error else (),
        validity=tuple(dict.fromkeys([*ended, *log.validity, *_parallel(log.events), *_cliff(logs)])),
    )


def _usual(logs: Sequence[ImportLog], runs: Sequence[pl.DataFrame]) -> int:
    """Which run has the median of anonymous memory, of those that did not pay for their stack?"""
    least = min((log.n_faults for log in logs if log.n_faults is not None), default=0)
    fair = [n for n, log in enumerate(logs) if log.n_faults is None or not _is_cliff(log.n_faults, least)]
    ranked = sorted(fair, key=lambda n: (total(runs[n])["anon_bytes"], total(runs[n])["wall_s"]))
    return ranked[len(ranked) // 2]


def _is_cliff(n_faults: int, least: int) -> bool:
    return n_faults > least * _CLIFF and n_faults - least > _CLIFF_PAGES


def _parallel(events: pl.DataFrame) -> Iterator[Validity]:
    found = in_parallel(events)
    if found is not None and found.anon_bytes > 0:
        first = ["the program" if one == PROGRAM else one for one in found.modules[:_N_PARALLEL]]
        rest = len(found.modules) - len(first)
        names = ", ".join(first) + f" and {rest:,} more" if rest else " and ".join(first)
        note = (
            f"{found.n_threads} threads imported at the same time: how {format_bytes(found.anon_bytes)} divide "
            f"among {names} is not known"
        )
        yield Validity(what="imports", state=State.UNATTRIBUTED, note=note)


def _cliff(logs: Sequence[ImportLog]) -> Iterator[Validity]:
    known = [log.n_faults for log in logs if log.n_faults is not None]
    high = [n for n in known if _is_cliff(n, min(known))]
    if high:
        note = (
            f"{len(high)} of {len(logs)} runs left out: the interpreter's stack lay across two of its chunks, which "
            f"cost {max(high) - min(known):,} page faults"
        )
        yield Validity(what="import times", state=State.SKIPPED, note=note)
