"""What did a process hold after each item, or as time went by, and what had the items been until then?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, chain

import polars as pl

from diagtools.analyse.growth_models import Followed
from diagtools.analyse.item_features import Features, features_of
from diagtools.analyse.spans import IN_FLIGHT
from diagtools.values import State, Validity

MOST_POINTS = 600  #: a shape shows in so many, and they are compared in a tenth of a second
N_STRETCHES = 200  #: of a timeline
_WARM_UP_SHARE = 0.05  #: of a timeline: its imports


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Levels in bytes at positions (items that had ended, or seconds), with what explains them.

    ``asked`` is the most that was needed beyond what was held before or after, since the point before; ``names`` are
    the items that ended at the points (empty on time).  ``first_bytes`` is what was held before the first point,
    ``n_items`` how many items the points stand for.
    """

    positions: list[float]
    levels: list[float]
    asked: list[float]
    names: list[str]
    features: Mapping[str, Followed]
    first_bytes: float
    n_items: int
    unit: str
    validity: tuple[Validity, ...] = ()

    @property
    def warm_up_bytes(self) -> float:
        """How much did the first item, or the first moments, add?"""
        return self.levels[0] - self.first_bytes


def curve_by_item(items: pl.DataFrame) -> Curve:
    """What was held after each item?

    ``items`` is ITEMS.  The level after an item is the level at its begin and what it kept; where items overlap or
    run in several processes, what they kept is summed up in order of their ends instead (said).  Items in flight, and
    those of which nothing was measured, give no level.
    """
    ended = items.filter((pl.col("status") != IN_FLIGHT) & pl.col("begin_s").is_finite())
    ordered = ended.sort("end_s", "pid", "index")
    features = features_of(features_by_name(ordered))
    begins = (ordered["peak_bytes"] - ordered["demand_bytes"]).to_list()
    kept = ordered["delta_bytes"].to_list()
    doubts = list(features.validity)
    if _in_turn(ordered):
        after = [
            None if begin is None or more is None else begin + more
            for begin, more in zip(begins, kept, strict=True)
        ]
    else:
        first = next((begin for begin in begins if begin is not None), 0)
        after = [first + total for total in accumulate(more or 0 for more in kept)]
        doubts.append(_overlap())
    known = [at for at, level in enumerate(after) if level is not None]
    peaks = ordered["peak_bytes"].to_list()
    return _thinned(
        [float(after[at] or 0) for at in known],
        asked=[_asked(peaks[at], begins[at], after[at]) for at in known],
        at=known,
        names=ordered["item"].to_list(),
        features=features,
        first_bytes=float(next((begins[at] for at in known if begins[at] is not None), 0) or 0),
        validity=tuple(doubts),
    )


def curve_by_time(tree: pl.DataFrame) -> Curve:
    """What was held in each of 200 equal stretches of time (their median)?

    ``tree`` is TREE.  The first twentieth of the time is warm-up: a program's imports are no growth.
    """
    known = tree.filter(pl.col("rss_bytes").is_not_null() & pl.col("t_s").is_finite()).sort("t_s")
    if known.is_empty():
        return Curve(
            positions=[], levels=[], asked=[], names=[], features={}, first_bytes=0.0, n_items=0, unit="s"
        )
    begin_s, length_s = known["t_s"][0], known["t_s"][-1] - known["t_s"][0]
    stretch = ((pl.col("t_s") - begin_s) / max(length_s, 1e-9) * N_STRETCHES).floor().clip(0, N_STRETCHES - 1)
    rss = pl.col("rss_bytes")
    stretches = (
        known.filter(pl.col("t_s") >= begin_s + _WARM_UP_SHARE * length_s)
        .group_by(stretch=stretch)
        .agg(t_s=pl.col("t_s").mean(), level=rss.median(), highest=rss.max())
        .sort("stretch")
    )
    levels = stretches["level"].cast(pl.Float64).to_list()
    return Curve(
        positions=stretches["t_s"].to_list(),
        levels=levels,
        asked=[
            float(max(highest - max(before, level), 0))
            for highest, before, level in zip(
                stretches["highest"], [levels[0], *levels], levels, strict=False
            )
        ],
        names=[],
        features={},
        first_bytes=float(known["rss_bytes"][0]),
        n_items=len(levels),
        unit="s",
    )


def features_by_name(items: pl.DataFrame) -> list[dict[str, float]]:
    """The features of each item by their names; ``items`` is ITEMS."""
    rows = items["features"].to_list()
    return [{each["name"]: each["value"] for each in row or () if each["value"] is not None} for row in rows]


def _overlap() -> Validity:
    note = "items overlap: what each kept is shared out, and levels are the sums of that"
    return Validity(what="growth by item", state=State.UNATTRIBUTED, note=note)


def _in_turn(ordered: pl.DataFrame) -> bool:
    """Did one process do one item after the other?"""
    overlap = (ordered["begin_s"] < ordered["end_s"].shift(1)).any()
    return ordered["pid"].n_unique() <= 1 and not overlap


def _asked(peak: int | None, begin: int | None, after: int | None) -> float:
    """What did the item need beyond what was held before and after it?"""
    if peak is None or begin is None or after is None:
        return 0.0
    return float(max(peak - max(begin, after), 0))


def _thinned(
    levels: list[float],
    *,
    asked: list[float],
    at: list[int],
    names: list[str],
    features: Features,
    first_bytes: float,
    validity: tuple[Validity, ...],
) -> Curve:
    """At most ``MOST_POINTS`` of the levels, each with all that was asked since the one before."""
    n = len(levels)
    step = -(-n // MOST_POINTS) or 1
    kept = [*chain(range(step - 1, n, step), [n - 1] if n % step else [])]
    begun = [0, *(place + 1 for place in kept)]
    followed = {}
    for name, values in features.values.items():
        total, largest = list(accumulate(values)), list(accumulate(values, max))
        followed[name] = Followed(
            total=[total[at[place]] for place in kept], largest=[largest[at[place]] for place in kept]
        )
    return Curve(
        positions=[float(at[place] + 1) for place in kept],
        levels=[levels[place] for place in kept],
        asked=[max(asked[begin : place + 1]) for begin, place in zip(begun, kept, strict=False)],
        names=[names[at[place]] for place in kept],
        features=followed,
        first_bytes=first_bytes,
        n_items=n,
        unit="item",
        validity=validity,
    )
