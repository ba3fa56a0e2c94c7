"""How much memory did one process hold at a time, and at most between two times?"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import cast

import polars as pl

from diagtools.analyse.tree import living

#: A sample's high-water mark may have been read up to 0.1 s before it (reading it at every sample costs too
#: much), plus one period of 10 ms.  A mark that is older than that at an item's begin proves nothing of it.
_MARK_LAG_S = 0.12


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """The samples of one process, in order of time; never empty."""

    t_s: list[float]
    rss_bytes: pl.Series
    hwm_bytes: pl.Series

    @property
    def last_s(self) -> float:
        """When was the process last seen with memory?"""
        return self.t_s[-1]

    def at(self, t_s: float) -> int:
        """What was the RSS at this time: the last sample at or before it, else the first after it?"""
        return int(self.rss_bytes[max(bisect_right(self.t_s, t_s) - 1, 0)])

    def highest(self, begin_s: float, end_s: float) -> int | None:
        """What was the highest RSS from ``begin_s`` to ``end_s``?  Null where no sample fell between them.

        The level at the begin counts.  So does the kernel's high-water mark, as far as it rose for sure
        after the begin: it knows of peaks between two samples.
        """
        first, stop = bisect_left(self.t_s, begin_s), bisect_right(self.t_s, end_s)
        if stop <= first:
            return None
        seen = self.at(begin_s), _max(self.rss_bytes, first, stop), self._risen(begin_s, first, stop)
        return max(level for level in seen if level is not None)

    def _risen(self, begin_s: float, first: int, stop: int) -> int | None:
        fresh = bisect_left(self.t_s, begin_s + _MARK_LAG_S) + 1
        if fresh >= stop:
            return None
        before, after = _max(self.hwm_bytes, first, fresh), _max(self.hwm_bytes, fresh, stop)
        return after if before is not None and after is not None and after > before else None


def levels(timeline: pl.DataFrame) -> dict[int, Levels]:
    """What are the levels of each process?  ``timeline`` is TIMELINE; the keys are the pids with samples."""
    parts = living(timeline).partition_by("pid", maintain_order=True)
    return {
        part["pid"][0]: Levels(
            t_s=part["t_s"].to_list(), rss_bytes=part["rss_bytes"], hwm_bytes=part["hwm_bytes"]
        )
        for part in parts
    }


def _max(series: pl.Series, start: int, stop: int) -> int | None:
    return cast("int | None", series.slice(start, stop - start).max())
