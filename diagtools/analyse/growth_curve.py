"""What did a process hold after each item, or as time went by, and what had the items been until then?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import Any

import polars as pl

from diagtools.analyse.growth_models import Followed
from diagtools.analyse.item_features import Features, features_of
from diagtools.analyse.spans import IN_FLIGHT
from diagtools.values import State, Validity

MOST_POINTS = 600  #: a shape shows in so many, and they are compared in a tenth of a second
N_STRETCHES = 200  #: of a timeline
MARKER, SAMPLE = "marker", "sample"  #: who read a level
_FEW_SHORT = 0.05  # of the items: spikes of so few are missed without a word
_WARM_UP_SHARE = 0.05  #: of a timeline: its imports


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Levels in bytes at positions (items that had ended, or seconds), with what explains them.

    ``sources`` says of each level who read it (``marker`` or ``sample``).  ``asked`` is the most that was needed beyond
    what was held before or after, since the point before, null where no sample fell between; ``names`` are the items
    that ended at the points (empty on time).  ``first_bytes`` is what was held before the first point, ``n_items`` how
    many items the points stand for.
    """

    positions: list[float]
    levels: list[float]
    sources: list[str]
    asked: list[float | None]
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

    @property
    def levels_from(self) -> str:
        """Who read the levels: ``markers``, ``samples``, or ``markers and samples``; empty where there are none."""
        return " and ".join(f"{source}s" for source in (MARKER, SAMPLE) if source in self.sources)


@dataclass(frozen=True, slots=True, kw_only=True)
class _After:
    """What was held after an item; ``begin`` is what was before it, null where that is not known."""

    level: int
    source: str
    begin: int | None
    asked: float | None


def curve_by_item(items: pl.DataFrame) -> Curve:
    """What was held after each item?

    ``items`` is ITEMS.  The level after an item is what its own marker read as it ended; where none did, the level at
    its begin and what it kept, by the samples.  Where items overlap or run in several processes, what they kept is
    summed up in order of their ends instead (said).  Items in flight, and those of which nothing was measured, give
    no level.  What an item shorter than a sample asked for and gave back is not known (said).
    """
    ended = items.filter((pl.col("status") != IN_FLIGHT) & pl.col("begin_s").is_finite())
    ordered = ended.sort("end_s", "pid", "index")
    features = features_of(features_by_name(ordered))
    doubts = list(features.validity)
    if _in_turn(ordered):
        after = [_after(row) for row in ordered.iter_rows(named=True)]
    else:
        after = _summed_up(ordered)
        doubts.append(_overlap())
    known = {at: one for at, one in enumerate(after) if one is not None}
    n_short = sum(one.asked is None for one in known.values())
    if n_short > _FEW_SHORT * len(known):
        doubts.append(_short(n_short, len(known)))
    return _thinned(known, names=ordered["item"].to_list(), features=features, validity=tuple(doubts))


def curve_by_time(tree: pl.DataFrame) -> Curve:
    """What was held in each of 200 equal stretches of time (their median)?

    ``tree`` is TREE.  The first twentieth of the time is warm-up: a program's imports are no growth.
    """
    known = tree.filter(pl.col("rss_bytes").is_not_null() & pl.col("t_s").is_finite()).sort("t_s")
    if known.is_empty():
        return Curve(
            positions=[],
            levels=[],
            sources=[],
            asked=[],
            names=[],
            features={},
            first_bytes=0.0,
            n_items=0,
            unit="s",
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
        sources=[SAMPLE] * len(levels),
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


def _short(n: int, n_items: int) -> Validity:
    note = f"no sample fell within {n:,} of {n_items:,}: what these asked for and gave back is unknown"
    return Validity(what="short items", state=State.TRUNCATED, note=note)


def _in_turn(ordered: pl.DataFrame) -> bool:
    """Did one process do one item after the other?"""
    overlap = (ordered["begin_s"] < ordered["end_s"].shift(1)).any()
    return ordered["pid"].n_unique() <= 1 and not overlap


def _after(item: dict[str, Any]) -> _After | None:
    """What was held after this item of several in turn?"""
    begin, kept, read = _begin(item), item["delta_bytes"], item["end_rss_bytes"]
    if read is not None:
        return _known(item, read, MARKER)
    return None if begin is None or kept is None else _known(item, begin + kept, SAMPLE)


def _summed_up(ordered: pl.DataFrame) -> list[_After | None]:
    """What was held after each item, if what they kept is summed up?"""
    rows = ordered.to_dicts()
    level = _first([_begin(item) for item in rows])
    found: list[_After | None] = []
    for item in rows:
        kept = item["delta_bytes"]
        level += kept or 0
        is_read = item["begin_rss_bytes"] is not None and item["end_rss_bytes"] is not None
        found.append(None if kept is None else _known(item, level, MARKER if is_read else SAMPLE))
    return found


def _begin(item: dict[str, Any]) -> int | None:
    """What was held as this item began: what its marker read, else by the samples?"""
    read, peak, demand = item["begin_rss_bytes"], item["peak_bytes"], item["demand_bytes"]
    if read is not None:
        return int(read)
    return None if peak is None or demand is None else int(peak - demand)


def _known(item: dict[str, Any], level: int, source: str) -> _After:
    begin, peak = _begin(item), item["peak_bytes"]
    asked = None if begin is None or peak is None else float(max(peak - max(begin, level), 0))
    return _After(level=level, source=source, begin=begin, asked=asked)


def _thinned(
    known: Mapping[int, _After], *, names: list[str], features: Features, validity: tuple[Validity, ...]
) -> Curve:
    """At most ``MOST_POINTS`` of the levels, by their places, each with all that was asked since the one before."""
    at, after = list(known), list(known.values())
    n = len(after)
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
        levels=[float(after[place].level) for place in kept],
        sources=[after[place].source for place in kept],
        asked=[_most_asked(after[begin : place + 1]) for begin, place in zip(begun, kept, strict=False)],
        names=[names[at[place]] for place in kept],
        features=followed,
        first_bytes=float(_first([one.begin for one in after] + [one.level for one in after[:1]])),
        n_items=n,
        unit="item",
        validity=validity,
    )


def _most_asked(after: Sequence[_After]) -> float | None:
    return max((one.asked for one in after if one.asked is not None), default=None)


def _first(levels: Sequence[int | None]) -> int:
    return next((level for level in levels if level is not None), 0)
