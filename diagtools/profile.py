"""What one capture or export says about where memory, or time, went."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from diagtools.values import Validity

if TYPE_CHECKING:
    import polars as pl


class Unit(StrEnum):
    """What a size counts; always a whole number of it."""

    BYTES = "bytes"
    NS = "ns"
    SAMPLES = "samples"


class View(StrEnum):
    """Which allocations a profile holds."""

    PEAK = "peak"  # what was live when most was
    LEAKED = "leaked"  # what was never freed while it was watched
    TEMPORARY = "temporary"  # what was freed again before the next allocation
    LIVE = "live"  # what was live at one moment: a snapshot
    ALLOCATED = "allocated"  # all that was asked for, freed or not
    CPU = "cpu"  # no memory: time or samples


class Source(StrEnum):
    """Which kind of file a profile was read from."""

    MEMRAY = "memray capture"
    MEMRAY_FLAMEGRAPH = "memray flamegraph"
    MEMRAY_TABLE = "memray table"
    MEMRAY_CSV = "memray csv"
    TRACEMALLOC = "tracemalloc log"
    SPEEDSCOPE = "speedscope"
    FOLDED = "folded stacks"
    PSTATS = "cProfile statistics"


#: Their files have a size for each stack, and nothing else.
_UNCOUNTED = (Source.SPEEDSCOPE, Source.FOLDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One view of one capture: frames whose sizes are whole numbers of ``unit``.

    ``allocations`` is ALLOCATIONS, ``stacks`` STACKS, ``locations`` LOCATIONS.  ``lifetimes`` (LIFETIMES) and
    ``tracked`` (TRACKED) are null where the source knows no time; their seconds count from the run's start, or from
    the capture's first snapshot where there is no run.
    """

    name: str
    source: Source
    view: View
    unit: Unit
    allocations: pl.DataFrame
    stacks: pl.DataFrame
    locations: pl.DataFrame
    lifetimes: pl.DataFrame | None = None
    tracked: pl.DataFrame | None = None
    validity: tuple[Validity, ...] = ()

    @property
    def knows_counts(self) -> bool:
        """Does its source count allocations (or calls)?  Stacks with sizes alone do not."""
        return self.source not in _UNCOUNTED

    @property
    def total(self) -> int:
        """How much is it altogether, in its unit?"""
        return int(self.allocations["size"].sum())

    def __repr__(self) -> str:
        doubts = "".join(f"; {one}" for one in self.validity)
        return f"Profile {self.name!r}: {self.view} of a {self.source}, {self.total:,} {self.unit}{doubts}"
