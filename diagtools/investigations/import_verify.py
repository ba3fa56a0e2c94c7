"""What would laziness really save?  Predicted savings are measured before they are called so."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any

import polars as pl

from diagtools.analyse.laziness import Verification, verify
from diagtools.capture.laziness import Cut, capture_lazily
from diagtools.errors import UsageError
from diagtools.investigations.import_cost import ImportCost
from diagtools.investigations.progress import Progress
from diagtools.present.imports import place
from diagtools.probes.laziness import IN_TRY
from diagtools.read.laziness import read_pairs, read_places

#: A statement that holds more of the whole than this is what was asked for, not a part that could wait.
_SUBJECT_SHARE = 0.8
#: Of two statements in a row that hold the same, the first is the one to mend.
_SAME_SHARE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """One import statement made lazy: what was predicted, what was measured, or why it cannot be lazy there.

    ``refused`` beside a result: PEP 810 allows no lazy import in a ``try``; measured is an import where it is used.
    """

    file: str
    line: int
    imports: tuple[str, ...]
    predicted_anon_bytes: int
    result: Verification | None
    refused: str = ""

    def in_short(self) -> tuple[str, int, float, str, str]:
        """Place, predicted and measured bytes, verdict, and who forced it or why it is not allowed."""
        where = f"{self.file}:{self.line}"
        if self.result is None:
            return where, self.predicted_anon_bytes, nan, "not allowed", self.refused
        forced = ", ".join(f"{use.file}:{use.line}" for use in self.result.forced[:2]) or self.result.error
        forced = forced or (f"{self.refused}: import it where it is used" if self.refused else "")
        return (
            where,
            self.predicted_anon_bytes,
            self.result.saved_anon_bytes,
            str(self.result.verdict),
            forced,
        )

    def as_json(self) -> dict[str, Any]:
        """One entry of ``verified`` in the contract of ``imports --json``."""
        result = self.result
        return {
            "file": place(self.file),
            "line": self.line,
            "imports": list(self.imports),
            "predicted_anon_bytes": self.predicted_anon_bytes,
            "measured_anon_bytes": None if result is None else result.saved_anon_bytes,
            "forced_by": [{"file": place(use.file), "line": use.line} for use in result.forced]
            if result
            else [],
            "verdict": "not allowed" if result is None else str(result.verdict),
            "refused": self.refused or None,
        }


def verify_imports(
    cost: ImportCost,
    statements: Sequence[str],
    *,
    n: int = 3,
    at: str | None = None,
    python: str = sys.executable,
    pairs: int = 3,
    timeout_s: float = 300.0,
) -> list[Verified]:
    """Which of the dearest import statements save what was predicted when they are lazy, and what forces the others?

    ``cost`` is what importing ``statements`` was measured to take; ``at`` (``file:line``) names one statement, else
    the ``n`` that hold most are tried, each alone.  A saving is one *while the names are unused*.  Raises
    ``UsageError`` where ``at`` is none of the statements.
    """
    chosen = _at(cost.statements, at) if at else dearest(cost.statements, cost.total["anon_bytes"], n)
    progress = Progress()
    found = []
    for row in chosen.iter_rows(named=True):
        progress.say(f"verifying {row['file']}:{row['line']} …")
        found.append(_verified(row, statements, python=python, pairs=pairs, timeout_s=timeout_s))
    return found


def dearest(statements: pl.DataFrame, whole_bytes: float, n: int) -> pl.DataFrame:
    """Which ``n`` statements hold most without being the subject itself, or one that another of them brought?

    ``statements`` is STATEMENTS, and so is the result.
    """
    kept: list[dict[str, Any]] = []
    for row in statements.filter(~pl.col("file").str.starts_with("<")).iter_rows(named=True):
        held = row["retained_anon_bytes"]
        if len(kept) == n or held <= 0:
            break
        if held < _SUBJECT_SHARE * whole_bytes and not any(_goes_on(row, earlier) for earlier in kept):
            kept.append(row)
    return statements.clear() if not kept else pl.DataFrame(kept, schema=statements.schema)


def _goes_on(row: dict[str, Any], earlier: dict[str, Any]) -> bool:
    same = abs(row["retained_anon_bytes"] - earlier["retained_anon_bytes"])
    return same <= _SAME_SHARE * earlier["retained_anon_bytes"] and row["importer"] in earlier["imports"]


def _at(statements: pl.DataFrame, at: str) -> pl.DataFrame:
    file, _, line = at.rpartition(":")
    is_it = (pl.col("file") == file) | pl.col("file").str.ends_with(f"/{file}")
    found = (
        statements.filter(is_it & (pl.col("line").cast(pl.String) == line)) if file else statements.clear()
    )
    if found.is_empty():
        raise UsageError(
            f"'{at}' is no import statement of this program.", hint="name it as the table does: file:line."
        )
    return found.head(1)


def _verified(
    row: dict[str, Any], statements: Sequence[str], *, python: str, pairs: int, timeout_s: float
) -> Verified:
    cut = Cut(file=row["file"], line=row["line"])
    with tempfile.TemporaryDirectory(prefix="diagtools-") as folder:
        path, refused, reasons = Path(folder), "", [""]
        for number, even_in_try in enumerate((False, True)):
            path = capture_lazily(
                statements,
                [cut],
                Path(folder) / str(number),
                python=python,
                pairs=pairs,
                even_in_try=even_in_try,
                timeout_s=timeout_s,
            )
            reasons = [one.refused for one in read_places(path) if one.refused]
            refused = refused or "; ".join(reasons)
            if refused != IN_TRY:
                break
        result = verify(read_pairs(path), row["retained_anon_bytes"]) if not reasons else None
    return Verified(
        file=row["file"],
        line=row["line"],
        imports=tuple(row["imports"]),
        predicted_anon_bytes=row["retained_anon_bytes"],
        result=result,
        refused=refused,
    )
