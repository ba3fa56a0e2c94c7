"""What do imports cost, who holds that, and what became of the suspicions, in sentences whose numbers are measured?"""

from __future__ import annotations

import sys
from typing import Protocol

import polars as pl

from diagtools.analyse.imports import PROGRAM
from diagtools.analyse.laziness import Output, Verdict, Verification
from diagtools.units import format_bytes, format_seconds, format_share
from diagtools.values import Effect, Finding, Hypothesis
from diagtools.values import Verdict as Judgement

METRIC = "anon_bytes"
_WORTH_SAYING = 0.02  # of the total


class Tried(Protocol):
    """An import statement, or all of a file, that was made lazy."""

    @property
    def where(self) -> str:
        """Its place, in short."""

    @property
    def name(self) -> str:
        """Its place and what it imports, in few words."""

    @property
    def clause(self) -> str:
        """Where it stands and what it imports."""

    @property
    def predicted_anon_bytes(self) -> int:
        """What hangs on it alone."""

    @property
    def result(self) -> Verification | None:
        """What was measured; null where it cannot be lazy there."""

    @property
    def verdict(self) -> str:
        """What became of it."""

    @property
    def why(self) -> str:
        """Who forced it, or why it is not allowed."""


def cost_findings(
    target: str, imports: pl.DataFrame, spread: tuple[float, float], n_runs: int
) -> list[Finding]:
    """What does it cost, and how much of that is its own code?  ``imports`` is IMPORTS, ``spread`` of its total."""
    anon = int(imports["self_anon_bytes"].sum())
    low, high = map(format_bytes, spread)
    runs = f" ({low} to {high} in {n_runs} runs)" if low != high else ""
    sentence = (
        f"In a fresh interpreter '{target}' costs {format_bytes(anon)} of memory of its own{runs}, "
        f"{format_seconds(float(imports['self_wall_s'].sum()))} and {imports.height - 1:,} modules."
    )
    found = [Finding(sentence=sentence, value=anon, unit="bytes", evidence=imports)]
    package = own_package(imports)
    if package is not None and anon > 0:
        is_own = pl.col("module").str.split(".").list.first() == package
        own = int(imports.filter(is_own)["self_anon_bytes"].sum())
        sentence = (
            f"The code of '{package}' itself takes {format_bytes(own)} of that, {format_share(own / anon)}."
        )
        found.append(Finding(sentence=sentence, value=own, unit="bytes"))
    return found


def process_findings(command: str, imports: pl.DataFrame) -> list[Finding]:
    """What does a process of a command hold when it ends, and which import at its top brought most of that?"""
    anon = int(imports["self_anon_bytes"].sum())
    n_modules = imports.height - 1
    sentence = f"'{command}' holds {format_bytes(anon)} of its own when it ends, with {n_modules:,} modules imported."
    found = [Finding(sentence=sentence, value=anon, unit="bytes", evidence=imports)]
    top = top_imports(imports).sort("total_anon_bytes", descending=True)
    if not top.is_empty() and anon > 0:
        first = top.row(0, named=True)
        held = first["total_anon_bytes"]
        share = format_share(held / anon)
        sentence = f"{format_bytes(held)} of that, {share}, came with one import: {first['module']}."
        found.append(Finding(sentence=sentence, value=held, unit="bytes"))
    return found


def top_imports(imports: pl.DataFrame) -> pl.DataFrame:
    """The rows of IMPORTS that the program itself imported, in order."""
    return imports.filter(pl.col("importer") == PROGRAM)


def steps(imports: pl.DataFrame, interpreter_bytes: int) -> pl.DataFrame:
    """What did the process hold of its own after each import at its top?

    ``imports`` is IMPORTS, ``interpreter_bytes`` what it held before them.  Columns: ``after``, ``so_far_bytes``,
    ``own_bytes``, ``n_modules``; imports of less than 2 % of the whole go with the next that is larger.
    """
    whole = max(int(imports["self_anon_bytes"].sum()), 1)
    rows = [("the interpreter", interpreter_bytes, interpreter_bytes, 0)]
    tops = set(top_imports(imports)["order"].to_list())
    waiting, n_modules, so_far, name = 0, 0, interpreter_bytes, ""
    for row in imports.sort("order").iter_rows(named=True):
        if row["order"] in tops:
            if waiting >= _WORTH_SAYING * whole:
                so_far += waiting
                rows.append((name, so_far, waiting, n_modules))
                waiting, n_modules = 0, 0
            name = row["module"] if row["module"] != PROGRAM else "the program itself"
        waiting += row["self_anon_bytes"]
        n_modules += row["module"] != PROGRAM
    if n_modules or waiting:
        rows.append((name or "the end", so_far + waiting, waiting, n_modules))
    return pl.DataFrame(rows, schema=["after", "so_far_bytes", "own_bytes", "n_modules"], orient="row")


