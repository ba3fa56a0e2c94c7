"""Which lines asked for the memory of the heaviest tests of a session?"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from diagtools.analyse.profiles.sites import sites
from diagtools.errors import DiagtoolsError, NoDataError
from diagtools.read.artefact import find_artefact
from diagtools.read.profiles.opening import read_profile
from diagtools.read.suite_tests import RepeatOf, SuiteCosts
from diagtools.units import format_bytes

_N_LINES = 5
_LEAST_SHARE = 0.01
_LEAST_OF_DEMAND = 0.5  #: else what ran was not the same: it failed early, or memory was there already


def asking_lines(folder: Path, costs: SuiteCosts) -> list[str]:
    """For each test that ran once more, the lines that held most at its peak; what cannot be read is said."""
    return [line for repeat in costs.repeats for line in _asking(folder, repeat)]


def _asking(folder: Path, repeat: RepeatOf) -> list[str]:
    name, event = repeat.test.begun.test, repeat.repeated
    try:
        path = find_artefact(folder, event.capture)
        if path is None:
            return [f"{name}: '{event.capture}' is not there any more."]
        profile = read_profile(path)
    except NoDataError:
        return [_other(repeat, "nothing")]
    except DiagtoolsError as error:
        return [f"{name}: {error}"]
    demand = repeat.test.demand or 0
    if profile.total < _LEAST_OF_DEMAND * demand:
        return [_other(repeat, f"only {format_bytes(profile.total)}")]
    needed, found = format_bytes(demand), sites(profile)
    head = f"{name} needed {needed}; in its {event.phase}, run once more, these lines held most at the peak:"
    rows = found.filter(pl.col("share") >= _LEAST_SHARE).head(_N_LINES)
    return [
        head,
        *(_row(row["self_size"], row["file"], row["line"], row["function"]) for row in rows.to_dicts()),
    ]


def _other(repeat: RepeatOf, held: str) -> str:
    needed = format_bytes(repeat.test.demand or 0)
    return (
        f"{repeat.test.begun.test} needed {needed}, but {held} when it ran once more: "
        "which lines asked is not known."
    )


def _row(size: int, file: str, line: int, function: str) -> str:
    place = Path(file)
    shown = place.relative_to(Path.cwd()) if place.is_relative_to(Path.cwd()) else place
    where = f"{shown}:{line}" if file else ""
    return f"{format_bytes(size):>12}  {where} {function}".rstrip()
