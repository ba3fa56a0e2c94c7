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
    """What is known of the memory of one process, in order of time; there is at least one sample.

    ``rss_bytes`` (at ``t_s``) are the samples and what the program's own markers read; ``hwm_bytes`` (at
    ``sampled_s``) are of the samples alone.
    """

    t_s: list[float]
    rss_bytes: pl.Series
    sampled_s: list[float]
    hwm_bytes: pl.Series

    @property
    def last_s(self) -> float:
        """When was the process last seen with memory?"""
        return self.sampled_s[-1]

    def at(self, t_s: float) -> int:
        """What was the RSS at this time: the last that is known at or before it, else the first after it?"""
        return int(self.rss_bytes[max(bisect_right(self.t_s, t_s) - 1, 0)])

    def at_begin(self, begin_s: float, since_s: float | None) -> int | None:
        """What was the RSS at this time, if something ended at ``since_s`` that may have given memory back?

        Null where it was not read since then.
        """
        is_fresh = since_s is None or bisect_right(self.t_s, begin_s) > bisect_left(self.t_s, since_s)
        return self.at(begin_s) if is_fresh else None

    def highest(self, begin_s: float, end_s: float) -> int | None:
        """What was the highest RSS from ``begin_s`` to ``end_s``?  Null where no sample fell between them.

        The kernel's high-water mark counts as far as it rose for sure after the begin: it knows of peaks
        between two samples.
        """
        first, stop = bisect_left(self.sampled_s, begin_s), bisect_right(self.sampled_s, end_s)
        if stop <= first:
            return None
        levels = _max(self.rss_bytes, bisect_left(self.t_s, begin_s), bisect_right(self.t_s, end_s))
        risen = self._risen(begin_s, first, stop)
        return max(level for level in (levels, risen) if level is not None)

    def _risen(self, begin_s: float, first: int, stop: int) -> int | None:
        fresh = bisect_left(self.sampled_s, begin_s + _MARK_LAG_S) + 1
        if fresh >= stop:
            return None
        before, after = _max(self.hwm_bytes, first, fresh), _max(self.hwm_bytes, fresh, stop)
        return after if before is not None and after is not None and after > before else None


def levels(timeline: pl.DataFrame, markers: pl.DataFrame) -> dict[int, Levels]:
    """What are the levels of each process?

    ``timeline`` is TIMELINE, ``markers`` MARKERS; the keys are the pids with samples.
    """
    names = ["t_s", "pid", "rss_bytes"]
    sampled = living(timeline).partition_by("pid", as_dict=True, maintain_order=True)
    read = markers.select(names).drop_nulls().partition_by("pid", as_dict=True)
    return {int(pid[0]): _levels(part, read.get(pid)) for pid, part in sampled.items()}


def _levels(samples: pl.DataFrame, read: pl.DataFrame | None) -> Levels:
    known = samples.select("t_s", "rss_bytes")
    if read is not None:
        known = pl.concat([known, read.select("t_s", "rss_bytes").sort("t_s", "rss_bytes")])
        known = known.sort("t_s", maintain_order=True)
    return Levels(
        t_s=known["t_s"].to_list(),
        rss_bytes=known["rss_bytes"],
        sampled_s=samples["t_s"].to_list(),
        hwm_bytes=samples["hwm_bytes"],
    )


def _max(series: pl.Series, start: int, stop: int) -> int | None:
    return cast("int | None", series.slice(start, stop - start).max())
