"""Which import statements are worth making lazy?  Predictions, until they are verified."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from diagtools.analyse.import_owners import Owner, owner_of
from diagtools.analyse.imports import OK, PROGRAM
from diagtools.errors import DiagtoolsError, UsageError
from diagtools.investigations.measured_imports import ImportCost
from diagtools.read.import_place import read_import_place
from diagtools.redact import redact_path

#: A statement of a package that imports its own modules and holds more of the whole than this is what was asked for.
_SUBJECT_SHARE = 0.8
#: Less than this is not worth a line that waits, nor far enough above what differs from run to run.
_LEAST_BYTES, _LEAST_SHARE = 300_000, 0.01
NOTHING = "No statement that could wait holds 1 % of the whole and 0.3 MB: nothing here is worth making lazy."
#: Of two statements in a row that hold the same, the first is the one to mend.
_SAME_SHARE = 0.05
#: From this share of the whole on, what a package imports that only runs along is worth naming.
_ALONG_SHARE = 0.1
_LOCAL = ("def", "async def", "class")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """An import statement, or all statements of a file together, and what is predicted to hang on it alone.

    ``is_file`` is true of the latter; ``runs_along_for`` is then the module for which that package runs, if it does so
    only for one.
    """

    file: str
    lines: tuple[int, ...]
    imports: tuple[str, ...]
    predicted_anon_bytes: int
    n_modules: int
    is_file: bool = False
    runs_along_for: str = ""

    @property
    def place(self) -> str:
        """``file:line``, or the file."""
        return self.file if self.is_file else f"{self.file}:{self.lines[0]}"

    @property
    def where(self) -> str:
        """The place in short: folder, file and line."""
        short = "/".join(redact_path(self.file).split("/")[-2:])
        return short if self.is_file else f"{short}:{self.lines[0]}"

    @property
    def name(self) -> str:
        """Its place and what it imports, in few words."""
        return f"{self.where} ({self.what})" if self.is_file else f"{self.where} imports {self.what}"

    @property
    def clause(self) -> str:
        """Where it stands and what it imports."""
        if not self.is_file:
            return f"{self.where} imports {self.what}"
        why = f", which runs for {self.runs_along_for}" if self.runs_along_for else ""
        return f"{self.what} of {self.where}{why}"

    @property
    def what(self) -> str:
        """What is imported, in a few words."""
        if self.is_file:
            return f"all {len(self.lines)} imports" if len(self.lines) > 1 else "its import"
        return ", ".join(self.imports[:2]) + ("…" if len(self.imports) > 2 else "")


def suspects(cost: ImportCost, n: int) -> list[Suspect]:
    """The ``n`` that hold most: first packages that run only for a module in them, then single statements."""
    along = [_along(row) for row in cost.packages_run_along.iter_rows(named=True)]
    least = _ALONG_SHARE * cost.total["anon_bytes"]
    along = [one for one in along if len(one.lines) > 1 and one.predicted_anon_bytes >= max(least, 1)]
    rows = dearest(cost.statements, cost.total["anon_bytes"], n)
    return [*along, *map(_of_row, rows.iter_rows(named=True))][:n]


def suspect_at(cost: ImportCost, at: str) -> Suspect:
    """The suspect at ``file:line``, or all statements of ``file``.  Raises ``UsageError`` where none is there."""
    file, _, line = at.rpartition(":")
    statements = cost.statements
    if file and line.isdigit():
        found = statements.filter(_is_in(file) & (pl.col("line").cast(pl.String) == line))
        if not found.is_empty():
            return _of_row(found.row(0, named=True))
    elif at.endswith(".py"):
        found = statements.filter(_is_in(at))
        if not found.is_empty():
            return _of_file(cost, str(found["file"][0]))
    raise UsageError(
        f"'{at}' is no import statement of this program.",
        hint="name it as the table does: file:line, or a file.",
    )


def _is_in(file: str) -> pl.Expr:
    return (pl.col("file") == file) | pl.col("file").str.ends_with(f"/{file}")


def dearest(statements: pl.DataFrame, whole_bytes: float, n: int) -> pl.DataFrame:
    """Which ``n`` statements hold most without being the subject itself, or one that another of them brought?

    ``statements`` is STATEMENTS, and so is the result.  Passed over is what cannot wait or nobody can change: a
    statement of the program itself, of the standard library, or in a function (it waits until that is called), a place
    whose source shows no import statement (a call of ``import_module``), and what holds too little to be worth it.
    """
    kept: list[dict[str, Any]] = []
    for row in statements.filter(~pl.col("file").str.starts_with("<")).iter_rows(named=True):
        if len(kept) == n or row["retained_anon_bytes"] < max(_LEAST_BYTES, _LEAST_SHARE * whole_bytes):
            break
        is_foreign = row["importer"] != PROGRAM and owner_of(row["file"]) is not Owner.PYTHON
        is_subject = row["retained_anon_bytes"] > _SUBJECT_SHARE * whole_bytes and _is_of_its_own(row)
        if is_foreign and not is_subject and not any(_goes_on(row, one) for one in kept) and _may_wait(row):
            kept.append(row)
    return statements.clear() if not kept else pl.DataFrame(kept, schema=statements.schema)


def _is_of_its_own(row: dict[str, Any]) -> bool:
    """Does a package import its own modules there?"""
    own = row["importer"].partition(".")[0]
    return all(module.partition(".")[0] == own for module in row["imports"])


def _may_wait(row: dict[str, Any]) -> bool:
    try:
        place = read_import_place(Path(row["file"]), row["line"])
    except UsageError:
        return False
    except DiagtoolsError:  # who cannot read it, cannot rule it out either
        return True
    return all(one.kind not in _LOCAL for one in place.around)


def _goes_on(row: dict[str, Any], earlier: dict[str, Any]) -> bool:
    same = abs(row["retained_anon_bytes"] - earlier["retained_anon_bytes"])
    return same <= _SAME_SHARE * earlier["retained_anon_bytes"] and row["importer"] in earlier["imports"]


def _of_row(row: dict[str, Any]) -> Suspect:
    return Suspect(
        file=row["file"],
        lines=(row["line"],),
        imports=tuple(row["imports"]),
        predicted_anon_bytes=row["retained_anon_bytes"],
        n_modules=row["n_modules"],
    )


def _along(row: dict[str, Any]) -> Suspect:
    return Suspect(
        file=row["file"],
        lines=tuple(row["lines"]),
        imports=(),
        predicted_anon_bytes=row["retained_anon_bytes"],
        n_modules=row["n_modules"],
        is_file=True,
        runs_along_for=row["wanted"],
    )


def _of_file(cost: ImportCost, file: str) -> Suspect:
    """All statements of a file together: what hangs on them is more than each alone shows."""
    lines = cost.statements.filter(pl.col("file") == file)["line"].unique().sort().to_list()
    held = cost.held_by([(file, line) for line in lines])
    return Suspect(
        file=file,
        lines=tuple(lines),
        imports=(),
        predicted_anon_bytes=int(held["self_anon_bytes"].sum()),
        n_modules=held.filter(pl.col("status") == OK)["module"].n_unique(),
        is_file=True,
    )
