"""What the sampler saw of the processes of a test session: what no process can say of itself.

A process that was killed in a test never said what it held then, and what a test starts is none of its own memory.
"""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from diagtools.errors import DamagedError
from diagtools.probes import records
from diagtools.probes.writer import CURRENT
from diagtools.read.artefact import read_artefact

if TYPE_CHECKING:
    import polars as pl

#: As `probes.records` has it, without its CRC: kind, t_ns, pid, first word of the payload.
_RECORD = struct.Struct("<4xB3xQI4xQ32x")


@dataclass(slots=True)
class _Seen:
    """When a process was sampled, and what it held, in order of time."""

    t_ns: list[int] = field(default_factory=list)
    rss: list[int] = field(default_factory=list)

    def highest(self, begin_ns: int, end_ns: int | None) -> int | None:
        """The most from one moment to another, or to its end."""
        first = bisect_left(self.t_ns, begin_ns)
        stop = len(self.t_ns) if end_ns is None else bisect_right(self.t_ns, end_ns)
        return max(self.rss[first:stop], default=None)


class SuiteSamples:
    """The samples of all processes, and which of them started which."""

    def __init__(self, samples: Iterable[tuple[int, int, int]], parents: Mapping[int, int]) -> None:
        """``samples`` are (t_ns, pid, rss) in order of time; ``parents`` gives the parent of each pid."""
        self._of: dict[int, _Seen] = {}
        for t_ns, pid, rss in samples:
            seen = self._of.setdefault(pid, _Seen())
            seen.t_ns.append(t_ns)
            seen.rss.append(rss)
        self._parents = parents
        self._below: dict[int, _Seen] = {}

    @classmethod
    def read(cls, folder: Path) -> SuiteSamples:
        """The latest samples of a recording that has just ended: of a very long one, not the first ones."""
        try:
            data = read_artefact(folder, CURRENT) or b""
        except DamagedError:
            data = b""
        whole = memoryview(data)[: len(data) // records.SIZE * records.SIZE]
        samples: list[tuple[int, int, int]] = []
        parents: dict[int, int] = {}
        for kind, t_ns, pid, first in _RECORD.iter_unpack(whole):
            if kind == records.SAMPLE and first:
                samples.append((t_ns, pid, first))
            elif kind == records.PROCESS:
                parents.setdefault(pid, first)
        return cls(samples, parents)

    @classmethod
    def of_frames(cls, timeline: pl.DataFrame, processes: pl.DataFrame, start_ns: int) -> SuiteSamples:
        """The same of TIMELINE and PROCESSES, whose zero is ``start_ns``."""
        rows = timeline.select("t_s", "pid", "rss_bytes").sort("t_s").iter_rows()
        parents = {pid: ppid for pid, ppid in processes.select("pid", "ppid").iter_rows() if ppid is not None}
        return cls(((start_ns + round(t_s * 1e9), pid, rss) for t_s, pid, rss in rows), parents)

    def highest(self, pid: int, begin_ns: int, end_ns: int | None) -> int | None:
        """The most that this process held between two moments (or to its end); null where it was not sampled then."""
        return self._of[pid].highest(begin_ns, end_ns) if pid in self._of else None

    def highest_below(self, pid: int, begin_ns: int, end_ns: int | None) -> int | None:
        """The most that all it started held at once, shared memory counted n times; null where there was nothing."""
        if pid not in self._below:
            self._below[pid] = self._summed(self._descendants(pid))
        return self._below[pid].highest(begin_ns, end_ns)

    def _descendants(self, pid: int) -> list[int]:
        children: dict[int, list[int]] = {}
        for child, parent in self._parents.items():
            children.setdefault(parent, []).append(child)
        found, known = list(children.get(pid, [])), {pid}
        for each in found:  # grows while it is walked
            known.add(each)
            found += [child for child in children.get(each, []) if child not in known]
        return found

    def _summed(self, pids: Iterable[int]) -> _Seen:
        at: dict[int, int] = {}
        for pid in pids:
            seen = self._of.get(pid, _Seen())
            for t_ns, rss in zip(seen.t_ns, seen.rss, strict=True):
                at[t_ns] = at.get(t_ns, 0) + rss
        ordered = sorted(at)
        return _Seen(t_ns=ordered, rss=[at[t_ns] for t_ns in ordered])
