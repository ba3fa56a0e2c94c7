"""What the memory of a run's process consists of, at one of its snapshots."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from diagtools.analyse.ledger import FREE, at_snapshot, highest, ledger_difference
from diagtools.analyse.ledger_story import difference_finding, ledger_findings, ledger_validity
from diagtools.analyse.native_memory import ledger_of_graph, native_finding
from diagtools.errors import NoDataError
from diagtools.frames import ObjectGraph
from diagtools.present import tables
from diagtools.present.json import snapshot_json
from diagtools.present.ledger import ledger_difference_table, ledger_json, ledger_table
from diagtools.present.tables import Table
from diagtools.redact import redact_text
from diagtools.run import Run
from diagtools.values import Finding, Validity

if TYPE_CHECKING:
    import altair as alt


_MOST = 0.6  # of the growth


class LedgerReport:
    """The ledger of one snapshot: shows itself as a table whose rows sum to the RSS; a waterfall on demand.

    ``index`` and ``pid`` choose the snapshot (see ``snapshots``); without them it is the one at which a process held
    most.  Raises ``NoDataError`` where there is no such snapshot.
    """

    def __init__(self, run: Run, *, index: int | None = None, pid: int | None = None) -> None:
        self.run = run
        chosen = run.ledger
        if pid is not None:
            chosen = chosen.filter(pl.col("pid") == pid)
        if index is not None:
            chosen = chosen.filter(pl.col("index") == index)
        if chosen.is_empty():
            raise NoDataError(
                "There is no such snapshot in the run.", hint="LedgerReport(run).snapshots() lists them."
            )
        self.ledger = highest(chosen)

    @property
    def key(self) -> tuple[int, int]:
        """Of which process, and its which snapshot?"""
        return int(self.ledger["pid"][0]), int(self.ledger["index"][0])

    def findings(self, *, has_objects: bool = False) -> list[Finding]:
        """What it consists of and what of that could be had back, a sentence each.

        ``has_objects``: what of it Python's objects take is told by a snapshot of them.
        """
        files, pid = self.run.ledger_files, self.key[0]
        return ledger_findings(
            self.ledger,
            files.snapshots,
            files.pools,
            process=_process(self.run, pid),
            n_others=files.snapshots["pid"].n_unique() - 1,
            has_objects=has_objects,
        )

    def beside(self, graph: ObjectGraph) -> Finding | None:
        """What belongs to no Python object, where the ledger of the moment of ``graph`` is known and it matters."""
        one = ledger_of_graph(self.run.ledger, graph)
        return (
            None if one is None else native_finding(one, self.run.ledger_files.snapshots, graph.total_bytes)
        )

    @cached_property
    def validity(self) -> tuple[Validity, ...]:
        """What is to be said beside the figures."""
        return (
            *ledger_validity(self.ledger, self.run.ledger_files.snapshots),
            *self.run.ledger_files.validity,
        )

    def table(self) -> Table:
        """Every component, down to the RSS."""
        return ledger_table(self.ledger, title=_when(self.ledger))

    def chart(self, *, title: str | None = None) -> alt.LayerChart:
        """A waterfall that ends at the RSS."""
        from diagtools.present.charts.ledger import waterfall  # here: text needs no charts

        return waterfall(self.ledger, title=title)

    def snapshots(self) -> Table:
        """All snapshots of the run: when, and how much was held."""
        rows = self.run.ledger.group_by("pid", "index", maintain_order=True).agg(
            pl.col("t_s", "moment", "label").first(), pl.col("bytes").sum()
        )
        return Table(
            rows,
            {
                "pid": tables.Column(heading="process", words=str),
                "index": tables.count("index"),
                "t_s": tables.seconds("after"),
                "moment": tables.text("moment"),
                "label": tables.text("of"),
                "bytes": tables.mib("RSS"),
            },
        )

    def since(self, index: int, pid: int | None = None) -> Table:
        """What grew since another snapshot, component by component?"""
        difference = self._difference(index, pid)
        return ledger_difference_table(difference, title=str(difference_finding(difference)))

    def growth(self) -> Finding | None:
        """What grew since the first snapshot of this process?  Null where this is the first."""
        grown = self._grown()
        return None if grown is None else difference_finding(grown)

    def confirms_fragmentation(self) -> bool | None:
        """Is most of what grew since the first snapshot free, inside an allocator?  Null where this is the first."""
        grown = self._grown()
        if grown is None:
            return None
        free = grown.filter(pl.col("component").is_in(list(FREE)))["delta_bytes"].sum()
        return bool(free > _MOST * max(int(grown["delta_bytes"].sum()), 1))

    def _grown(self) -> pl.DataFrame | None:
        pid, index = self.key
        first = int(self.run.ledger.filter(pl.col("pid") == pid)["index"].min())  # type: ignore[arg-type]  # whole
        return None if first == index else self._difference(first, pid)

    def _difference(self, index: int, pid: int | None) -> pl.DataFrame:
        earlier = at_snapshot(self.run.ledger, pid=self.key[0] if pid is None else pid, index=index)
        return ledger_difference(earlier, self.ledger)

    def as_text(self) -> str:
        """For a terminal."""
        said = [*(str(finding) for finding in self.findings()), *(f"Note: {one}" for one in self.validity)]
        return "\n".join([str(self.table()), "", *said])

    def as_json(self) -> list[dict[str, Any]]:
        """For scripts: the components, which sum to the RSS."""
        return ledger_json(self.ledger)

    def snapshot_json(self) -> dict[str, Any]:
        """For scripts: of which process and moment it is; how long that took, null where nobody noted it."""
        row = self.ledger.row(0, named=True)
        known = at_snapshot(self.run.snapshot_times, pid=row["pid"], index=row["index"])
        own = known.filter(pl.col("instrument") == "ledger").select(pl.col("end_s") - pl.col("begin_s"))
        return snapshot_json(
            **{name: row[name] for name in ("pid", "index", "t_s", "moment", "label")},
            pause_s=None if own.is_empty() else round(own.item(-1, 0), 9),
        )

    def __repr__(self) -> str:
        return self.as_text()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self.table()._repr_mimebundle_()


def _process(run: Run, pid: int) -> str:
    """The process in words; nothing where the run has one only."""
    processes = run.processes
    if processes.height < 2:
        return ""
    names = processes.filter(pl.col("pid") == pid)["name"].drop_nulls()
    role = ["the command itself"] if pid == run.root_pid else []
    known = ", ".join([*(repr(redact_text(name)) for name in names[-1:]), *role])
    return f"process {pid}" + (f" ({known})" if known else "")


def _when(ledger: pl.DataFrame) -> str:
    row = ledger.row(0, named=True)
    label = f" {row['label']!r}" if row["label"] else ""
    return f"What the RSS of process {row['pid']} consists of: {row['moment']}{label}, {row['t_s']:.2f} s"
