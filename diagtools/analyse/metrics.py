"""Figures of one run that an experiment can compare."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

import polars as pl

from diagtools.analyse.levels import levels
from diagtools.errors import UsageError
from diagtools.units import parse_bytes

PEAK = "peak_rss_bytes"
#: The short name of each figure that every run has, and its long one.
_ALWAYS = {"peak": PEAK, "final": "final_rss_bytes", "time": "duration_s", "cpu": "cpu_s"}
_PER_ITEM = "per_item_bytes"
_HINT = "peak, final, time, cpu, per-item, kept:PHASE or printed:NAME."
_WARM_UP, _MOST_POINTS, _LEAST_ITEMS = 0.25, 200, 4
_NUMBER = r"(?P<number>[-+]?(?:\d[\d,_]*)(?:\.\d+)?(?:[eE][-+]?\d+)?)\s?(?P<unit>[KMGT]i?B|B|bytes|ms|s)?\b"
_OF_UNIT = {"ms": ("_s", 0.001), "s": ("_s", 1.0)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A figure by which runs are compared; ``kind`` is ``always``, ``per item``, ``kept`` or ``printed``.

    ``name`` ends in its unit (``_bytes``, ``_s``) where that is known before a run; a printed number tells it itself.
    ``of`` is the phase, or what the number is called.
    """

    name: str
    kind: str
    of: str = ""

    @classmethod
    def parse(cls, text: str) -> Metric:
        """Which figure does this word of a command line mean?  Raises ``UsageError`` for another."""
        kind, _, of = text.partition(":")
        long = {**_ALWAYS, **{name: name for name in _ALWAYS.values()}}
        if text in long:
            return cls(name=long[text], kind="always")
        if text in ("per-item", _PER_ITEM):
            return cls(name=_PER_ITEM, kind="per item")
        if kind == "kept" and of:
            return cls(name=f"kept:{of}_bytes", kind="kept", of=of)
        if kind == "printed" and of:
            return cls(name=f"printed:{of}", kind="printed", of=of)
        raise UsageError(f"There is no metric {text!r}.", hint=_HINT)


def cpu_s(timeline: pl.DataFrame, events: pl.DataFrame) -> float | None:
    """How much processor time did the tree take?  TIMELINE and EVENTS; null where nothing tells.

    The kernel tells it of the command with all that it waited for; else the last samples do, which come twice a second.
    """
    told = events.filter((pl.col("kind") == "ended") & (pl.col("second") > 0))["second"]
    if not told.is_empty():
        return float(told[0]) / 1e6
    known = timeline.drop_nulls("cpu_s").group_by("pid").agg(pl.col("cpu_s").max())
    return None if known.is_empty() else float(known["cpu_s"].sum())


def kept_bytes(timeline: pl.DataFrame, markers: pl.DataFrame, phases: pl.DataFrame, name: str) -> int | None:
    """How much more did its process hold at the end of a phase than at its begin?  Null where it did not end.

    TIMELINE, MARKERS and PHASES of one run.  Of a phase that came more than once: from the first begin to the last end.
    """
    mine = phases.filter((pl.col("phase") == name) & pl.col("end_s").is_not_null())
    if mine.is_empty():
        return None
    known = levels(timeline, markers)
    total = 0
    for (pid,), part in mine.group_by("pid"):
        if pid not in known:
            return None
        of_process = known[int(str(pid))]
        total += of_process.at(float(str(part["end_s"].max()))) - of_process.at(
            float(str(part["begin_s"].min()))
        )
    return total


def per_item_bytes(items: pl.DataFrame) -> float | None:
    """By how much does memory grow with each item, once the first quarter of them is done?

    ``items`` is ITEMS of one run.  The median of the slopes between all pairs of items of a process (Theil and Sen), of
    processes weighted alike; null below four items that tell their RSS.
    """
    slopes = []
    known = items.drop_nulls(["end_rss_bytes", "end_s"]).sort("end_s")
    for _, part in known.group_by("pid", maintain_order=True):
        values = part["end_rss_bytes"].to_list()
        numbered = list(enumerate(values))[int(len(values) * _WARM_UP) :]
        thinned = numbered[:: max(1, len(numbered) // _MOST_POINTS)]
        if len(thinned) >= _LEAST_ITEMS:
            slopes.append(_theil_sen(thinned))
    return sum(slopes) / len(slopes) if slopes else None


def printed_number(lines: Iterable[str], name: str) -> tuple[str, float] | None:
    """The last number that was printed under this name (``name = 3``, ``name: 12.5 MB``), null where none was.

    What its unit is called in the metric's name (``_bytes``, ``_s`` or nothing), and the value in that unit.
    """
    pattern = re.compile(rf"(?<![\w.]){re.escape(name)}\s*[=:]?\s*{_NUMBER}")
    found = None
    for line in lines:
        for match in pattern.finditer(line):
            found = match
    if found is None:
        return None
    number = float(found["number"].replace(",", "").replace("_", ""))
    unit = found["unit"]
    if unit is None:
        return "", number
    if unit in _OF_UNIT:
        suffix, factor = _OF_UNIT[unit]
        return suffix, number * factor
    return "_bytes", number * (1 if unit in ("B", "bytes") else parse_bytes(f"1 {unit}"))


def printed_names(lines: Iterable[str], most: int = 8) -> list[str]:
    """Which names stand before a number in these lines?  For whoever asked for one that does not."""
    pattern = re.compile(rf"(?<![\w.])(?P<name>[A-Za-z_][\w.-]*)\s*[=:]\s*{_NUMBER}")
    names = dict.fromkeys(match["name"] for line in lines for match in pattern.finditer(line))
    return list(names)[:most]


def _theil_sen(points: list[tuple[int, int]]) -> float:
    return median(
        (later - earlier) / (j - i) for at, (i, earlier) in enumerate(points) for j, later in points[at + 1 :]
    )
