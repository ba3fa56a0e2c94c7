"""``python -m benchmarks``: everything side by side in one run, then ``results.json`` and ``README.md``."""

from __future__ import annotations

import argparse
import importlib
import inspect
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import machine
from benchmarks.processes import ROOT
from benchmarks.report import Report, Section, as_text, write
from benchmarks.results import Bench, Outcome, Size

NAMES = (
    "sampler",
    "target_overhead",
    "gil",
    "kill",
    "marker",
    "startup",
    "reading",
    "imports",
    "allocations",
    "icicles",
    "scan",
    "ledger",
    "holders",
    "experiments",
    "leaks",
    "pytest_plugin",
    "case",
)
_RESULTS = ROOT / "benchmarks" / "results"
_PARTIAL = ROOT / "build" / "benchmarks"  # ignored by git: a part never replaces the record of a whole run


def main(argv: Sequence[str] | None = None) -> int:
    """Exits with 0 if every benchmark ran, also where a goal was missed, else with 1."""
    chosen = _parser().parse_args(argv)
    names = chosen.only or NAMES
    size = Size.QUICK if chosen.quick else Size.FULL
    is_whole = size is Size.FULL and set(names) == set(NAMES)
    folder = chosen.output or (_RESULTS if is_whole else _PARTIAL)
    report = run(names, size)
    write(report, folder)
    for section in report.sections:
        print(f"{section.name}: {section.failure or 'done'}")
        print(as_text(section.outcome.goals))
    print(f"Written to {folder}")
    return int(any(section.failure for section in report.sections))


def run(names: Sequence[str], size: Size) -> Report:
    """Runs these benchmarks one after the other; one that fails does not keep the others from running."""
    return Report(
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        revision=machine.revision(),
        size=size,
        machine=machine.facts(),
        versions=machine.versions(),
        sections=tuple(_section(name, size) for name in names),
    )


def _section(name: str, size: Size) -> Section:
    module = importlib.import_module(f"benchmarks.{name}")
    question, _, method = inspect.cleandoc(module.__doc__ or "").partition("\n")
    failure, outcome = "", Outcome(series=())
    before, began = machine.load(), time.monotonic()
    _say(name, question)
    with tempfile.TemporaryDirectory(prefix="benchmark-", ignore_cleanup_errors=True) as folder:
        try:
            outcome = module.run(Bench(size, Path(folder), lambda text: _say(name, text)))
        except Exception as error:  # noqa: BLE001 - it is said in the report, and the others run
            failure = machine.without_paths(f"{type(error).__name__}: {error}").splitlines()[0]
            _say(name, failure)
    return Section(
        name=name,
        question=question,
        method=method.strip(),
        outcome=outcome,
        seconds=round(time.monotonic() - began, 1),
        machine=machine.between(before, machine.load()),
        failure=failure,
    )


def _say(name: str, text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {name}: {text}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only",
        action="append",
        choices=NAMES,
        metavar="NAME",
        help=f"only this one (repeatable): {', '.join(NAMES)}",
    )
    parser.add_argument("--quick", action="store_true", help="few rounds: to look, not to quote")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="where the results go (default: benchmarks/results for a whole run, build/benchmarks for a part)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
