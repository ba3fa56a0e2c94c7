"""What did each item of work do to memory, and how did it end?

An item is charged to its own process: what a process started by it holds is not in its figures.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from diagtools import frames
from diagtools.analyse.levels import Levels, levels
from diagtools.analyse.sharing import shared_out
from diagtools.analyse.spans import IN_FLIGHT, OK, UNKNOWN, Span, spans

_SAME_END_S = 0.5


def items(
    markers: pl.DataFrame,
    timeline: pl.DataFrame,
    *,
    processes: pl.DataFrame | None = None,
    lossy: Collection[int] = (),
    end_s: float,
) -> pl.DataFrame:
    """What did each item keep, and how much did it need at most?

    ``markers`` is MARKERS, ``timeline`` TIMELINE, ``processes`` PROCESSES (without it nothing is known of how a
    process ended), ``lossy`` the processes of which markers are missing, ``end_s`` the end of the run; the result is
    ITEMS in order of begin.  The RSS at a time is what a marker read then, else the last sample at or before it (the
    first after it where there is none).

    ``delta_bytes``: see ``shared_out``; integers that sum to the change of RSS while any item was in flight.
    ``peak_bytes``: the highest RSS from begin to end, high-water marks included (see ``Levels.highest``);
    ``demand_bytes``: that minus the RSS at begin.  Both are null where no sample fell within the item, all
    three where its process has no sample at all.  The demand is null too where the RSS at begin is older than the
    end of the item before it, which may have given memory back since (markers that a slot or another system holds
    tell no RSS).

    ``begin_rss_bytes`` and ``end_rss_bytes`` are what the markers of the item itself read, also where its process has
    no sample.  Where snapshots were taken of a process, both frames are to be those of ``undisturbed``: what a snapshot
    took, and left behind, is no item's.

    An item whose end is among markers that are missing is ``unknown`` and has no delta, peak or demand.  Any other
    without an end marker is ``in_flight`` until its process's last sample, and ``ok`` until then where that
    process exited with status 0 (see ``spans``): it is not what a kill of another one cut short.
    """
    known = levels(timeline, markers)
    found = spans(
        markers, "item", processes=_known(processes), lossy=lossy, last_s=_last_s(known), end_s=end_s
    )
    kept = _kept(found, known)
    begun = _at_begins(found, known)
    peaks = _peaks(found, begun, known)
    return frames.ITEMS.from_columns(
        {
            "item": [item.name for item in found],
            "index": [item.index for item in found],
            "pid": [item.pid for item in found],
            "tid": [item.tid for item in found],
            "begin_s": [item.begin_s for item in found],
            "end_s": [item.end_s for item in found],
            "status": [item.status for item in found],
            "error": [item.error for item in found],
            "begin_rss_bytes": [item.begin_rss_bytes for item in found],
            "end_rss_bytes": [item.end_rss_bytes for item in found],
            "delta_bytes": [*kept],
            "peak_bytes": [*peaks],
            "demand_bytes": [
                None if peak is None or begin is None else peak - begin
                for peak, begin in zip(peaks, begun, strict=True)
            ],
            "features": [_features(item) for item in found],
        }
    )


def phases(
    markers: pl.DataFrame, timeline: pl.DataFrame, *, processes: pl.DataFrame | None = None, end_s: float
) -> pl.DataFrame:
    """When did each phase run, and what was the highest RSS of its process in it?

    ``markers`` is MARKERS, ``timeline`` TIMELINE, ``processes`` PROCESSES; the result is PHASES in order of begin.
    Ends, states and peaks follow the rules of ``items``.
    """
    known = levels(timeline, markers)
    found = spans(markers, "phase", processes=_known(processes), last_s=_last_s(known), end_s=end_s)
    return frames.PHASES.from_columns(
        {
            "phase": [phase.name for phase in found],
            "pid": [phase.pid for phase in found],
            "begin_s": [phase.begin_s for phase in found],
            "end_s": [phase.end_s for phase in found],
            "status": [phase.status for phase in found],
            "peak_bytes": [*_peaks(found, _at_begins(found, known), known)],
        }
    )


def item_in_flight(items: pl.DataFrame) -> str | None:
    """Which item was being worked on when the run ended?  Null where none was.

    ``items`` is ITEMS.  Of several, the one begun last among those that were in flight to the very end
    (within 0.5 s of the last: not one that a process left open that ended long before).
    """
    names = in_flight(items)["item"]
    return None if names.is_empty() else str(names[-1])


def in_flight(items: pl.DataFrame) -> pl.DataFrame:
    """Which items were being worked on when the run ended, in order of begin?  ITEMS in, ITEMS out."""
    unended = items.filter(pl.col("status") == IN_FLIGHT)
    return unended.filter(pl.col("end_s") >= pl.col("end_s").max() - _SAME_END_S).sort(
        "begin_s", "index", "pid"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Success:
    """How many of the items that began ended well; ``share_ok`` is null where none began.

    ``n_unknown`` are those whose end is among markers that are missing.
    """

    n_items: int
    n_ok: int
    n_failed: int
    n_timeout: int
    n_in_flight: int
    n_unknown: int
    share_ok: float | None


def success(items: pl.DataFrame) -> Success:
    """How many items ended well, failed, timed out or never ended?  ``items`` is ITEMS."""
    n_by_status = dict(items.group_by("status").len().iter_rows())
    n_ok = n_by_status.get(OK, 0)
    return Success(
        n_items=items.height,
        n_ok=n_ok,
        n_failed=n_by_status.get("failed", 0),
        n_timeout=n_by_status.get("timeout", 0),
        n_in_flight=n_by_status.get(IN_FLIGHT, 0),
        n_unknown=n_by_status.get(UNKNOWN, 0),
        share_ok=n_ok / items.height if items.height else None,
    )


def _known(processes: pl.DataFrame | None) -> pl.DataFrame:
    return frames.PROCESSES.empty() if processes is None else processes


def _last_s(known: Mapping[int, Levels]) -> dict[int, float]:
    return {pid: process.last_s for pid, process in known.items()}


def _at_begins(found: Sequence[Span], known: Mapping[int, Levels]) -> list[int | None]:
    """What did the process of each item hold when it began?"""
    ends: dict[int, list[float]] = {pid: [] for pid in known}
    for end_s, pid in sorted((span.end_s, span.pid) for span in found if span.pid in known):
        ends[pid].append(end_s)
    at_begins: list[int | None] = []
    for span in found:
        mine = ends.get(span.pid, [])
        n_before = bisect_right(mine, span.begin_s)
        before_s = mine[n_before - 1] if n_before else None
        at_begins.append(known[span.pid].at_begin(span.begin_s, before_s) if span.pid in known else None)
    return at_begins


def _peaks(
    found: Sequence[Span], begun: Sequence[int | None], known: Mapping[int, Levels]
) -> list[int | None]:
    """What did the process of each item hold at most from its begin, where it held ``begun``, to its end?"""
    highest = [
        known[span.pid].highest(span.begin_s, span.end_s) if _is_measured(span, known) else None
        for span in found
    ]
    return [
        peak if peak is None or begin is None else max(peak, begin)
        for peak, begin in zip(highest, begun, strict=True)
    ]


def _kept(found: Sequence[Span], known: Mapping[int, Levels]) -> list[int | None]:
    kept: list[int | None] = [None] * len(found)
    for pid, process in known.items():
        mine = [i for i, span in enumerate(found) if span.pid == pid and _is_measured(span, known)]
        for i, part in zip(mine, shared_out([found[i] for i in mine], process), strict=True):
            kept[i] = part
    return kept


def _is_measured(span: Span, known: Mapping[int, Levels]) -> bool:
    return span.pid in known and span.status != UNKNOWN


def _features(span: Span) -> list[dict[str, object]]:
    return [{"name": name, "value": value} for name, value in span.features.items()]
