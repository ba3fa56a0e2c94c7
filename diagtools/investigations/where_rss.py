"""Where did the RSS go?  What it consists of, and who keeps the objects in it alive.

The notebook's own programs each hold memory in another way; a command of the reader's own takes their place.
"""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Collection
from functools import cached_property
from typing import Any

import altair as alt
import polars as pl

from diagtools.analyse.ledger import FREE, Component
from diagtools.capture.folder import store
from diagtools.errors import NoDataError, RecorderError, UsageError
from diagtools.investigations.case import Case
from diagtools.investigations.explain import Explanation, explain
from diagtools.investigations.holders_report import HoldersReport
from diagtools.investigations.ledger_report import LedgerReport
from diagtools.investigations.parameters import whole
from diagtools.investigations.progress import Progress
from diagtools.investigations.record import record
from diagtools.present import tables
from diagtools.present.prose import Prose
from diagtools.present.tables import Table
from diagtools.run import Run
from diagtools.units import format_bytes
from diagtools.values import Finding, Snapshots

PROGRAMS = ("arrays", "fragments", "weights", "arena", "cache", "registry")
_QUESTION = "Where did the RSS go: what does it consist of, and who holds it?"
_COMMAND = "command"
_WORTH_SAYING = 0.2  # of the RSS
_USED = (Component.PYTHON_USED, Component.C_USED, Component.C_MMAPPED)
_ONE_SNAPSHOT = (
    "There is one snapshot of its objects, so nobody can say who holds more than before: "
    "a program that marks its phases or items has several."
)


