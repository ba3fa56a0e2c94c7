"""What memray saw over time, as its reports hold it."""

from __future__ import annotations

from itertools import accumulate, pairwise

import polars as pl

from diagtools import frames
from diagtools.errors import DamagedError
from diagtools.read.profiles import export_json
from diagtools.read.profiles.memray_page import Page
from diagtools.values import State, Validity

#: memray's clock counts milliseconds.
TICK_S = 0.001
_MILLISECONDS = 1000.0
_YEAR_3000_MS = 32_503_680_000_000


def tracked(page: Page) -> tuple[pl.DataFrame | None, tuple[Validity, ...]]:
    """What did memray see at each of its snapshots (TRACKED)?  Null where it took none."""
    rows = records_of(page)
    if not rows:
        return None, ()
    moments, odd = moments_of(rows)
    columns: dict[str, list[object]] = {
        "t_s": [*moments],
        "pid": [None] * len(rows),
        "rss_bytes": [row[1] for row in rows],
        "heap_bytes": [row[2] for row in rows],
    }
    return frames.TRACKED.from_columns(columns), odd


def records_of(page: Page) -> list[list[int]]:
    """The snapshots: when (milliseconds of the day's clock), resident bytes, bytes allocated and not freed."""
    what = f"The snapshots of '{page.name}'"
    rows = [export_json.wholes(row, what) for row in export_json.listed(page.memory_records, what)]
    if any(len(row) != 3 or row[0] > _YEAR_3000_MS for row in rows):
        raise DamagedError(f"{what} are not as memray writes them.")
    return rows


def moments_of(rows: list[list[int]]) -> tuple[list[float], tuple[Validity, ...]]:
    """When was each snapshot, in seconds from the first?  Where the clock was set back, the latest time so far."""
    times = [row[0] for row in rows]
    n_back = sum(later < earlier for earlier, later in pairwise(times))
    odd = Validity(
        what="times", state=State.CLAMPED, note=f"the clock went back at {n_back} of {len(rows)} snapshots"
    )
    moments = [(time - times[0]) / _MILLISECONDS for time in accumulate(times, max)]
    return moments, (odd,) if n_back else ()


def ends_of(page: Page, rows: list[list[int]], n_indexes: int) -> list[float]:
    """When had the interval of each index ended?  One ends with its snapshot, those behind the last with the tracking.

    A report of the peak has one index more, for what came after the peak of the last interval: a tick later.
    """
    moments = moments_of(rows)[0] if rows else [0.0]
    first = rows[0][0] if rows else 0
    ended = (page.ended_ms - first) / _MILLISECONDS if page.ended_ms is not None and rows else 0.0
    moments = moments[: len(rows)]
    last = moments[-1] if moments else 0.0
    return [*moments, *(max(ended, last + TICK_S) + TICK_S * n for n in range(n_indexes - len(moments)))]
