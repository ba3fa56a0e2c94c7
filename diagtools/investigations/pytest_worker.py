"""Why does a pytest worker hold so much memory, and what would make it smaller?  The investigation."""

from __future__ import annotations

import math

import altair as alt
import polars as pl

from diagtools.analyse.worker_roles import AFTER, MAIN, process_memory
from diagtools.analyse.worker_story import baseline_findings, growth_findings
from diagtools.errors import BudgetBreached, NoDataError
from diagtools.investigations.ab import sentence
from diagtools.investigations.experiment import BASELINE
from diagtools.investigations.import_suspects import NOTHING, suspects
from diagtools.investigations.pytest_worker_measured import MeasuredWorker
from diagtools.investigations.pytest_worker_runs import TOGETHER, tests_of
from diagtools.present import tables
from diagtools.present.charts.import_chain import import_chain_chart
from diagtools.present.charts.pytest_worker import baseline_chart, processes_chart, savings_chart
from diagtools.present.prose import Prose
from diagtools.present.tables import Table
from diagtools.present.verdicts import verdicts_table
from diagtools.units import format_bytes
from diagtools.values import Effect, Finding, Verdict

_MOST_TESTS = 8
_DRAWN_BYTES = 5 << 20
_MORE = 0.01  #: what all suspects together save more than the best of them


