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
from diagtools.analyse.imports import OK, by_package, total
from diagtools.errors import BudgetBreached, NoDataError, UsageError
from diagtools.present.charts.import_chain import import_chain_chart
from diagtools.present.charts.import_waterfall import import_waterfall_chart
from diagtools.present.charts.imports import icicle_chart
from diagtools.present.imports import import_summary, imports_json, place
from diagtools.values import Budget, State, Validity


@dataclass(frozen=True, kw_only=True, repr=False)
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

    @property
    def is_whole(self) -> bool:
        """Was all of it seen, to its end?"""
        return not any(one.what == "imports" and one.state is State.TRUNCATED for one in self.validity)

    def check(self, budget: Budget | None = None, *, forbid: str | Sequence[str] = ()) -> None:
        """Do the imports keep the budget, in every run, and leave these packages out?  Raises ``BudgetBreached``.

        The budget's metric is ``anon_bytes`` or ``rss_bytes``.  Raises ``UsageError`` for another one and for what is
        no package, and ``NoDataError`` where no breach was seen of imports that failed, or whose end nobody saw.
        """
        packages = package_names(forbid)
        if budget is not None and budget.metric not in ("anon_bytes", "rss_bytes"):
            hint = "metric='anon_bytes', or 'rss_bytes' with the pages of files."
            raise UsageError(f"Imports have no {budget.metric!r}.", hint=hint)
        must_not_import(packages, self.target, self.edges, self.imports)
        if budget is not None:
            hint = "`diagtools imports … --verify 3` tells what can wait."
            budget.check(int(self.spread[budget.metric][1]), hint=hint)
        if packages or budget is not None:
            must_have_ended(self.target, self.error, self.last_words, is_whole=self.is_whole)

    def in_short(self) -> tuple[int, str, float, int, float]:
        """Its pid, command, anonymous bytes, number of modules and seconds."""
        return self.pid, self.target, self.total["anon_bytes"], self.imports.height - 1, self.total["wall_s"]

    def __repr__(self) -> str:
        return self.as_text()

    def as_text(self) -> str:
        """The cost for a terminal."""
        return import_summary(self)

    def as_json(self) -> dict[str, Any]:
        """The cost for scripts: the contract of ``imports --json``."""
        return imports_json(self)


def package_names(names: str | Sequence[str]) -> list[str]:
    """These packages or modules, or this one.  Raises ``UsageError`` for what can be none."""
    found = [names] if isinstance(names, str) else list(names)
    for name in found:
        if not all(part.isidentifier() for part in name.split(".")):
            hint = "name each as it is imported, and each by its own: --forbid polars --forbid sklearn"
            raise UsageError(f"'{name}' is no package.", hint=hint)
    return found


def must_have_ended(target: str, error: str, last_words: Sequence[str], *, is_whole: bool) -> None:
    """Can it be judged what this imports?  Raises ``NoDataError`` where it failed, or nobody saw its end.

    A program that ends with a status of its own choice has imported what it imports.
    """
    if not is_whole or (error and error != "SystemExit" and not error.startswith("exit status")):
        why = f"it ended with {error}" if error and is_whole else "nobody saw its end"
        raise NoDataError(
            f"What '{target}' imports cannot be judged: {why}.",
            hint=f"its last words: {last_words[-1]}" if last_words else f"diagtools imports {target!r}",
        )


def must_not_import(packages: Sequence[str], by: str, edges: pl.DataFrame, imports: pl.DataFrame) -> None:
    """Raises ``BudgetBreached`` where one of these packages is imported; one that was only tried and failed is not.

    ``edges`` is IMPORT_EDGES, ``imports`` IMPORTS.
    """
    there = set(imports.filter(pl.col("status") == OK)["module"].to_list())
    for package in packages:
        if package in there:
            rows = chain(edges, package).iter_rows(named=True)
            steps = [f"{place(row['file'])}:{row['line']}" for row in rows]
            way = " → ".join(steps) or "by which statement nobody saw"
            raise BudgetBreached(
                f"'{by}' imports '{package}', which it must not: {way}.",
                hint="make one of these imports lazy.",
            )
