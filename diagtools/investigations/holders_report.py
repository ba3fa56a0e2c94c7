"""Who keeps the objects of a run's process alive, at one of its snapshots."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from diagtools.analyse.holders.by_type import objects
from diagtools.analyse.holders.growth import holder_growth
from diagtools.analyse.holders.holding import holders
from diagtools.analyse.holders.icicle import holder_icicle
from diagtools.analyse.holders.story import growth_findings, holder_findings
from diagtools.errors import NoDataError
from diagtools.frames import ObjectGraph
from diagtools.present.holders import holder_growth_table, holders_json, holders_table, objects_table
from diagtools.present.json import snapshot_json
from diagtools.present.tables import Table
from diagtools.run import Run
from diagtools.units import format_seconds
from diagtools.values import Finding, Validity

if TYPE_CHECKING:
    import altair as alt


class HoldersReport:
    """Who holds what, at one snapshot: shows itself as a table of the largest holders; pictures on demand.

    ``index`` and ``pid`` choose the snapshot; without them it is the one at which a process held most.  Raises
    ``NoDataError`` where there is no such snapshot.
    """

    def __init__(self, run: Run, *, index: int | None = None, pid: int | None = None) -> None:
        chosen = [
            each
            for each in run.object_snapshots
            if (pid is None or each.pid == pid) and (index is None or each.index == index)
        ]
        if not chosen:
            raise NoDataError(
                f"There is no such snapshot of objects in '{run.path.name}'.",
                hint="diagtools record --holders -- CMD",
            )
        self.run = run
        self.snapshot = max(chosen, key=lambda each: (each.rss_bytes or 0, each.n_stored_bytes, each.index))

    @cached_property
    def graph(self) -> ObjectGraph:
        """All objects, read when they are first asked for.  Raises ``DamagedError``."""
        return self.run.object_graph(self.snapshot)

    @cached_property
    def before(self) -> ObjectGraph | None:
        """The first snapshot of the same process; null where this is the first."""
        own = [each for each in self.run.object_snapshots if each.pid == self.snapshot.pid]
        first = min(own, key=lambda each: each.index)
        return None if first.index == self.snapshot.index else self.run.object_graph(first)

    @cached_property
    def holders(self) -> pl.DataFrame:
        """HOLDERS: each object in one row."""
        return holders(self.graph)

    def findings(self) -> list[Finding]:
        """Who holds most, and who holds more than at the first snapshot, a sentence each."""
        grown = [] if self.before is None else growth_findings(self.before, self.graph)
        return [*holder_findings(self.graph), *grown]

    @property
    def validity(self) -> tuple[Validity, ...]:
        """What is to be said beside the figures."""
        return self.graph.validity

    def table(self, *, n: int = 10) -> Table:
        """The largest holders."""
        return holders_table(self.holders, n=n, title=self._when())

    def objects(self, *, n: int = 10) -> Table:
        """The types with most objects, by what would go with them."""
        return objects_table(objects(self.graph), n=n)

    def growth(self, *, n: int = 10) -> Table:
        """Who holds more than at the first snapshot?  Raises ``NoDataError`` where this is the first."""
        if self.before is None:
            raise NoDataError(
                "There is no earlier snapshot of this process.",
                hint="mark a phase, or record --snapshot-every 5.",
            )
        return holder_growth_table(holder_growth(self.before, self.graph), n=n)

    def icicle(self, *, title: str | None = None) -> alt.LayerChart:
        """Who holds how much, and what it is: click to zoom."""
        from diagtools.present.charts.holders import holder_icicle_chart  # here: text needs no charts

        return holder_icicle_chart(holder_icicle(self.graph), title=title)

    def paths(self, *, n: int = 4, title: str | None = None) -> alt.LayerChart:
        """Along which references do the largest holders keep their objects?"""
        from diagtools.present.charts.holders import holder_path_chart

        return holder_path_chart(self.holders, n=n, title=title)

    def _when(self) -> str:
        graph = self.graph
        label = f" {graph.label!r}" if graph.label else ""
        when = "" if graph.t_s is None else f", {graph.t_s:.2f} s"
        stood = f" (the program stood still for {format_seconds(graph.pause_s)})" if graph.pause_s else ""
        return f"Who holds the objects of process {graph.pid}: {graph.moment}{label}{when}{stood}"

    def as_text(self) -> str:
        """For a terminal."""
        said = [*(str(finding) for finding in self.findings()), *(f"Note: {one}" for one in self.validity)]
        return "\n".join([str(self.table()), "", *said])

    def as_json(self) -> list[dict[str, Any]]:
        """For scripts: all holders, which sum to what all objects take."""
        return holders_json(self.holders)

    def snapshot_json(self) -> dict[str, Any]:
        """For scripts: of which process and moment it is, and for how long the program stood still for it."""
        graph = self.graph
        return snapshot_json(
            pid=graph.pid,
            index=graph.index,
            t_s=graph.t_s,
            moment=graph.moment,
            label=graph.label,
            pause_s=graph.pause_s,
        )

    def __repr__(self) -> str:
        return self.as_text()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self.table()._repr_mimebundle_()
