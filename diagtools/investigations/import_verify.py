"""What would laziness really save?  Predicted savings are measured before they are called so."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import nan
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl

from diagtools import frames
from diagtools.analyse.import_graph import held_modules, other_ways
from diagtools.analyse.imports import attribute
from diagtools.analyse.laziness import Output, Verdict, Verification, verify
from diagtools.capture.laziness import Cut, capture_lazily, capture_lazy_imports
from diagtools.investigations.import_suspects import Suspect, suspect_at, suspects
from diagtools.investigations.measured_imports import ImportCost
from diagtools.investigations.progress import Progress
from diagtools.present.charts.retained import retained_chart
from diagtools.present.imports import place
from diagtools.probes.laziness import IN_TRY, NOT_COMPILED
from diagtools.read.imports import read_imports
from diagtools.read.laziness import read_pairs, read_places
from diagtools.values import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A suspect made lazy: what was predicted, what was measured, or why it cannot be lazy there.

    ``refused`` beside a result: PEP 810 allows no lazy import in a ``try``; measured is an import where it is used.
    ``other_ways`` (IMPORT_EDGES) are imports by C code that the graph did not show, found where nothing forced the
    statement and yet it saved less than predicted; ``refined_anon_bytes`` is the prediction with them.
    """

    suspect: Suspect
    result: Verification | None
    refused: str = ""
    other_ways: pl.DataFrame = field(default_factory=frames.IMPORT_EDGES.empty)
    refined_anon_bytes: int | None = None

    @property
    def predicted_anon_bytes(self) -> int:
        """What was predicted."""
        return self.suspect.predicted_anon_bytes

    @property
    def where(self) -> str:
        """Its place, in short."""
        return self.suspect.where

    @property
    def name(self) -> str:
        """Its place and what it imports, in few words."""
        return self.suspect.name

    @property
    def clause(self) -> str:
        """Where it stands and what it imports."""
        return self.suspect.clause

    @property
    def verdict(self) -> str:
        """``saves``, ``partly``, ``forced``, ``breaks``, ``not tested``, or ``not allowed``."""
        if self.result is not None:
            return str(self.result.verdict)
        return str(Verdict.NOT_TESTED) if self.refused.startswith(NOT_COMPILED) else "not allowed"

    @property
    def measured_anon_bytes(self) -> int | None:
        """What was saved; null where nothing was tried, or it was never reached."""
        is_tested = self.result is not None and self.result.verdict is not Verdict.NOT_TESTED
        return self.result.saved_anon_bytes if self.result and is_tested else None

    @property
    def why(self) -> str:
        """Who forced it, what it breaks, why it is not allowed, or what the graph did not show; empty for nothing."""
        if self.result is None:
            return self.refused
        if self.result.error:
            return self.result.error
        if self.result.forced:
            return ", ".join(f"{use.file}:{use.line}" for use in self.result.forced[:2])
        if self.verdict == Verdict.NOT_TESTED:
            return "not reached: the file is executed as a program, or by a loader of its own"
        if not self.other_ways.is_empty():
            return f"graph incomplete here: {_first_way(self.other_ways)}"
        if self.refused:
            return f"{self.refused}: import it where it is used"
        is_unknown = self.result.output is Output.NOT_COMPARABLE
        return f"output {self.result.output}" if is_unknown else ""

    def in_short(self) -> tuple[str, int, float, str, str]:
        """Place, predicted and measured bytes, verdict, and why; a program that breaks has saved nothing."""
        measured = nan if self.verdict == Verdict.BREAKS else self.measured_anon_bytes
        measured = nan if measured is None else measured
        return self.suspect.place, self.predicted_anon_bytes, measured, self.verdict, self.why

    def as_json(self) -> dict[str, Any]:
        """One entry of ``verified`` in the contract of ``imports --json``."""
        result = self.result
        ways = self.other_ways.select("importer", "imported").rows()
        return {
            "file": place(self.suspect.file),
            "line": None if self.suspect.is_file else self.suspect.lines[0],
            "lines": list(self.suspect.lines),
            "imports": list(self.suspect.imports),
            "predicted_anon_bytes": self.predicted_anon_bytes,
            "refined_anon_bytes": self.refined_anon_bytes,
            "measured_anon_bytes": self.measured_anon_bytes,
            "forced_by": [{"file": place(use.file), "line": use.line} for use in result.forced]
            if result
            else [],
            "verdict": self.verdict,
            "refused": self.refused or None,
            "error": (result.error or None) and place(result.error) if result else None,
            "same_output": same_output(result) if result else None,
            "graph_incomplete": [{"importer": one, "module": other} for one, other in ways],
        }


def verified_frame(verified: Sequence[Verified]) -> pl.DataFrame:
    """VERIFIED_IMPORTS, the largest prediction first."""
    rows = sorted(verified, key=lambda one: -one.predicted_anon_bytes)
    results = [one.result if one.measured_anon_bytes is not None else None for one in rows]
    return frames.VERIFIED_IMPORTS.from_columns(
        {
            "file": [one.suspect.file for one in rows],
            "line": [0 if one.suspect.is_file else one.suspect.lines[0] for one in rows],
            "imports": [
                [one.suspect.what] if one.suspect.is_file else list(one.suspect.imports) for one in rows
            ],
            "predicted_anon_bytes": [one.predicted_anon_bytes for one in rows],
            "measured_anon_bytes": [result and result.saved_anon_bytes for result in results],
            "low_anon_bytes": [result and result.low_anon_bytes for result in results],
            "high_anon_bytes": [result and result.high_anon_bytes for result in results],
            "verdict": [one.verdict for one in rows],
            "forced_by": [
                [f"{use.file}:{use.line}" for use in result.forced] if result else [] for result in results
            ],
            "refused": [one.refused for one in rows],
            "note": [place(one.why) for one in rows],
        }
    )


