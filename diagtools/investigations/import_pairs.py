"""Two programs, run in turn: what do the imports of each take, and do they print the same?"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from diagtools.analyse.imports import attribute, total
from diagtools.analyse.outputs import Difference, difference, is_repeatable
from diagtools.capture.imports import OUTPUT, capture_command_imports, capture_imports
from diagtools.read.imports import read_imports
from diagtools.read.manifest import read_manifest
from diagtools.read.printed import read_printed
from diagtools.values import Target

Program = Sequence[str] | Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What the runs of one program took, a value a run: of its Python process that imports most."""

    anon_bytes: tuple[int, ...]
    wall_s: tuple[float, ...]
    n_modules: tuple[int, ...]
    exit_status: tuple[int | None, ...]
    printed: tuple[tuple[str, ...], ...]

    @property
    def median_bytes(self) -> int:
        """The median of its anonymous memory."""
        return round(median(self.anon_bytes))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPairs:
    """What the imports of two programs took, in runs that took turns."""

    before: Side
    after: Side

    @property
    def same_output(self) -> bool | None:
        """Do they print the same and end alike?  Null where one was too long to keep, or is another in each run."""
        if set(self.before.exit_status) != set(self.after.exit_status):
            return False
        is_known = all(len(side.printed) == len(side.anon_bytes) for side in (self.before, self.after))
        return self.first_difference is None if is_known and is_repeatable(self.before.printed) else None

    @property
    def first_difference(self) -> Difference | None:
        """Which line does the second print otherwise?"""
        found = (difference(self.before.printed, lines) for lines in self.after.printed)
        return next((one for one in found if one is not None), None)


def import_pairs(
    before: Program,
    after: Program,
    *,
    pairs: int = 3,
    python: str = sys.executable,
    timeout_s: float = 300.0,
) -> ImportPairs:
    """What do the imports of these two take?  Each is the statements of one interpreter, or a command."""
    sides: tuple[list[_Ran], list[_Ran]] = ([], [])
    with tempfile.TemporaryDirectory(prefix="diagtools-") as folder:
        for number in range(pairs):
            for name, program, side in zip(("before", "after"), (before, after), sides, strict=True):
                place = Path(folder) / f"{name}-{number}"
                side.append(_ran(program, place, python=python, timeout_s=timeout_s))
    return ImportPairs(before=_side(sides[0]), after=_side(sides[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ran:
    anon_bytes: int
    wall_s: float
    n_modules: int
    exit_status: int | None
    printed: tuple[str, ...] | None


def _ran(program: Program, place: Path, *, python: str, timeout_s: float) -> _Ran:
    if isinstance(program, Target):
        path = capture_command_imports(program, place, timeout_s=timeout_s)
    else:
        path = capture_imports(program, place, python=python, timeout_s=timeout_s)
    imports = max(
        (attribute(log.events) for log in read_imports(path)), key=lambda one: total(one)["anon_bytes"]
    )
    found = total(imports)
    manifest = read_manifest(path)
    return _Ran(
        anon_bytes=int(found["anon_bytes"]),
        wall_s=found["wall_s"],
        n_modules=imports.height - 1,
        exit_status=manifest.exit_status,
        printed=None if any(one.what == OUTPUT for one in manifest.validity) else read_printed(path),
    )


def _side(runs: Sequence[_Ran]) -> Side:
    return Side(
        anon_bytes=tuple(run.anon_bytes for run in runs),
        wall_s=tuple(run.wall_s for run in runs),
        n_modules=tuple(run.n_modules for run in runs),
        exit_status=tuple(run.exit_status for run in runs),
        printed=tuple(run.printed for run in runs if run.printed is not None),
    )
