"""At which item, or when, does memory reach its limit, and how large a limit does the job need?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

import polars as pl

from diagtools import frames
from diagtools.analyse.forecast_models import FEWEST, Prediction, predicted
from diagtools.analyse.forecast_story import Expected, forecast_sentence
from diagtools.analyse.forecast_work import Seen, seen_by_item, seen_by_time
from diagtools.analyse.least_squares import fitted
from diagtools.errors import UsageError
from diagtools.values import Finding, Validity

By = Literal["item", "time"]

_N_PACES = 3  #: features that may say how long an item takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Which item (counted from 1), or second, first passes the limit, and what the whole job needs.

    ``reaches_limit_at`` with its range is null where the limit is not passed (``latest_at`` is null where it may not
    be), ``reaches_limit_s`` is that item's time since the run's start; ``item`` its name, where that is known.
    ``needed_limit_bytes`` with its range is the highest peak of the whole job, null where nobody knows how much is to
    come.  ``is_sure``: do the whole range and at least 20 items say the same?  ``extrapolates_far`` where more of a
    feature is to come than was ever seen.  ``peaks_from`` says who read the peaks that it goes by: ``markers``,
    ``samples`` or ``markers and samples`` (see ``peaks_of``).  ``points`` is FORECAST.
    """

    by: By
    limit_bytes: int | None
    n_seen: int
    sentence: str
    reaches_limit_at: float | None = None
    earliest_at: float | None = None
    latest_at: float | None = None
    reaches_limit_s: float | None = None
    item: str | None = None
    needed_limit_bytes: int | None = None
    needed_low_bytes: int | None = None
    needed_high_bytes: int | None = None
    is_sure: bool = False
    extrapolates_far: bool = False
    peaks_from: str = ""
    points: pl.DataFrame = field(default_factory=frames.FORECAST.empty, compare=False, repr=False)
    validity: tuple[Validity, ...] = ()


def forecast(
    recorded: pl.DataFrame,
    *,
    limit_bytes: int | None = None,
    to_come: pl.DataFrame | None = None,
    now: float | None = None,
    by: By = "item",
) -> Forecast:
    """Where does memory go from here?

    ``recorded`` is ITEMS for ``by="item"``, TREE for ``by="time"``; only what had ended by ``now`` (seconds of the
    run, its end where null) is looked at.  ``to_come`` has a row each item that was still to come then, in order: its
    features as columns of numbers, its name as ``item`` (or ``path``).  Without it the items go on like those seen,
    and nobody knows how many.  Fewer than 12 items: nothing is claimed.  Raises ``UsageError`` for a limit that is
    not above zero, ``DamagedError`` for a frame of another shape.
    """
    if limit_bytes is not None and limit_bytes <= 0:
        raise UsageError(f"A limit of {limit_bytes} bytes is none.", hint="pass limit_bytes=2 * 1024**3.")
    seen = seen_by_item(recorded, to_come, now) if by == "item" else seen_by_time(recorded, now)
    found = predicted(seen.fitted, seen.work)
    if found is None:
        return _nothing(seen, by, limit_bytes)
    return _told(seen, found, _expected(seen, found, by, limit_bytes), by)


def forecast_finding(found: Forecast) -> Finding:
    """The forecast as a finding."""
    return Finding(
        sentence=found.sentence,
        value=found.needed_limit_bytes,
        unit="B",
        evidence=found.points,
        validity=found.validity,
    )


