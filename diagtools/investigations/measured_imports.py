"""What the imports of one interpreter cost: the measured value, what follows from it, and how it is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import altair as alt
import polars as pl

from diagtools.analyse.import_graph import chain, held_modules, packages_run_along, statements
from diagtools.analyse.import_icicle import icicle
from diagtools.analyse.import_waterfall import import_staircase, import_waterfall
from diagtools.analyse.imports import by_package, total
from diagtools.errors import BudgetBreached, NoDataError, UsageError
from diagtools.present.charts.import_chain import import_chain_chart
from diagtools.present.charts.import_waterfall import import_waterfall_chart
from diagtools.present.charts.imports import icicle_chart
from diagtools.present.imports import import_summary, imports_json, place
from diagtools.values import Budget, Validity


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
