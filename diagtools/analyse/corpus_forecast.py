"""How much memory would an indexer need at its peak, by what a short run of it showed?

An indexer that takes all chunks of a file at once needs most for its largest file, and an allocator that keeps its
largest request makes all later peaks the same: so the peak of a run follows the running maximum of a feature of its
items, and the peak of the whole corpus the largest file's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from diagtools.analyse.corpus_chunks import CHUNKS_ERROR_SHARE
from diagtools.analyse.explain import RUNNING_MAXIMUM, explain_peaks
from diagtools.analyse.spans import IN_FLIGHT
from diagtools.frames import FEATURES

#: What programs call the figures of a file that a scan knows too.
_COLUMNS: Mapping[str, str] = {
    "chunks": "n_chunks",
    "n_chunks": "n_chunks",
    "size_bytes": "size_bytes",
    "n_bytes": "size_bytes",
    "bytes": "size_bytes",
    "lines": "n_lines",
    "n_lines": "n_lines",
    "longest_line": "longest_line",
}
_LEAST_R2 = 0.9
#: Chunks are what is put into a batch: they are taken before a feature that fits hardly better.
_CHUNKS_GIVEN = 0.02
#: Further than twice what the run saw is far.
FAR = 2.0
#: How wide a prediction gets for each doubling beyond what the run saw.  Measured once: the run of ``data/runs`` saw 58
#: chunks and predicts 479 (three doublings) 22 % too high.
_SHARE_A_DOUBLING = 0.10
_LEVELS_OF_HALF = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakModel:
    """``intercept_bytes`` and ``bytes_per_unit`` of the largest file so far; ``column`` of CORPUS is its unit.

    ``residual_bytes`` is the standard deviation of the peaks around it, ``seen`` the largest file of the run and
    ``seen_peak_bytes`` its peak, ``upper_bytes_per_unit`` the slope among the larger half of the files alone (null
    where there are too few to tell), ``floor_bytes`` what the run needed at most outside of its items, for its model
    perhaps.  A model that was given, not learned, has seen nothing.
    """

    column: str
    feature: str
    intercept_bytes: float
    bytes_per_unit: float
    r2: float | None = None
    n_items: int = 0
    residual_bytes: float = 0.0
    seen: float | None = None
    seen_peak_bytes: float | None = None
    upper_bytes_per_unit: float | None = None
    floor_bytes: int = 0

    def within(self, limit_bytes: int) -> float:
        """How large may a file be for the peak to stay within this limit?"""
        return (limit_bytes - self.intercept_bytes) / self.bytes_per_unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """The peak for a largest file of ``value`` units, and the range in which it lies; never a measurement.

    ``times_seen`` says how many times the largest file of the run that is (null where no run was seen).
    """

    peak_bytes: int
    low_bytes: int
    high_bytes: int
    value: float
    times_seen: float | None

    @property
    def is_far(self) -> bool:
        """Does it reach so far beyond what was seen that only the range is worth saying?"""
        return self.times_seen is not None and self.times_seen > FAR


def learn_peak(items: pl.DataFrame, *, peak_bytes: int | None = None) -> PeakModel | None:
    """Which figure of its files explains the peaks of this run, and how many bytes a unit?

    ``items`` is ITEMS of an indexer whose items are files, ``peak_bytes`` the peak of the whole run: where that is
    above all items', the prediction is no lower.  Least squares as in ``explain_peaks``.  Null where no feature that a
    scan knows too explains nine tenths of the peaks: then nothing is predicted.
    """
    best = _best_fit(explain_peaks(items))
    if best is None:
        return None
    points = _points(items, best["feature"], best["of"])
    off = pl.col("y") - best["intercept_bytes"] - best["bytes_per_unit"] * pl.col("x")
    squares = float(points.select((off**2).sum()).item())
    top = points.sort("x", "y").row(-1, named=True)
    return PeakModel(
        column=_COLUMNS[best["feature"]],
        feature=best["feature"],
        intercept_bytes=best["intercept_bytes"],
        bytes_per_unit=best["bytes_per_unit"],
        r2=best["r2"],
        n_items=best["n_items"],
        residual_bytes=math.sqrt(squares / max(points.height - 2, 1)),
        seen=top["x"],
        seen_peak_bytes=top["y"],
        upper_bytes_per_unit=_upper_slope(points),
        floor_bytes=_floor(items, peak_bytes),
    )


def _best_fit(explained: pl.DataFrame) -> dict[str, Any] | None:
    """The row of EXPLAINED that the model is made of; null where none is good enough."""
    fits = explained.filter(
        pl.col("feature").is_in([*_COLUMNS])
        & (pl.col("explains") == "peak_bytes")
        & (pl.col("r2") >= _LEAST_R2)
        & (pl.col("bytes_per_unit") > 0)
    )
    if fits.is_empty():
        return None
    is_chunks = pl.col("feature").replace_strict(_COLUMNS, default="") == "n_chunks"
    near = fits.filter(pl.col("r2") >= pl.col("r2").max() - _CHUNKS_GIVEN)
    return near.sort(is_chunks, "r2", descending=True, maintain_order=True).row(0, named=True)


def _floor(items: pl.DataFrame, peak_bytes: int | None) -> int:
    """What one process needed outside of its items; unknown of several processes, and of a run cut short in an item."""
    highest = items["peak_bytes"].max()
    is_known = items["pid"].n_unique() == 1 and not (items["status"] == IN_FLIGHT).any()
    is_above = peak_bytes is not None and isinstance(highest, int) and peak_bytes > highest
    return peak_bytes or 0 if is_known and is_above else 0


def given_peak(base_bytes: int, chunk_bytes: int) -> PeakModel:
    """The model of somebody who knows what a chunk costs in one batch."""
    return PeakModel(
        column="n_chunks", feature="chunks", intercept_bytes=base_bytes, bytes_per_unit=chunk_bytes
    )


def predict(model: PeakModel, value: float) -> Prediction:
    """What would the peak be if the largest file had this many units?

    The range joins (as independent) two standard deviations of the run's peaks, what an estimate of chunks is off, and
    a tenth for each doubling beyond what the run saw.  Where its larger files rise less (or more) than all together, as
    they do where batches are bounded, the range reaches to what those alone would give.
    """
    peak = model.intercept_bytes + model.bytes_per_unit * value
    beyond = value / model.seen if model.seen else None
    doublings = max(0.0, math.log2(beyond)) if beyond else 0.0
    estimated = CHUNKS_ERROR_SHARE if model.column == "n_chunks" else 0.0
    unsure = math.hypot(estimated, _SHARE_A_DOUBLING * doublings)
    half = math.hypot(2 * model.residual_bytes, model.bytes_per_unit * value * unsure)
    ends = [peak - half, peak + half]
    if model.upper_bytes_per_unit is not None and doublings and model.seen_peak_bytes is not None:
        rise = model.upper_bytes_per_unit * (value - float(model.seen or 0))
        ends.append(model.seen_peak_bytes + rise)
    return Prediction(
        peak_bytes=max(model.floor_bytes, round(peak)),
        low_bytes=max(model.floor_bytes, round(min(ends))),
        high_bytes=max(model.floor_bytes, round(max(ends))),
        value=value,
        times_seen=beyond,
    )


def with_shapes(items: pl.DataFrame, corpus: pl.DataFrame) -> pl.DataFrame:
    """The same items, each with the size and the chunks of its file as further features, where it told none.

    ITEMS in and out; ``corpus`` is CORPUS with ``n_chunks``, its paths are the items' names.
    """
    known = {path: (size, n) for path, size, n in corpus.select("path", "size_bytes", "n_chunks").iter_rows()}
    features = [
        [*told, *_missing(told, *known.get(item, (None, None)))]
        for item, told in zip(items["item"], items["features"].to_list(), strict=True)
    ]
    return items.with_columns(features=pl.Series(features, dtype=FEATURES))


def _missing(
    told: list[dict[str, object]], size_bytes: int | None, n_chunks: int | None
) -> list[dict[str, object]]:
    columns = {_COLUMNS.get(str(feature["name"])) for feature in told}
    found = {"size_bytes": size_bytes, "n_chunks": n_chunks}
    return [
        {"name": name, "value": float(value)}
        for name, value in found.items()
        if value is not None and name not in columns
    ]


def told_chunks(items: pl.DataFrame) -> pl.DataFrame:
    """Of how many chunks did the run say each file was?  ``path`` and ``n_real``; empty where it said nothing."""
    names = [name for name, column in _COLUMNS.items() if column == "n_chunks"]
    told = _long(items).filter(pl.col("feature").is_in(names))
    return told.group_by(path="item", maintain_order=True).agg(n_real=pl.col("value").last())


def _long(items: pl.DataFrame) -> pl.DataFrame:
    features = pl.col("features").struct
    return (
        items.filter(pl.col("status") != IN_FLIGHT)
        .sort("begin_s", "pid", "index")
        .explode("features")
        .select("item", "pid", "peak_bytes", feature=features["name"], value=features["value"])
        .filter(pl.col("value").is_finite())
    )


def _points(items: pl.DataFrame, feature: str, of: str) -> pl.DataFrame:
    """What the fit was made of: x is the feature or its running maximum, y the peak."""
    value = pl.col("value").cum_max().over("pid") if of == RUNNING_MAXIMUM else pl.col("value")
    found = _long(items).filter(pl.col("feature") == feature)
    return found.select(x=value, y=pl.col("peak_bytes").cast(pl.Float64)).drop_nulls()


def _upper_slope(points: pl.DataFrame) -> float | None:
    """The slope among the larger half of the values alone, at least three of them."""
    values = points["x"].unique().sort()
    upper = values[values.len() // 2 :]
    if upper.len() < _LEVELS_OF_HALF:
        return None
    found = points.filter(pl.col("x") >= upper[0])
    slope = found.select(pl.cov("x", "y") / pl.col("x").var()).item()
    return None if slope is None or not math.isfinite(slope) else max(0.0, float(slope))