class PytestWorker(MeasuredWorker):
    """The processes of a test suite, what its worker holds before the first test and after, and what would save it.

    ``suite`` is a command line that runs pytest, without ``-n``; empty for the suite of the knowledge base, which comes
    with diagtools.  It runs with as many ``workers``, 0 for none.  ``switches``, ``defer``, ``mocks_off`` and ``light``
    say what to take away (``pytest_worker_suite.suite_of``); where a suite of one's own has none of them, ``n`` import
    statements that hold most are made lazy.  Each is tried in ``rounds`` rounds.  ``budget`` is what a worker may hold
    at its peak with everything taken away.
    """

    # --- what is shown -------------------------------------------------------------------------------

    def symptom(self) -> Prose:
        """Which process is the heavy one?"""
        return Prose(self.of_the_tree(), heading="The symptom")

    def tree(self) -> Table:
        """The processes, what part each has, and the most it held."""
        depth = dict(zip(self.processes["pid"], _depths(self.processes), strict=True))
        shown = self.processes.with_columns(
            process=pl.Series(
                [
                    f"{'· ' * depth[pid]}{label}"
                    for pid, label in self.processes.select("pid", "label").iter_rows()
                ],
                dtype=pl.String,
            )
        ).filter(pl.col("peak_rss_bytes").is_not_null())
        columns = {
            "process": tables.text("process"),
            "part": tables.text("part"),
            "pid": tables.text("pid"),
            "peak_rss_bytes": tables.mib("peak RSS"),
            "peak_anon_bytes": tables.mib("of its own"),
        }
        return Table(shown, columns)

    def timeline(self) -> alt.TopLevelMixin:
        """How much each process held, over time."""
        large = self.processes.filter((pl.col("peak_rss_bytes") >= _DRAWN_BYTES) & (pl.col("part") != AFTER))
        rows = large.sort("runs_tests", "peak_rss_bytes", descending=True).head(6)
        trees = {
            _name(row): process_memory(self.run.timeline, row["pid"]) for row in rows.iter_rows(named=True)
        }
        said = [str(one) for one in self.of_the_tree()]
        return processes_chart(trees, title=said[0].rstrip("."), first_test_s=self.worker.first_test_s)

    def baseline(self) -> alt.TopLevelMixin:
        """What the worker held before its first test, by the import that brought it."""
        return baseline_chart(self.parts)

    def pulled_in(self, module: str = "") -> alt.TopLevelMixin | Prose:
        """Which statement led to which, from a conftest to the dearest package behind it, or to ``module``?"""
        wanted = module or self.dearest_module()
        if not wanted:
            return Prose(["No conftest imports a package that takes much."])
        return import_chain_chart(self.way(wanted), self.imports.imports)

    def what_is_there(self) -> Prose:
        """The same in sentences."""
        return Prose(
            baseline_findings(self.parts, self.worker, self.chain()), heading="Before the first test"
        )

    def statements(self) -> Table:
        """The import statements that hold most, and what hangs on each alone: predicted."""
        found = suspects(self.imports, self.n)
        whole_bytes = max(self.imports.total["anon_bytes"], 1)
        rows = [
            (
                one.where,
                one.what,
                one.predicted_anon_bytes,
                one.predicted_anon_bytes / whole_bytes,
                one.n_modules,
            )
            for one in found
        ]
        columns = {
            "where": tables.text("statement"),
            "what": tables.text("imports"),
            "predicted": tables.mib("only through it (predicted)"),
            "share": tables.share("of all imports"),
            "modules": tables.count("modules"),
        }
        return Table(
            pl.DataFrame(rows, schema=[*columns], orient="row"), columns, note=None if found else NOTHING
        )

    def growth(self) -> Table:
        """Which tests left memory behind, and which needed much for a moment?"""
        mine = tests_of(self.run).filter(pl.col("pid") == self.worker.pid)
        shown = mine.sort("kept_bytes", "demand_bytes", descending=True, nulls_last=True)
        columns = {
            "test": tables.text("test", n_characters=64),
            "outcome": tables.text("outcome"),
            "kept_bytes": tables.mib("left behind"),
            "demand_bytes": tables.mib("needed at most"),
        }
        said = " ".join(str(one) for one in growth_findings(mine, pid=self.worker.pid))
        return Table(shown, columns, note=said, n=_MOST_TESTS)

    def mocks(self) -> Prose:
        """What the session mocks save, and what not."""
        found = self.mocks_saved()
        return Prose(
            [found or "Nobody said how to run this suite without its mocks."], heading="Session mocks"
        )

    def tried(self) -> Table:
        """What taking each suspect away did to the worker's peak."""
        return verdicts_table(self.effects)

    def before_after(self) -> alt.TopLevelMixin | Prose:
        """The worker's peak as it was and with each change."""
        if not self.effects:
            return Prose(["There is no suspect to take away."])
        return savings_chart(self.effects, title=self._best())

    def conclusion(self) -> Prose:
        """What was found, and what held."""
        return Prose(self.concluded(), heading="Conclusion")

    def keep_budget(self) -> Prose:
        """Do the same tests pass, and does the worker keep its budget with everything taken away?

        Raises ``NoDataError`` where other tests pass, ``BudgetBreached`` where the budget is not kept.
        """
        last = self._all_of()
        peak = int(max(one.peak_bytes for one in self.experiment.figures(last)))
        if last != BASELINE and self.experiment.same_tests(last) is False:
            raise NoDataError(
                f"With '{last}' other tests pass than before.", hint="a mend that changes them is none."
            )
        if self.budget_bytes is not None and peak > self.budget_bytes:
            raise BudgetBreached(
                f"A worker holds {format_bytes(peak)} with '{last}', above its budget of "
                f"{format_bytes(self.budget_bytes)}.",
                hint="the baseline by import chain says what brought it.",
            )
        kept = (
            "no budget was given" if self.budget_bytes is None else f"below {format_bytes(self.budget_bytes)}"
        )
        return Prose(
            [f"The same tests pass; '{last}' holds {format_bytes(peak)} at its peak, {kept}."], heading="Kept"
        )

    # --- the case ------------------------------------------------------------------------------------

    def findings(self) -> list[Finding]:
        """All that was found, from the tree of processes to what is normal."""
        own = tests_of(self.run)
        return [
            *self.of_the_tree(),
            *baseline_findings(self.parts, self.worker, self.chain()),
            *growth_findings(own, pid=self.worker.pid),
            *self.concluded(),
        ]

    def concluded(self) -> list[Finding]:
        """What the mocks do not save, which suspects held, and what is normal."""
        mocks, light = self.mocks_saved(), self.light_part()
        return [
            *([mocks] if mocks else []),
            *(Finding(sentence=sentence(effect)) for effect in self.effects),
            Finding(sentence=f"{self._best()}."),
            *self.tree_only(),
            *self.other_ways(),
            *([light] if light else []),
            self.expected(),
        ]

    def headlines(self) -> list[str]:
        """The case in a few sentences."""
        said = [*self.of_the_tree(), *baseline_findings(self.parts, self.worker, "")]
        return [str(said[0]), *(str(one) for one in said[-3:-1]), f"{self._best()}.", str(self.expected())]

    # --- parts ---------------------------------------------------------------------------------------

    def _all_of(self) -> str:
        names = [variant for variant in self.experiment.variants if variant != BASELINE]
        return (
            TOGETHER
            if TOGETHER in names
            else (self.suite.suspects[0].name if self.suite.suspects else BASELINE)
        )

    def _best(self) -> str:
        """What was confirmed saves so much, in one clause; all together only where that saves more than one alone."""
        held = {one.hypothesis.name: one for one in self.effects if one.verdict is Verdict.CONFIRMED}
        whole = held.pop(TOGETHER, None)
        best = min(held.values(), key=_after, default=whole)
        if best is not None and whole is not None and _after(whole) < _after(best) * (1 - _MORE):
            best = whole
        if best is None or best.baseline_value is None or best.variant_value is None:
            return "No suspect was confirmed: nothing that was tried makes the worker smaller"
        before, after = format_bytes(best.baseline_value), format_bytes(best.variant_value)
        return f"With '{best.hypothesis.name}' the worker's peak is {after}, not {before}"


def _after(effect: Effect) -> float:
    return math.inf if effect.variant_value is None else effect.variant_value


def _name(row: dict[str, object]) -> str:
    part, label = str(row["part"]), str(row["label"])
    return label if part in (MAIN, label) else f"{label} ({part})"


def _depths(processes: pl.DataFrame) -> list[int]:
    """How many of the others stand above each process?"""
    parent = dict(processes.select("pid", "ppid").iter_rows())
    found = []
    for pid in processes["pid"]:
        depth, at, seen = 0, pid, {pid}
        while (at := parent[at]) in parent and at not in seen:
            seen.add(at)
            depth += 1
        found.append(depth)
    return found