def own_package(imports: pl.DataFrame) -> str | None:
    """The top-level package that the program asked for last; what comes with Python is none."""
    tops = [str(module).partition(".")[0] for module in top_imports(imports)["module"]]
    asked = [name for name in tops if not _is_python(name)]
    return asked[-1] if asked else None


def dearest_foreign(packages: pl.DataFrame, own: str | None) -> str | None:
    """Which package that is neither Python's nor the target's takes most?  ``packages`` is IMPORT_PACKAGES."""
    names = [name for name in packages["package"] if name != own and not _is_python(name)]
    return names[0] if names else None


def _is_python(package: str) -> bool:
    return package in sys.stdlib_module_names or not package.isidentifier()


def tried_effect(tried: Tried) -> Effect:
    """What was tried as an experiment's effect: memory of its own with the statement as it is, and lazy.

    Confirmed where something worth it is saved (``saves``, ``partly``), refuted where not.
    """
    where, result = tried.where, tried.result
    saves = result is not None and result.verdict in (Verdict.SAVES, Verdict.PARTLY)
    before, after = (result.plain_anon_bytes, result.lazy_anon_bytes) if result else (None, None)
    saved = (result.saved_anon_bytes, result.high_anon_bytes, result.low_anon_bytes) if result else ()
    shares = [-one / before for one in saved] if before else [None, None, None]
    return Effect(
        hypothesis=Hypothesis(
            name=tried.name,
            suspicion=f"{tried.clause}, which nobody needs yet",
            change=f"{where} lazy",
            variant=where,
            mend=f"{where} lazy",
            metric=METRIC,
        ),
        verdict=Judgement.CONFIRMED if saves else Judgement.REFUTED,
        reason=tried_reason(tried),
        n_baseline=result.n_pairs if result else 0,
        n_baseline_killed=0,
        n_variant=result.n_pairs if result else 0,
        n_variant_killed=0,
        baseline_value=before,
        variant_value=after,
        baseline_is_bound=False,
        variant_is_bound=False,
        change_share=shares[0],
        low_share=shares[1],
        high_share=shares[2],
        rescued=False,
        same_item=None,
    )


def tried_sentence(tried: Tried) -> str:
    """What became of it, from its place on."""
    clause = tried.clause
    return f"{clause[:1].upper() if clause.startswith('all ') else clause[:1]}{clause[1:]}: {tried_reason(tried)}"


def tried_reason(tried: Tried) -> str:
    """Predicted beside measured, and who forced it, a sentence."""
    predicted = f"predicted {format_bytes(tried.predicted_anon_bytes)}"
    if tried.result is None:
        return f"{predicted}, not measured: {tried.why}."
    measured = f"{predicted}, measured {format_bytes(tried.result.saved_anon_bytes)}"
    by = {Verdict.FORCED: "forced by ", Verdict.PARTLY: "in part forced by "}.get(tried.result.verdict, "")
    why = f" ({by if tried.result.forced else ''}{tried.why})" if tried.why else ""
    return f"{measured}: {tried.verdict}{why}."


def together_finding(result: Verification, n_tried: int, command: str | None) -> Finding:
    """What do statements save that are lazy at once, while they are unused, or in a command that is named?"""
    saved = format_bytes(result.saved_anon_bytes)
    what = "This one, lazy, saves" if n_tried == 1 else f"All {n_tried} at once, lazy, save"
    if command is None:
        sentence = (
            f"{what} {saved} of {format_bytes(result.plain_anon_bytes)} while what is imported there is unused "
            f"(predicted {format_bytes(result.predicted_anon_bytes)})."
        )
    else:
        kept = {
            Output.SAME: "its exit status and what it prints are the same",
            Output.DIFFERENT: f"but {result.error}",
            Output.NOT_COMPARABLE: "its exit status is the same; what it prints is another in each run",
            Output.NOT_ASKED: "its exit status is the same",
        }[result.output]
        if result.verdict is Verdict.BREAKS and result.output is not Output.DIFFERENT:
            kept = f"but it ends with {result.error}"
        sentence = f"In '{command}' that saves {saved} of {format_bytes(result.plain_anon_bytes)}; {kept}."
    return Finding(sentence=sentence, value=result.saved_anon_bytes, unit="bytes")


def fixed_finding(
    what: str, before_bytes: int, after_bytes: int, *, same_output: bool | None = None
) -> Finding:
    """From how much to how much did the memory of its own go?"""
    share = f" (−{format_share(1 - after_bytes / before_bytes)})" if before_bytes > after_bytes > 0 else ""
    same = {True: "; it prints the same", False: "; but it does not print the same", None: ""}[same_output]
    sentence = f"{what}: {format_bytes(after_bytes)} instead of {format_bytes(before_bytes)}{share}{same}."
    return Finding(sentence=sentence, value=before_bytes - after_bytes, unit="bytes")
