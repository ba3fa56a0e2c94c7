"""Where did the RSS go?  What it consists of, and who keeps the objects in it alive.

The notebook's own programs each hold memory in another way; a command of the reader's own takes their place.
"""

from __future__ import annotations

import shlex
import sys
import time
from functools import cached_property

import altair as alt
import polars as pl

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


class WhereDidRssGo(Case):
    """The ledgers and the holders of programs, at the moment when each held most.

    ``programs`` are names of ``workloads.holding``, with commas between; each holds about ``mib`` MiB.  A ``command``
    takes their place, under a ``limit`` if one is set; ``trim`` measures what malloc_trim gives back.
    """

    def __init__(
        self,
        *,
        command: str = "",
        programs: str = ", ".join(PROGRAMS),
        mib: int = 128,
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

    def _own(self, name: str) -> list[str]:
        return [sys.executable, "-m", "workloads.holding", name, "--mib", str(self._mib)]

    @property
    def names(self) -> list[str]:
        """What can be asked for: the programs, or the command alone."""
        return list(self._commands)

    @cached_property
    def runs(self) -> dict[str, Run]:
        """Each program, recorded once with snapshots of its memory and its objects."""
        folder = store() / f"where-{time.strftime('%Y%m%d-%H%M%S')}"
        wanted = Snapshots(ledger=True, trim=self._trim, holders=True)
        found = {}
        for name, argv in self._commands.items():
            self._progress.say(f"recording {name} …")
            found[name] = record(argv, limit=self._limit or None, snapshots=wanted, folder=folder / name)
            if name != _COMMAND and found[name].exit_status != 0:
                raise RecorderError(
                    f"'{name}' exited with {found[name].exit_status}: {' '.join(found[name].last_log_lines(1))}",
                    hint=f"diagtools show {found[name].path}",
                )
        return found

    # --- what a cell shows ---------------------------------------------------------------------------

    def explained(self, name: str = "") -> Explanation:
        """What the whole run says: its timeline, its items, how it grew."""
        return explain(self._run(name))

    def ledger(self, name: str = "") -> LedgerReport:
        """What its RSS consisted of when it held most."""
        return LedgerReport(self._run(name))

    def holders(self, name: str = "") -> HoldersReport:
        """Who held its objects when it held most."""
        return HoldersReport(self._run(name))

    def waterfall(self, name: str = "") -> alt.LayerChart:
        """The ledger as a picture that ends at the RSS."""
        return self.ledger(name).chart()

    def paths(self, name: str = "", n: int = 3) -> alt.LayerChart:
        """The largest holders, and the way from each to what it holds."""
        return self.holders(name).paths(n=n)

    def said(self, name: str = "") -> Prose:
        """What ledger and holders say of one program, a sentence each."""
        return Prose([*self.ledger(name).findings(), *self.holders(name).findings()], heading=name or None)

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

    def findings(self) -> list[Finding]:
        """For each program the largest part of its RSS, what could be had back, and its largest holder."""
        return [one for name in self.runs for one in self._findings(name)]

    def _findings(self, name: str) -> list[Finding]:
        ledger, holders = self.ledger(name).findings(), self.holders(name).findings()
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
        ledger, holders = self.ledger(name).ledger, self.holders(name).holders
        top = ledger.sort("bytes", descending=True).row(0, named=True)
        first = holders.row(0, named=True)
        return {
            "program": name,
            "rss": int(ledger["bytes"].sum()),
            "component": top["component"],
            "bytes": top["bytes"],
            "held": int(holders["retained_bytes"].sum()),
            "holder": f"{first['root']} ({format_bytes(first['retained_bytes'])})",
        }

    def _run(self, name: str) -> Run:
        chosen = name or self.names[0]
        if chosen not in self._commands:
            raise NoDataError(f"'{name}' was not recorded.", hint=f"one of: {', '.join(self.names)}.")
        return self.runs[chosen]
