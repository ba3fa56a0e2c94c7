"""What the terminal says of the memory of a session."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from diagtools.errors import DiagtoolsError
from diagtools.present.wording import count as counted
from diagtools.pytest_plugin.normal import Normal, normal
from diagtools.pytest_plugin.options import Settings
from diagtools.read.suite_log import read_suite_logs
from diagtools.read.suite_samples import SuiteSamples
from diagtools.read.suite_tests import FileCost, FixtureCost, SuiteCosts, TestCost, suite_costs
from diagtools.units import format_bytes, format_seconds
from diagtools.values.suite import COLLECTION, ProcessBegun

_ABOVE = " ABOVE what is expected, which fails the session"
_TOP = 10
_FEW = 5
_WORTH_SAYING = 1 << 20  # a fixture or a file that takes less is not listed


class Summary:
    """The figures of one session for people; ``problems`` stand at its end."""

    def __init__(self, costs: SuiteCosts, settings: Settings, root: Path) -> None:
        self.costs = costs
        self.problems: list[str] = []
        self.notes: list[str] = []
        self._settings = settings
        self.normals = normal(settings.expected, costs, root)

    @classmethod
    def read(cls, folder: Path, settings: Settings, root: Path) -> Summary:
        """Of what the processes of this session have written."""
        try:
            return cls(suite_costs(read_suite_logs(folder), SuiteSamples.read(folder)), settings, root)
        except DiagtoolsError as error:
            found = cls(suite_costs([]), settings, root)
            found.problems.append(str(error))
            return found

    @property
    def is_above_normal(self) -> bool:
        """Did anything take more than is expected of it?"""
        return any(one.is_above for one in self.normals)

    def write(self, reporter: Any, folder: Path) -> None:
        """The section of the terminal."""
        reporter.section("memory (diagtools)")
        for line in self.lines(folder):
            reporter.write_line(line)

    def lines(self, folder: Path) -> Iterator[str]:
        """Line by line."""
        yield from map(self._process, self.costs.processes)
        yield from _tests(self.costs.tests)
        yield from _fixtures(self.costs.fixtures)
        yield from _files(self.costs.files)
        yield from _normals(self.normals)
        yield from (one.breach.text for one in self.costs.breaches)
        yield from self.costs.remarks
        yield from map(_killed, self.costs.killed, _running(self.costs))
        yield from self.notes
        yield from self.problems
        yield f"All of it: diagtools show {_short(folder)}"

    def _process(self, process: ProcessBegun) -> str:
        mine = [test for test in self.costs.tests if test.process is process]
        at_first = format_bytes(process.rss)
        if not mine:
            return f"{process.worker} (pid {process.pid}): {at_first} as pytest began; ran no test itself."
        baseline = format_bytes(mine[0].begun.rss)
        top = max(mine, key=lambda test: test.peak or 0)
        last = next((test.ended.end_rss for test in reversed(mine) if test.ended), None)
        after = f", {format_bytes(last)} after the last" if last is not None else ""
        return (
            f"{process.worker} (pid {process.pid}): {at_first} as pytest began, {baseline} before the first of "
            f"{counted(len(mine), 'test')}{after}; highest {_size(top.peak)} in {top.begun.test}"
        )


def _tests(tests: Sequence[TestCost]) -> Iterator[str]:
    known = sorted(tests, key=_demand, reverse=True)[:_TOP]
    if not known:
        return
    has_trace = any(test.traced is not None for test in known)
    has_children = any(test.children_peak for test in known)
    heads = ["needed", "kept", "highest", *(["children"] if has_children else [])]
    heads += [*(["traced"] if has_trace else []), "seconds"]
    yield ""
    yield _row(heads, f"test: the {len(known)} of {len(tests)} that needed most")
    for test in known:
        seconds = (test.ended.end_ns - test.begun.t_ns) / 1e9 if test.ended else None
        at_least = "≥ " if test.ended is None and test.demand is not None else ""
        cells = [at_least + _size(test.demand), _size(test.kept), at_least + _size(test.peak)]
        cells += [_size(test.children_peak) if test.children_peak else "-"] if has_children else []
        cells += [_size(test.traced)] if has_trace else []
        outcome = "" if test.outcome in ("passed", "skipped") else f" ({test.outcome})"
        worker = "" if test.process.worker == "main" else f" [{test.process.worker}]"
        yield _row(
            [*cells, "?" if seconds is None else f"{seconds:.2f}"], f"{test.begun.test}{worker}{outcome}"
        )


def _fixtures(fixtures: Sequence[FixtureCost]) -> Iterator[str]:
    known = [one for one in fixtures if one.made.peak - one.made.begin_rss >= _WORTH_SAYING]
    known.sort(key=lambda one: one.made.peak - one.made.begin_rss, reverse=True)
    if known:
        yield ""
        yield _row(["needed", "kept"], "fixture (scope), and the test that it was made for")
    for one in known[:_FEW]:
        made = one.made
        of = f" for {one.test}" if one.test else ""
        cells = [_size(made.peak - made.begin_rss), _size(made.end_rss - made.begin_rss)]
        yield _row(cells, f"{made.fixture} ({made.scope}){of}")


def _files(files: Sequence[FileCost]) -> Iterator[str]:
    known = [
        one
        for one in files
        if one.loaded.what != COLLECTION and one.loaded.end_rss - one.loaded.begin_rss >= _WORTH_SAYING
    ]
    known.sort(key=lambda one: one.loaded.end_rss - one.loaded.begin_rss, reverse=True)
    if known:
        yield ""
        yield _row(["kept", "seconds"], "conftest or test module, as it was imported")
    for one in known[:_FEW]:
        loaded = one.loaded
        worker = "" if one.process.worker == "main" else f" [{one.process.worker}]"
        seconds = format_seconds((loaded.end_ns - loaded.begin_ns) / 1e9)
        yield _row([_size(loaded.end_rss - loaded.begin_rss), seconds], f"{loaded.path}{worker}")


def _normals(normals: Iterable[Normal]) -> Iterator[str]:
    normals = list(normals)
    if normals:
        yield ""
        yield _row(["expected", "highest"], "below this folder, or with this marker")
    for one in normals:
        verdict = "" if one.highest is None else _ABOVE if one.is_above else " as expected"
        found = "no test" if one.highest is None else format_bytes(one.highest)
        where = f", in {one.test}" if one.is_above else ""
        yield _row(
            [format_bytes(one.expected.size), found], f"{one.expected.name}:{verdict}{where}".rstrip(":")
        )


def _running(costs: SuiteCosts) -> list[TestCost | None]:
    return [
        next((test for test in reversed(costs.tests) if test.process is one and test.ended is None), None)
        for one in costs.killed
    ]


def _killed(process: ProcessBegun, running: TestCost | None) -> str:
    of = f" in {running.begun.test}" if running else ""
    return f"{process.worker} (pid {process.pid}) did not come to its end: it was killed{of}."


def _demand(test: TestCost) -> int:
    """Its own, or that of what it started: a test that leaves the work to a process is as heavy."""
    return max(test.demand or 0, test.children_peak or 0)


def _size(size: int | None) -> str:
    return "?" if size is None else format_bytes(size)


def _row(cells: Sequence[str], name: str) -> str:
    return "".join(f"{cell:>10}  " for cell in cells) + name


def _short(folder: Path) -> str:
    return str(folder.relative_to(Path.cwd())) if folder.is_relative_to(Path.cwd()) else str(folder)
