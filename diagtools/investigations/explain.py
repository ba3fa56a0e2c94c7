"""What does one recorded run say?  Joins its frames for ``diagtools show`` and for notebooks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from diagtools.analyse.contributors import contributors, growth_bytes, rise_bytes, unattributed_bytes
from diagtools.analyse.findings import run_findings
from diagtools.analyse.forecast import Forecast, forecast
from diagtools.analyse.growth import Growth, growth, growth_findings, growth_json
from diagtools.analyse.growth_models import GrowthClass
from diagtools.errors import DiagtoolsError, NoDataError
from diagtools.investigations.holders_report import HoldersReport
from diagtools.investigations.ledger_report import LedgerReport
from diagtools.investigations.profile_report import ProfileReport
from diagtools.present.json import show_json
from diagtools.present.text import run_summary
from diagtools.redact import redact_text
from diagtools.run import Run
from diagtools.units import format_bytes, format_share
from diagtools.values import Finding

if TYPE_CHECKING:
    import altair as alt


@dataclass(frozen=True)
class Explanation:
    """One run and what follows from its frames; ``kinds`` is a classified CORPUS of its items."""

    run: Run
    kinds: pl.DataFrame | None = None

    @cached_property
    def growth_bytes(self) -> int:
        """By how much did the tree's processes grow, summed?"""
        known = self.run.undisturbed
        return 0 if self.run.tree.is_empty() else growth_bytes(known.timeline, known.markers)

    @cached_property
    def rise_bytes(self) -> int:
        """How far did the tree's processes rise, summed?  The items' shares are of this."""
        return 0 if self.run.tree.is_empty() else rise_bytes(self.run.undisturbed.timeline)

    @property
    def unattributed_bytes(self) -> int | None:
        """Which part of the growth belongs to no item?  Null where no memory was sampled."""
        return None if self.run.tree.is_empty() else unattributed_bytes(self.run.items, self.growth_bytes)

    @cached_property
    def by_item(self) -> pl.DataFrame:
        """CONTRIBUTORS by item."""
        return contributors(self.run.items, self.rise_bytes, by="item")

    @cached_property
    def by_folder(self) -> pl.DataFrame:
        """CONTRIBUTORS by folder."""
        return contributors(self.run.items, self.rise_bytes, by="folder")

    @cached_property
    def findings(self) -> list[Finding]:
        """What the run shows, a sentence each."""
        run = self.run
        if run.tree.is_empty():
            return []
        return run_findings(
            timeline=run.timeline,
            tree=run.tree,
            items=run.items,
            logs=run.logs,
            death=run.death,
            limit=run.limit,
            kinds=self.kinds,
            attached=run.is_attached,
            peak_is_bound=run.peak_is_bound,
            taken=run.snapshot_times,
            rise=self.rise_bytes,
        )

    @cached_property
    def allocations(self) -> ProfileReport | DiagtoolsError | None:
        """Where its processes allocated; null where that was not recorded, the error where it cannot be read."""
        try:
            return ProfileReport(self.run.allocations)
        except NoDataError:
            return None
        except DiagtoolsError as error:
            return error

    @cached_property
    def ledger(self) -> LedgerReport | DiagtoolsError | None:
        """What its memory consisted of when most was held; null and errors as for ``allocations``."""
        try:
            return LedgerReport(self.run)
        except NoDataError:
            return None
        except DiagtoolsError as error:
            return error

    @cached_property
    def holders(self) -> HoldersReport | DiagtoolsError | None:
        """Who held its objects when most was held; null and errors as for ``allocations``."""
        try:
            report = HoldersReport(self.run)
            report.graph  # noqa: B018 - read now: what is damaged is said
        except NoDataError:
            return None
        except DiagtoolsError as error:
            return error
        return report

    @cached_property
    def growth(self) -> Growth | None:
        """How did memory grow, with the items or else with time?  Null where no memory was sampled."""
        if self.run.tree.is_empty():
            return None
        confirmed = self.ledger.confirms_fragmentation() if isinstance(self.ledger, LedgerReport) else None
        by_item = growth(self.run.items, ledger_confirms=confirmed)
        return by_item if by_item.n_points else growth(self.run.tree, by="time", ledger_confirms=confirmed)

    def _told(self) -> list[Finding]:
        """What the run shows, with what stands beside it."""
        grown = growth_findings(self.growth) if self.growth is not None and _is_told(self.growth) else []
        holders = self.holders.findings() if isinstance(self.holders, HoldersReport) else []
        return [
            *self.findings,
            *grown,
            *self._of_ledger(),
            *holders,
            *self.observer_effect(),
            *self.changed(),
        ]

    def _of_ledger(self) -> list[Finding]:
        """What the memory consists of; with a snapshot of the objects too, what of it belongs to none of them."""
        if not isinstance(self.ledger, LedgerReport):
            return []
        if not isinstance(self.holders, HoldersReport):
            return self.ledger.findings()
        whole, *parts = self.ledger.findings(has_objects=True)
        native = self.ledger.beside(self.holders.graph)
        return [whole, *([native] if native else []), *parts]

    def changed(self) -> list[Finding]:
        """What was changed about the program's world, and did it come to anything?"""
        return [
            Finding(
                sentence=f"Not as it is: {redact_text(one.change)}"
                + ("." if one.is_applied else f", which was not applied: {one.why}.")
            )
            for one in self.run.changes
        ]

    def observer_effect(self) -> list[Finding]:
        """What did the tracker itself cost, where the command ran plain and tracked?"""
        tracked = self.run.tracked.peak_rss_bytes if self.run.tracked else None
        plain = self.run.peak_rss_bytes
        if tracked is None or not plain:
            return []
        sentence = (
            f"Under the tracker its peak RSS was {format_bytes(tracked)}, {format_share(tracked / plain)} of that of "
            "the plain run: allocations are of the tracked run, memory over time is of the plain one."
        )
        return [Finding(sentence=sentence, value=tracked - plain, unit="bytes")]

    def growth_chart(self) -> alt.VConcatChart:
        """How memory grew, the class that fits it, and what speaks for and against each."""
        from diagtools.present.charts.growth import growth_chart

        if self.growth is None:
            raise NoDataError(f"No memory was sampled in '{self.run.path.name}'.", hint="record it again.")
        return growth_chart(self.growth)

    def forecast(self, *, to_come: pl.DataFrame | None = None, now: float | None = None) -> Forecast:
        """Where was memory heading after ``now`` seconds, and how large a limit does the job need?

        ``to_come`` has the features of the items that were still to come then, a row each.
        """
        return forecast(self.run.items, limit_bytes=self.run.limit_bytes, to_come=to_come, now=now)

    def forecast_chart(
        self, *, to_come: pl.DataFrame | None = None, now: float | None = None
    ) -> alt.LayerChart:
        """The same as a fan."""
        from diagtools.present.charts.forecast import forecast_chart

        return forecast_chart(self.forecast(to_come=to_come, now=now))

    def chart(self) -> alt.TopLevelMixin:
        """The run's memory over time."""
        from diagtools.present.charts.timeline import timeline_chart  # here: text needs no charts

        run = self.run
        return timeline_chart(
            run.tree,
            phases=run.phases,
            items=run.items,
            limit_bytes=run.limit_bytes,
            death=run.death,
            item_in_flight=run.item_in_flight,
        )

    def as_text(self) -> str:
        """The run for a terminal."""
        return "\n\n".join([self._summary(), *self._tables()])

    def _tables(self) -> Iterator[str]:
        allocations, ledger = self.allocations, self.ledger
        if isinstance(ledger, DiagtoolsError):
            yield f"Ledger: {ledger}"
        elif ledger is not None:
            yield "\n".join([str(ledger.table()), *(f"Note: {one}" for one in ledger.validity)])
        if isinstance(self.holders, DiagtoolsError):
            yield f"Holders: {self.holders}"
        elif self.holders is not None:
            notes = (f"Note: {one}" for one in self.holders.validity)
            yield "\n".join([str(self.holders.table(n=5)), *notes])
        if isinstance(allocations, DiagtoolsError):
            yield f"Allocations: {allocations}"
        elif allocations is not None:
            notes = (f"Note: {one}" for one in allocations.profile.validity)
            yield "\n".join([str(allocations.table(n=8)), *notes])

    def _summary(self) -> str:
        run = self.run
        return run_summary(
            name=str(run.path),
            argv=run.manifest.argv,
            death=run.death,
            exit_status=run.exit_status,
            ending=run.ending,
            peak_bytes=run.peak_rss_bytes,
            peak_is_bound=run.peak_is_bound,
            limit_bytes=run.limit_bytes,
            limit_counts_rss=run.limit is None or run.limit.counts_rss,
            duration_s=run.duration_s,
            item_in_flight=run.item_in_flight,
            by_item=self.by_item,
            by_folder=self.by_folder,
            unattributed_bytes=self.unattributed_bytes,
            last_log_lines=run.last_log_lines(5),
            findings=self._told(),
            validity=run.validity,
        )

    def as_json(self) -> dict[str, Any]:
        """The run for scripts: the contract of ``show --json``."""
        run = self.run
        allocations = self.allocations
        shown = show_json(
            run=str(run.path),
            death=run.death,
            exit_status=run.exit_status,
            peak_bytes=run.peak_rss_bytes,
            limit_bytes=run.limit_bytes,
            duration_s=run.duration_s,
            item_in_flight=run.item_in_flight,
            by_item=self.by_item,
            by_folder=self.by_folder,
            unattributed_bytes=self.unattributed_bytes,
            last_log_lines=run.last_log_lines(5),
            findings=self._told(),
            validity=run.validity,
            growth=None if self.growth is None else growth_json(self.growth),
            ledger=self.ledger.ledger if isinstance(self.ledger, LedgerReport) else None,
            ledger_snapshot=self.ledger.snapshot_json() if isinstance(self.ledger, LedgerReport) else None,
            holders=self.holders.holders if isinstance(self.holders, HoldersReport) else None,
            holders_snapshot=self.holders.snapshot_json()
            if isinstance(self.holders, HoldersReport)
            else None,
        )
        return {
            **shown,
            "allocations": allocations.as_json() if isinstance(allocations, ProfileReport) else None,
        }


def _is_told(found: Growth) -> bool:
    """Growth that nothing is known of is left out, as is that with time, where the picture says more."""
    is_known = found.growth_class is not GrowthClass.INCONCLUSIVE or found.bytes_per_unit is not None
    return found.by == "item" and is_known and found.growth_class is not GrowthClass.FLAT


def explain(run: Run, kinds: pl.DataFrame | None = None) -> Explanation:
    """What does this run say, and (where ``kinds``, a classified CORPUS, knows its items) which kind of item asked?"""
    return Explanation(run=run, kinds=kinds)
