"""What did a test session cost, and which lines asked for it?  Tables, charts, and one offline page."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl

from diagtools.errors import NoDataError
from diagtools.investigations.asking_lines import asking_lines
from diagtools.investigations.explain import explain
from diagtools.present import renderer, tables
from diagtools.present.charts.suite import suite_chart
from diagtools.present.pages import write_page
from diagtools.present.prose import Prose, Quote
from diagtools.present.tables import Table
from diagtools.present.wording import count as counted
from diagtools.read.test_session import TestSession
from diagtools.run import Run
from diagtools.units import format_bytes
from diagtools.values import Finding

_N_TESTS, _N_OTHERS = 30, 10


class SuiteReport:
    """One session of ``pytest --diag`` as its reader wants it; ``save`` writes all of it as one offline page."""

    def __init__(self, run: Run) -> None:
        self.run = run
        renderer.enable()

    @cached_property
    def session(self) -> TestSession:
        """Its frames.  Raises ``NoDataError`` where no test was measured."""
        found = self.run.test_session
        if found.tests.is_empty():
            raise NoDataError(f"'{self.run.path.name}' has no test that was measured.", hint="pytest --diag")
        return found

    # --- what it says ------------------------------------------------------------------------------------

    def findings(self) -> list[Finding]:
        """Where was most held, which test needs most and which keeps most, and what was there before any test?"""
        tests = self.session.tests
        return [*_of_processes(self.session), *_most(tests), *_breaches(self.session)]

    def said(self) -> Prose:
        """The findings, and how far to trust the figures."""
        remarks = self.session.costs.remarks
        trust = [
            f"{one.what}: {one.state}, {one.note.rstrip('.')}."
            for one in self.session.validity
            if one.note not in remarks
        ]
        return Prose([*self.findings(), *trust, *remarks])

    def lines(self) -> Prose:
        """Which lines asked for the memory of the tests that ran once more?"""
        found = asking_lines(self.run.path, self.session.costs)
        return Prose([], quote=Quote(caption="Which lines asked for the memory:", lines=tuple(found)))

    # --- what it shows -----------------------------------------------------------------------------------

    def chart(self) -> alt.LayerChart:
        """What the heaviest tests needed, and what of it stayed."""
        return suite_chart(self.session.tests)

    def timeline(self) -> alt.TopLevelMixin:
        """The memory of all processes over time, and the tests below it."""
        return explain(self.run).chart()

    def tests(self, n: int = _N_TESTS) -> Table:
        """The tests that needed most."""
        frame = self.session.tests.sort("demand_bytes", descending=True, nulls_last=True)
        columns = {
            "test": tables.text("test", n_characters=90),
            "worker": tables.text("in"),
            "outcome": tables.text("outcome"),
            "demand_bytes": tables.mib("needed"),
            "kept_bytes": tables.mib("kept"),
            "peak_bytes": tables.mib("highest RSS"),
            "children_peak_bytes": tables.mib("its processes"),
            "s": tables.seconds("took"),
        }
        took = frame.with_columns(s=pl.col("end_s") - pl.col("begin_s"))
        return Table(took, columns, title="Tests by their own peak", n=n)

    def fixtures(self, n: int = _N_OTHERS) -> Table:
        """The fixtures that needed most to be made, by name and scope."""
        made = (
            self.session.fixtures.group_by("fixture", "scope")
            .agg(
                n=pl.len(),
                demand_bytes=pl.col("demand_bytes").max(),
                kept_bytes=pl.col("kept_bytes").max(),
                setup_s=pl.col("setup_s").sum(),
            )
            .sort("demand_bytes", "fixture", descending=[True, False])
        )
        columns = {
            "fixture": tables.text("fixture"),
            "scope": tables.text("scope"),
            "n": tables.count("made"),
            "demand_bytes": tables.mib("needed at most"),
            "kept_bytes": tables.mib("kept at most"),
            "setup_s": tables.seconds("in all"),
        }
        return Table(made, columns, title="Fixtures", n=n)

    def scopes(self) -> Table:
        """What fixtures of each scope took together."""
        scoped = (
            self.session.fixtures.group_by("scope")
            .agg(n=pl.len(), kept_bytes=pl.col("kept_bytes").sum(), setup_s=pl.col("setup_s").sum())
            .sort("setup_s", descending=True)
        )
        columns = {
            "scope": tables.text("scope"),
            "n": tables.count("made"),
            "kept_bytes": tables.mib("kept, summed"),
            "setup_s": tables.seconds("setting up"),
        }
        return Table(scoped, columns, title="Fixtures by scope")

    def files(self, n: int = _N_OTHERS) -> Table:
        """The conftests and test modules whose import costs most."""
        loaded = self.session.files.with_columns(s=pl.col("end_s") - pl.col("begin_s"))
        columns = {
            "path": tables.text("file", n_characters=90),
            "kind": tables.text("kind"),
            "worker": tables.text("in"),
            "kept_bytes": tables.mib("kept"),
            "demand_bytes": tables.mib("needed"),
            "s": tables.seconds("took"),
        }
        ordered = loaded.sort("kept_bytes", descending=True)
        return Table(ordered, columns, title="Imports of conftests and test modules", n=n)

    def __repr__(self) -> str:
        return str(self.said())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self.said()._repr_mimebundle_()

    # --- the page ----------------------------------------------------------------------------------------

    def save(self, page: Path) -> Path:
        """Writes everything as one HTML file that needs no network, and returns where.  Raises ``UsageError``."""
        return write_page(
            self._cells(), page, heading="Memory of a test session", source=f"the run {self.run.path.name}"
        )

    def _cells(self) -> Iterator[Any]:
        yield self.said()
        yield self.chart()
        if not self.run.tree.is_empty():
            yield self.timeline()
        yield self.tests()
        if self.session.costs.repeats:
            yield self.lines()
        yield self.scopes()
        yield self.fixtures()
        yield self.files()


def _of_processes(session: TestSession) -> Iterator[Finding]:
    costs = session.costs
    for process in costs.processes:
        mine = [test for test in costs.tests if test.process is process]
        if not mine:
            continue
        top = max(mine, key=lambda test: test.peak or 0)
        yield Finding(
            sentence=f"{process.worker} (pid {process.pid}) held {format_bytes(mine[0].begun.rss)} before the first of "
            f"its {counted(len(mine), 'test')} and at most {format_bytes(top.peak or 0)}, in {top.begun.test}.",
            value=top.peak,
            unit="bytes",
        )
    for process in costs.killed:
        yield Finding(sentence=f"{process.worker} (pid {process.pid}) did not come to its end.")


def _most(tests: pl.DataFrame) -> Iterator[Finding]:
    for column, words in (("demand_bytes", "needed most"), ("kept_bytes", "left most behind")):
        known = tests.drop_nulls(column).sort(column, descending=True)
        if known.height and known[column].item(0) > 0:
            top = known.row(0, named=True)
            sentence = f"{top['test']} {words}: {format_bytes(top[column])}."
            yield Finding(sentence=sentence, value=top[column], unit="bytes", evidence=known)
    kept = int(tests["kept_bytes"].sum())
    sentence = f"All tests together left {format_bytes(kept)} behind in the processes that ran them."
    yield Finding(sentence=sentence, value=kept, unit="bytes")


def _breaches(session: TestSession) -> Iterator[Finding]:
    for one in session.costs.breaches:
        yield Finding(sentence=one.breach.text, value=one.breach.found, unit="bytes")
