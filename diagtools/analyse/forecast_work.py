"""What had been done when a forecast is made, and what was still to come?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from diagtools import frames
from diagtools.analyse.forecast_models import Work
from diagtools.analyse.forecast_peaks import Peaks, peaks_of
from diagtools.analyse.growth_curve import curve_by_time, features_by_name
from diagtools.analyse.item_features import features_of
from diagtools.analyse.spans import IN_FLIGHT
from diagtools.units import format_bytes
from diagtools.values import State, Validity

_NAMES = ("item", "path")
_FARTHEST = 8  #: times as many items as were seen, where nobody knows how many are to come


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The items (or stretches of time) seen, and those to come; ``ends_s`` is the time at which each ended.

    ``peaks`` are what each held at most, as far as it was seen, ``fitted`` what the forecast is fitted to;
    ``peaks_from`` says who read these.
    """

    peaks: list[float | None]
    fitted: list[float | None]
    peaks_from: str
    names: list[str | None]
    at: list[float]
    ends_s: list[float]
    work: Work
    knows_end: bool
    validity: tuple[Validity, ...]


def seen_by_item(recorded: pl.DataFrame, to_come: pl.DataFrame | None, now: float | None) -> Seen:
    """Which items had ended by ``now``, and what follows them?  See ``forecast``."""
    items = frames.ITEMS.check(recorded).filter(pl.col("status") != IN_FLIGHT).sort("end_s", "pid", "index")
    items = items if now is None else items.filter(pl.col("end_s") <= now)
    features = features_of(features_by_name(items))
    n_seen = items.height
    doubts = list(features.validity)
    if items["pid"].n_unique() > 1:
        note = "peaks are of each item's own process; together they hold more"
        doubts.append(Validity(what="forecast", state=State.UNATTRIBUTED, note=note))
    ahead = _ahead(to_come, features.values, doubts)
    n = n_seen + to_come.height if to_come is not None else n_seen * _FARTHEST
    known = {name: values + ahead[name] for name, values in features.values.items() if name in ahead}
    column = next((name for name in _NAMES if to_come is not None and name in to_come.columns), None)
    coming = to_come[column].to_list() if to_come is not None and column else [None] * (n - n_seen)
    peaks = peaks_of(
        items["peak_bytes"].to_list(),
        items.select(pl.max_horizontal("begin_rss_bytes", "end_rss_bytes")).to_series().to_list(),
    )
    if peaks.n_by_markers:
        doubts.append(_by_markers(peaks, n_seen))
    return Seen(
        peaks=peaks.seen,
        fitted=peaks.fitted,
        peaks_from=peaks.read_by,
        names=[*items["item"].to_list(), *coming],
        at=[float(number + 1) for number in range(n)],
        ends_s=items["end_s"].to_list(),
        work=Work(n=n, n_seen=n_seen, features=known),
        knows_end=to_come is not None,
        validity=tuple(doubts),
    )


def coming(items: pl.DataFrame) -> pl.DataFrame:
    """These items as what is still to come, for ``forecast``: the name and the features of each, a row each.

    ``items`` is ITEMS, of a run that is looked at as if they had not begun.
    """
    rows = [
        {"item": name, **features}
        for name, features in zip(items["item"], features_by_name(items), strict=True)
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _by_markers(peaks: Peaks, n_items: int) -> Validity:
    more = f", and {format_bytes(peaks.asked_bytes)} as others ask for" if peaks.asked_bytes else ""
    note = f"no sample fell within {peaks.n_by_markers:,} of {n_items:,}: their peaks are what markers read{more}"
    return Validity(what="short items", state=State.TRUNCATED, note=note)


def _ahead(
    to_come: pl.DataFrame | None, seen: Mapping[str, list[float]], doubts: list[Validity]
) -> dict[str, list[float]]:
    """The features of the items to come that the items seen have too, complete and finite; others are said."""
    if to_come is None:
        return {}
    found = {}
    for name in seen:
        values = to_come[name].cast(pl.Float64, strict=False).to_list() if name in to_come.columns else []
        if values and all(value is not None and 0 <= value < float("inf") for value in values):
            found[name] = values
        elif to_come.height:
            note = "not known of every item to come, left out"
            doubts.append(Validity(what=f"feature {name}", state=State.TRUNCATED, note=note))
    return found


def seen_by_time(recorded: pl.DataFrame, now: float | None) -> Seen:
    """Which stretches of time were seen by ``now``?  See ``forecast``."""
    tree = frames.TREE.check(recorded)
    curve = curve_by_time(tree if now is None else tree.filter(pl.col("t_s") <= now))
    n_seen = len(curve.levels)
    step_s = (curve.positions[-1] - curve.positions[0]) / max(n_seen - 1, 1) if n_seen else 0.0
    n = n_seen * _FARTHEST
    last_s = curve.positions[-1] if n_seen else 0.0
    highest: list[float | None] = [
        level + (asked or 0.0) for level, asked in zip(curve.levels, curve.asked, strict=True)
    ]
    return Seen(
        peaks=highest,
        fitted=highest,
        peaks_from=curve.levels_from,
        names=[None] * n,
        at=[*curve.positions, *(last_s + (at + 1) * step_s for at in range(n - n_seen))],
        ends_s=[*curve.positions],
        work=Work(n=n, n_seen=n_seen, features={}),
        knows_end=False,
        validity=(),
    )
