"""What would the same program cost where an optional dependency is not installed?  Measured, in interleaved pairs."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any

import polars as pl

from diagtools.analyse.import_graph import modules_behind
from diagtools.analyse.laziness import Output, Verdict, Verification, verify
from diagtools.capture.laziness import capture_without
from diagtools.errors import UsageError
from diagtools.investigations.import_verify import same_output
from diagtools.investigations.measured_imports import ImportCost
from diagtools.investigations.progress import Progress
from diagtools.present.imports import place
from diagtools.read.laziness import read_pairs
from diagtools.values import Target

_N_SUGGESTED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Without:
    """A program in a world without these packages: what was predicted, and what was measured there."""

    packages: tuple[str, ...]
    predicted_anon_bytes: int
    result: Verification

    @property
    def verdict(self) -> str:
        """``saves``, ``saves less``, ``saves nothing``, or ``breaks``."""
        words = {Verdict.PARTLY: "saves less", Verdict.FORCED: "saves nothing"}
        return words.get(self.result.verdict, str(self.result.verdict))

    @property
    def why(self) -> str:
        """How the program ends without them, or why its output was not compared; empty for nothing."""
        if self.result.error:
            return self.result.error
        is_unknown = self.result.output is Output.NOT_COMPARABLE
        return f"output {self.result.output}" if is_unknown else ""

    def in_short(self) -> tuple[str, int, float, str, str]:
        """Packages, predicted and measured bytes, verdict, and why; a program that breaks has saved nothing."""
        measured = nan if self.result.verdict is Verdict.BREAKS else self.result.saved_anon_bytes
        return ", ".join(self.packages), self.predicted_anon_bytes, measured, self.verdict, self.why

    def as_json(self) -> dict[str, Any]:
        """``without`` in what ``imports --json`` prints."""
        return {
            "packages": list(self.packages),
            "predicted_anon_bytes": self.predicted_anon_bytes,
            "measured_anon_bytes": self.result.saved_anon_bytes,
            "verdict": self.verdict,
            "error": (self.result.error or None) and place(self.result.error),
            "same_output": same_output(self.result),
        }


def without(
    cost: ImportCost,
    program: Sequence[str] | Target,
    packages: Sequence[str],
    *,
    python: str = sys.executable,
    pairs: int = 3,
    timeout_s: float = 300.0,
) -> Without:
    """What does the program save where these packages are not installed, and does it still do the same?

    ``cost`` is what importing the statements of ``program`` was measured to take, or the dearest process of that
    command.  Raises ``UsageError`` for what is no package, is part of Python, or is not imported at all.
    """
    check_packages(packages)
    for package in packages:
        _must_be_imported(package, cost)
    Progress().say(f"running it without {', '.join(packages)} …")
    behind = modules_behind(cost.edges, packages)
    predicted = int(cost.imports.filter(pl.col("module").is_in(behind))["self_anon_bytes"].sum())
    with tempfile.TemporaryDirectory(prefix="diagtools-") as folder:
        path = capture_without(
            program, packages, Path(folder) / "pairs", python=python, pairs=pairs, timeout_s=timeout_s
        )
        is_command = isinstance(program, Target)
        result = verify(read_pairs(path), predicted, compare_output=is_command, is_laziness=False)
    return Without(packages=tuple(packages), predicted_anon_bytes=predicted, result=result)


def check_packages(packages: Sequence[str]) -> None:
    """Can these be left out?  Raises ``UsageError`` for what is no package, or part of Python."""
    for package in packages:
        if not all(part.isidentifier() for part in package.split(".")):
            hint = "name it as it is imported: sklearn, not scikit-learn."
            raise UsageError(f"'{package}' is no package.", hint=hint)
        if package.partition(".")[0] in sys.stdlib_module_names:
            hint = "an optional dependency can be left out: --without polars"
            raise UsageError(f"'{package}' is part of Python: it is always installed.", hint=hint)


def _must_be_imported(package: str, cost: ImportCost) -> None:
    imported = cost.imports["module"]
    if not (imported.is_in([package]) | imported.str.starts_with(f"{package}.")).any():
        others = [name for name in cost.packages["package"].to_list() if not _is_python(name)][:_N_SUGGESTED]
        raise UsageError(
            f"Nothing here imports '{package}'.",
            hint=f"what takes most: {', '.join(others) or 'Python itself'}.",
        )


def _is_python(package: str) -> bool:
    return package in sys.stdlib_module_names or not package.isidentifier()