def verified_chart(verified: Sequence[Verified]) -> alt.TopLevelMixin:
    """Predicted beside measured, a row a statement.  Raises ``NoDataError`` where there is none."""
    return retained_chart(verified_frame(verified))


def same_output(result: Verification) -> bool | None:
    """Did the program print the same both ways?  Null where that was not asked, or cannot be told."""
    return {Output.SAME: True, Output.DIFFERENT: False}.get(result.output)


def _first_way(ways: pl.DataFrame) -> str:
    importer, module = ways.select("importer", "imported").row(0)
    more = f" and {ways.height - 1:,} more" if ways.height > 1 else ""
    return f"{importer} imports {module}{more} without a line of Python"


def verify_imports(
    cost: ImportCost,
    program: Sequence[str] | Target,
    *,
    n: int = 3,
    at: str | None = None,
    python: str = sys.executable,
    pairs: int = 3,
    timeout_s: float = 300.0,
) -> list[Verified]:
    """Which of the dearest import statements save what was predicted when they are lazy, and what forces the others?

    ``cost`` is what importing the statements of ``program`` was measured to take, or the dearest process of that
    command; ``at`` (``file:line``, or a file) names what is tried, else the ``n`` suspects are, each alone.  A saving
    of statements is one *while the names are unused*; a command is run both ways as a whole, and a statement that
    changes its exit status or what it prints ``breaks``.  Raises ``UsageError`` where ``at`` is none of the statements.
    """
    chosen = [suspect_at(cost, at)] if at else suspects(cost, n)
    progress = Progress()
    found = []
    for suspect in chosen:
        progress.say(f"verifying {place(suspect.place)} …")
        found.append(_verified(suspect, cost, program, python=python, pairs=pairs, timeout_s=timeout_s))
    return found


def verify_together(
    cost: ImportCost,
    program: Sequence[str] | Target,
    verified: Sequence[Verified],
    *,
    python: str = sys.executable,
    pairs: int = 3,
    timeout_s: float = 300.0,
) -> Verification:
    """What do all of these statements save when they are lazy at once?

    Predicted is what hangs on all of them together.  Raises ``NoDataError`` where none of them may be lazy.
    """
    cuts = [cut for one in verified if one.result is not None for cut in _cuts(one.suspect)]
    predicted = cost.held_by([(cut.file, cut.line) for cut in cuts])["self_anon_bytes"].sum()
    with tempfile.TemporaryDirectory(prefix="diagtools-") as folder:
        path = capture_lazily(
            program,
            cuts,
            Path(folder) / "together",
            python=python,
            pairs=pairs,
            even_in_try=True,
            timeout_s=timeout_s,
        )
        return verify(read_pairs(path), int(predicted), compare_output=isinstance(program, Target))


def _cuts(suspect: Suspect) -> list[Cut]:
    return [Cut(file=suspect.file, line=line) for line in suspect.lines]


def _verified(
    suspect: Suspect,
    cost: ImportCost,
    program: Sequence[str] | Target,
    *,
    python: str,
    pairs: int,
    timeout_s: float,
) -> Verified:
    cuts = _cuts(suspect)
    result, ways, refined = None, frames.IMPORT_EDGES.empty(), None
    with tempfile.TemporaryDirectory(prefix="diagtools-") as folder:
        path, refused, reasons = Path(folder), "", [""]
        for number, even_in_try in enumerate((False, True)):
            path = capture_lazily(
                program,
                cuts,
                Path(folder) / str(number),
                python=python,
                pairs=pairs,
                even_in_try=even_in_try,
                timeout_s=timeout_s,
            )
            reasons = list(dict.fromkeys(one.refused for one in read_places(path)))
            refused = refused or "; ".join(filter(None, reasons))
            if refused != IN_TRY:
                break
        if "" in reasons:  # some of it may be lazy
            is_command = isinstance(program, Target)
            result = verify(read_pairs(path), suspect.predicted_anon_bytes, compare_output=is_command)
            if result.n_lazy and not result.forced and result.verdict not in (Verdict.SAVES, Verdict.BREAKS):
                held = held_modules(cost.edges, [(cut.file, cut.line) for cut in cuts])
                traced = capture_lazy_imports(program, path, python=python, timeout_s=timeout_s)
                ways = other_ways(held, _traced(traced, cost.target))
                refined = _refined(cost, ways, cuts)
    return Verified(
        suspect=suspect, result=result, refused=refused, other_ways=ways, refined_anon_bytes=refined
    )


def _traced(path: Path, command: str) -> pl.DataFrame:
    """IMPORTS of the lazy run, of the process that executes this command, or of the first."""
    logs = read_imports(path)
    return attribute(next((log for log in logs if log.command == command), logs[0]).events)


def _refined(cost: ImportCost, ways: pl.DataFrame, cuts: Sequence[Cut]) -> int | None:
    """What the statements hold in the graph that has these edges too."""
    if ways.is_empty():
        return None
    held = held_modules(pl.concat([cost.edges, ways]), [(cut.file, cut.line) for cut in cuts])
    return int(cost.imports.filter(pl.col("module").is_in(held))["self_anon_bytes"].sum())