class WhereDidRssGo(Case):
    """The ledgers and the holders of programs, at the moment when each held most.

    Each runs twice, once for either.  ``programs`` are names of ``workloads.holding``, with commas between; each holds
    about ``mib`` MiB.  A ``command`` takes their place, under a ``limit`` if one is set; ``trim`` measures what
    malloc_trim gives back.
    """

    def __init__(
        self,
        *,
        command: str = "",
        programs: str = ", ".join(PROGRAMS),
        mib: int = 64,
        limit: str = "",
        trim: bool = True,
    ) -> None:
        super().__init__(question=_QUESTION)
        names = [name.strip() for name in programs.split(",") if name.strip()]
        unknown = [name for name in names if name not in PROGRAMS]
        if unknown or not (names or command):
            raise UsageError(
                f"There is no program {unknown[0]!r}." if unknown else "No program is named.",
                hint=f"some of: {', '.join(PROGRAMS)}; or -p command='python app.py'",
            )
        self._mib = whole("mib", mib)
        self._limit, self._trim = limit, trim
        self._commands = (
            {_COMMAND: shlex.split(command)} if command else {name: self._own(name) for name in names}
        )
        self._progress = Progress()
        self._ledgers: dict[str, LedgerReport] = {}
        self._holders: dict[str, HoldersReport] = {}

    def _own(self, name: str) -> list[str]:
        return [sys.executable, "-m", "workloads.holding", name, "--mib", str(self._mib)]

    @property
    def names(self) -> list[str]:
        """What can be asked for: the programs, or the command alone."""
        return list(self._commands)

    @property
    def first(self) -> str:
        """The program with the largest RSS."""
        return max(self.names, key=self._rss)

    @property
    def loosest(self) -> str:
        """The program with most memory that nothing uses: free within an allocator, or pages of files."""
        return max(self.names, key=lambda name: self._bytes(name, [*FREE, Component.FILE_DATA]))

    @property
    def tightest(self) -> str:
        """The program in which most objects hang on one holder that has half of its RSS or more."""
        return max(self.names, key=self._held_by_one)

    @cached_property
    def runs(self) -> dict[str, Run]:
        """Each program, recorded with snapshots of its memory."""
        return self._recorded("ledger", Snapshots(ledger=True, trim=self._trim))

    @cached_property
    def held_runs(self) -> dict[str, Run]:
        """Each once more, with snapshots of its objects: these take memory themselves, which is in no ledger so."""
        return self._recorded("holders", Snapshots(holders=True))

    def _recorded(self, what: str, wanted: Snapshots) -> dict[str, Run]:
        folder = store() / f"where-{time.strftime('%Y%m%d-%H%M%S')}-{what}"
        found = {}
        for name, argv in self._commands.items():
            self._progress.say(f"recording {name}, its {what} …")
            run = record(argv, limit=self._limit or None, snapshots=wanted, folder=folder / name)
            if name != _COMMAND and run.exit_status != 0:
                raise RecorderError(
                    f"'{name}' exited with {run.exit_status}: {' '.join(run.last_log_lines(1))}",
                    hint=f"diagtools show {run.path}",
                )
            found[name] = run
        return found

    # --- what a cell shows ---------------------------------------------------------------------------

    def explained(self, name: str = "") -> Explanation:
        """What the whole run says: its timeline, its items, how it grew."""
        return explain(self.runs[self._chosen(name)])

    def ledger(self, name: str = "") -> LedgerReport:
        """What its RSS consisted of when it held most."""
        chosen = self._chosen(name)
        if chosen not in self._ledgers:
            self._ledgers[chosen] = LedgerReport(self.runs[chosen])
        return self._ledgers[chosen]

    def holders(self, name: str = "") -> HoldersReport:
        """Who held its objects when it held most."""
        chosen = self._chosen(name)
        if chosen not in self._holders:
            self._holders[chosen] = HoldersReport(self.held_runs[chosen])
        return self._holders[chosen]

    def waterfall(self, name: str = "") -> alt.LayerChart:
        """The ledger as a picture that ends at the RSS."""
        return self.ledger(name).chart()

    def paths(self, name: str = "", n: int = 3) -> alt.LayerChart:
        """The largest holders, and the way from each to what it holds."""
        return self.holders(name).paths(n=n)

    def icicle(self, name: str = "") -> alt.LayerChart:
        """Who holds how much of its objects, and what that is."""
        return self.holders(name).icicle()

    def grown(self, name: str = "") -> Table | Prose:
        """Who holds more of its objects than at the first snapshot?"""
        report = self.holders(name)
        return Prose([Finding(sentence=_ONE_SNAPSHOT)]) if report.before is None else report.growth()

    def said(self, name: str = "") -> Prose:
        """What ledger and holders say of one program, a sentence each."""
        return Prose(
            [*self.ledger(name).findings(has_objects=True), *self.holders(name).findings()],
            heading=name or None,
        )

    def overview(self) -> Table:
        """A row a program: how much it held, what that is first of all, and who holds its objects."""
        rows = [self._row(name) for name in self.runs]
        columns = {
            "program": tables.text("program", n_characters=20),
            "rss": tables.mib("RSS"),
            "component": tables.text("most of it is", n_characters=24),
            "bytes": tables.mib("that is"),
            "held": tables.mib("held by objects"),
            "holder": tables.text("held first of all by", n_characters=70),
        }
        return Table(pl.DataFrame(rows, orient="row"), columns)

    def conclusion(self) -> Prose:
        """The whole case: what each program's memory is, and who holds it."""
        return Prose(self.findings(), heading="Conclusion")

    # --- what it says --------------------------------------------------------------------------------

    def headlines(self) -> list[str]:
        """A short sentence a program: what most of it is, and who holds it."""
        return [self._headline(name) for name in self.runs]

    def _headline(self, name: str) -> str:
        top = self.ledger(name).ledger.sort("bytes", descending=True).row(0, named=True)
        holder = self._holder(name)
        by = "" if holder is None else f", held by {holder['root']}"
        size = format_bytes(top["bytes"])
        return f"{name}: {size} of {format_bytes(self._rss(name))} RSS is {top['component']}{by}."

    def findings(self) -> list[Finding]:
        """For each program the largest part of its RSS, what could be had back, and its largest holder."""
        return [one for name in self.runs for one in self._findings(name)]

    def _findings(self, name: str) -> list[Finding]:
        ledger, holders = self.ledger(name).findings(has_objects=True), self.holders(name).findings()
        said = [*ledger[:3], *holders[:1]]
        return [
            Finding(
                sentence=f"{name}: {one.sentence}",
                value=one.value,
                unit=one.unit,
                evidence=one.evidence,
                validity=one.validity,
            )
            for one in said
        ]

    def _row(self, name: str) -> dict[str, object]:
        top = self.ledger(name).ledger.sort("bytes", descending=True).row(0, named=True)
        holder = self._holder(name)
        return {
            "program": name,
            "rss": self._rss(name),
            "component": top["component"],
            "bytes": top["bytes"],
            "held": int(self.holders(name).holders["retained_bytes"].sum()),
            "holder": None
            if holder is None
            else f"{holder['root']} ({format_bytes(holder['retained_bytes'])})",
        }

    def _bytes(self, name: str, components: Collection[str]) -> int:
        ledger = self.ledger(name).ledger
        return int(ledger.filter(pl.col("component").is_in([str(one) for one in components]))["bytes"].sum())

    def _held_by_one(self, name: str) -> tuple[bool, int]:
        """Does one holder have half of the RSS, and how many objects?  What was never touched is not there."""
        first = self.holders(name).holders.row(0, named=True)
        there = min(first["retained_bytes"], self._bytes(name, _USED))
        return 2 * there >= self._rss(name), first["n_objects"]

    def _rss(self, name: str) -> int:
        return int(self.ledger(name).ledger["bytes"].sum())

    def _holder(self, name: str) -> dict[str, Any] | None:
        """The row of HOLDERS of who holds most of its objects; null where that is hardly any of its RSS."""
        first = self.holders(name).holders.row(0, named=True)
        if first["retained_bytes"] < _WORTH_SAYING * self._rss(name):
            return None
        return first

    def _chosen(self, name: str) -> str:
        chosen = name or self.names[0]
        if chosen not in self._commands:
            raise NoDataError(f"'{name}' was not recorded.", hint=f"one of: {', '.join(self.names)}.")
        return chosen
