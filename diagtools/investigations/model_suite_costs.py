"""What do the tests of one run of a suite cost, file by file and folder by folder?"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from statistics import median

import polars as pl

from diagtools.errors import NoDataError
from diagtools.run import Run

_RAN = ("passed", "failed")
_ONLY = "tests"  #: what a suite without folders is called


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderCost:
    """The files of tests in one folder: what one of them takes on average, and its tests (seconds, bytes).

    ``first_s`` is the median over files of the first test that ran, ``later_s`` of all others (null: there are none).
    ``peak_bytes`` is the highest RSS of a process while one of its tests ran, ``demand_bytes`` the most that one test
    took on top of what there was.  Tests that were skipped are in ``n_skipped`` and nowhere else.
    """

    name: str
    n_files: int
    n_tests: int
    n_skipped: int
    file_s: float | None
    first_s: float | None
    later_s: float | None
    peak_bytes: int | None
    demand_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteCost:
    """One run of a suite: how its tests ended, the one with the highest peak, and its folders by name."""

    n_ran: int
    n_skipped: int
    n_failed: int
    highest: str | None
    folders: tuple[FolderCost, ...]

    @property
    def n_tests(self) -> int:
        """How many tests were collected?"""
        return self.n_ran + self.n_skipped

    def folder(self, name: str) -> FolderCost | None:
        """This folder; null where it has no tests."""
        return next((one for one in self.folders if one.name == name), None)


def suite_cost(run: Run) -> SuiteCost | None:
    """What did the tests of this run cost?  Null where it was not told: the run had no ``pytest --diag`` in it."""
    try:
        return cost_of(run.test_session.tests)
    except NoDataError:
        return None


def cost_of(tests: pl.DataFrame) -> SuiteCost:
    """What did these tests cost?  TESTS of one session; each test counts where it ended, and every one counts once."""
    shared = shared_folder(tests["file"].to_list())
    known = tests.with_columns(
        duration_s=pl.col("end_s") - pl.col("begin_s"),
        folder=pl.col("file").map_elements(lambda file: folder_of(file, shared), return_dtype=pl.String),
    ).sort("begin_s")
    ran = known.filter(pl.col("outcome") != "skipped")
    highest = ran.drop_nulls("peak_bytes").sort("peak_bytes", descending=True)
    return SuiteCost(
        n_ran=ran.height,
        n_skipped=known.height - ran.height,
        n_failed=ran.filter(pl.col("outcome") != "passed").height,
        highest=None if highest.is_empty() else highest["test"][0],
        folders=tuple(
            _folder_cost(str(name), part) for (name,), part in known.group_by("folder", maintain_order=True)
        ),
    )


def _folder_cost(name: str, tests: pl.DataFrame) -> FolderCost:
    ran = tests.filter(pl.col("outcome") != "skipped")
    durations = [
        part["duration_s"].drop_nulls().to_list() for _, part in ran.group_by("file", maintain_order=True)
    ]
    later = [one for each in durations for one in each[1:]]
    return FolderCost(
        name=name,
        n_files=tests["file"].n_unique(),
        n_tests=ran.height,
        n_skipped=tests.height - ran.height,
        file_s=sum(map(sum, durations)) / len(durations) if durations else None,
        first_s=_median([each[0] for each in durations if each]),
        later_s=_median(later),
        peak_bytes=_most(ran["peak_bytes"]),
        demand_bytes=_most(ran["demand_bytes"]),
    )


def _most(values: pl.Series) -> int | None:
    found = values.max()
    return found if isinstance(found, int) else None


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None


def shared_folder(files: Sequence[str]) -> str:
    """Which folder do all files lie in?  Empty where there is none but the root."""
    folders = [str(PurePosixPath(file).parent) for file in files]
    try:
        shared = os.path.commonpath(folders) if folders else ""
    except ValueError:  # some lie outside of the root: they have absolute paths
        return ""
    return "" if shared == "." else shared


def folder_of(file: str, shared: str) -> str:
    """Which part of the suite is this file in: the first folder below the one that all files share?"""
    path = PurePosixPath(file)
    below = path.relative_to(shared) if shared else path
    return below.parts[0] if len(below.parts) > 1 else PurePosixPath(shared).name or _ONLY