def _expected(seen: Seen, found: Prediction, by: By, limit_bytes: int | None) -> Expected:
    peaks = [peak for peak in seen.peaks if peak is not None]
    passed = limit_bytes is not None and max(peaks) >= limit_bytes
    reach = None if limit_bytes is None or passed else found.reach(limit_bytes)
    row = None if reach is None or reach.at is None else reach.at - 1
    reaches_s = None if row is None else _time_of(seen, row)

    def at(number: int | None) -> float | None:
        return None if number is None else seen.at[number - 1]

    def needed(values: Sequence[float]) -> int | None:
        return round(max(*peaks, *values[found.n_seen :])) if seen.knows_end else None

    return Expected(
        limit_bytes=limit_bytes,
        at=at(reach.at) if reach else None,
        earliest=at(reach.earliest) if reach else None,
        latest=at(reach.latest) if reach else None,
        item=None if row is None else seen.names[row],
        in_s=None if reaches_s is None else reaches_s - seen.ends_s[-1],
        needed_bytes=needed(found.values),
        low_bytes=needed(found.lows),
        high_bytes=needed(found.highs),
        n_items=seen.work.n if seen.knows_end else None,
        of_items=by == "item",
        is_sure=limit_bytes is not None and found.is_sure(limit_bytes),
        passed=passed,
        knows_features=bool(seen.work.features),
        terms=found.terms,
        far=found.far,
    )


def _told(seen: Seen, found: Prediction, expected: Expected, by: By) -> Forecast:
    return Forecast(
        by=by,
        limit_bytes=expected.limit_bytes,
        reaches_limit_at=expected.at,
        earliest_at=expected.earliest,
        latest_at=expected.latest,
        reaches_limit_s=None if expected.in_s is None else seen.ends_s[-1] + expected.in_s,
        item=expected.item,
        needed_limit_bytes=expected.needed_bytes,
        needed_low_bytes=expected.low_bytes,
        needed_high_bytes=expected.high_bytes,
        is_sure=expected.is_sure,
        extrapolates_far=bool(found.far),
        peaks_from=seen.peaks_from,
        n_seen=found.n_seen,
        sentence=forecast_sentence(expected),
        points=_points(seen, found),
        validity=seen.validity,
    )


def _nothing(seen: Seen, by: By, limit_bytes: int | None) -> Forecast:
    """What is said of too few items: how many there are."""
    things = "items have ended" if by == "item" else "stretches of time were measured"
    sentence = (
        f"There is no forecast: {seen.work.n_seen} {things}, and it takes {FEWEST} whose peak is known."
    )
    return Forecast(
        by=by,
        limit_bytes=limit_bytes,
        n_seen=seen.work.n_seen,
        sentence=sentence,
        peaks_from=seen.peaks_from,
        validity=seen.validity,
    )


def _time_of(seen: Seen, row: int) -> float | None:
    """When is that item done, if the items take as long as those seen did, by number and by feature?"""
    n = seen.work.n_seen
    number = [float(at + 1) for at in range(seen.work.n)]
    columns = [number, *(list(accumulate(values)) for values in list(seen.work.features.values())[:_N_PACES])]
    fit = fitted([column[:n] for column in columns], seen.ends_s)
    return max(fit.at([column[row] for column in columns]), seen.ends_s[-1]) if fit.used else None


def _points(seen: Seen, found: Prediction) -> pl.DataFrame:
    """The forecast as a curve of the highest so far: of the seen items what was, of those to come what is expected."""
    n_seen, n = found.n_seen, seen.work.n
    before = max(peak for peak in seen.peaks if peak is not None)

    def curve(values: Sequence[float]) -> list[object]:
        return [*[None] * n_seen, *(round(value) for value in _highest(before, values[n_seen:]))]

    return frames.FORECAST.from_columns(
        {
            "at": [*seen.at],
            "item": [*seen.names],
            "to_come": [at >= n_seen for at in range(n)],
            "peak_bytes": [
                *(None if peak is None else round(peak) for peak in seen.peaks),
                *[None] * (n - n_seen),
            ],
            "forecast_bytes": curve(found.values),
            "low_bytes": curve(found.lows),
            "high_bytes": curve(found.highs),
        }
    )


def _highest(before: float, values: Sequence[float]) -> list[float]:
    return list(accumulate(values, max, initial=before))[1:]
