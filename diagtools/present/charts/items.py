"""Which item asked for how much memory, and when?  A strip of bars below the timeline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import altair as alt
import polars as pl

from diagtools.present import theme
from diagtools.present.charts.memory import AXIS_PX, MIB, Panel, memory_ticks, tick_format
from diagtools.present.charts.placing import Box, Canvas, Label, drawn
from diagtools.present.names import file_name, fitted, shortened
from diagtools.units import format_bytes, format_seconds

HEIGHT = 84
_TICKS_HEIGHT = 16
_HEADROOM_PX = 18
_N_NAMED = 3
_N_FEATURES = 4
_NAME_PX = 260
_NAMED_FROM = 0.12  #: of the heaviest item: smaller bars are not worth a name

#: What the bars' colours mean, by an item's status.
_COLORS = {"ok": theme.ITEM, "failed": theme.FAILED, "timeout": theme.FAILED, "in_flight": theme.DEATH}


def item_strip(items: pl.DataFrame, panel: Panel) -> alt.LayerChart | None:
    """The strip of items over a panel's time, or nothing where there are none.

    The heaviest item of each pixel is drawn, so that the peak demand is always there; the three heaviest are named.
    Where no demand was measured, ticks show only when each item ran.
    """
    shown = _per_pixel(items, panel)
    if shown.is_empty():
        return None
    top = max(_peak(shown), 1) / MIB
    measured = shown["demand_bytes"].is_not_null().any()
    height = HEIGHT if measured else _TICKS_HEIGHT
    bars = _bars(shown, panel, top, height, measured=measured)
    names = _names(shown, panel, top) if measured else []
    return alt.LayerChart(layer=[bars, *names], width=panel.width, height=height)


def heaviest(items: pl.DataFrame | None) -> dict[str, Any] | None:
    """The item with the largest own peak demand, or nothing where no demand was measured."""
    if items is None:
        return None
    measured = items.filter(pl.col("demand_bytes").is_not_null())
    if measured.is_empty():
        return None
    return measured.sort("demand_bytes", "begin_s", descending=[True, False]).row(0, named=True)


def _per_pixel(items: pl.DataFrame, panel: Panel) -> pl.DataFrame:
    """The heaviest item that began in each two pixels of time; items in flight are kept beside it."""
    bucket = (pl.col("begin_s") / panel.end_s * panel.width / 2).floor().alias("bucket")
    known = items.filter(pl.col("begin_s").is_not_null()).with_columns(pl.col("end_s").fill_null(panel.end_s))
    ranked = known.with_columns(bucket).sort("demand_bytes", descending=True, nulls_last=True)
    kept = pl.col("bucket").is_first_distinct() | (pl.col("status") == "in_flight")
    return ranked.filter(kept).sort("begin_s", "index")


def _peak(items: pl.DataFrame) -> int:
    peak = items["demand_bytes"].max()
    return peak if isinstance(peak, int) else 0


def _bars(shown: pl.DataFrame, panel: Panel, top: float, height: int, *, measured: bool) -> alt.Chart:
    features = _common_features(shown)
    rows = [_row(item, features, measured=measured) for item in shown.iter_rows(named=True)]
    axis = None
    domain = [0.0, 1.0]
    if measured:
        domain = [0, top * height / (height - _HEADROOM_PX)]
        axis = alt.Axis(
            title=["peak demand", "per item, MiB"],
            values=memory_ticks(top, 3),
            format=tick_format(top),
            domain=False,
            ticks=False,
            minExtent=AXIS_PX - 22,
        )
    tooltip = [
        alt.Tooltip("name:N", title="item"),
        alt.Tooltip("demand:N", title="own peak demand"),
        alt.Tooltip("kept:N", title="kept"),
        alt.Tooltip("took:N", title="took"),
        alt.Tooltip("status:N", title="status"),
        *(alt.Tooltip(f"f{n}:Q", title=name, format=",~r") for n, name in enumerate(features)),
    ]
    bars: alt.Chart = (
        alt.Chart(pl.DataFrame(rows, infer_schema_length=None))
        .mark_rect(strokeWidth=1)
        .encode(
            x=panel.x("begin_s", labels=True),
            x2="end_s:Q",
            y=alt.Y("mib:Q", scale=alt.Scale(domain=domain, nice=False), axis=axis),
            y2=alt.datum(0),
            color=alt.Color("color:N", scale=None),
            stroke=alt.Stroke("color:N", scale=None),
            tooltip=tooltip,
        )
    )
    return bars


def _row(item: dict[str, Any], features: list[str], *, measured: bool) -> dict[str, object]:
    values = {feature["name"]: feature["value"] for feature in item["features"] or []}
    demand = item["demand_bytes"]
    return {
        "name": shortened(item["item"], 120),
        "begin_s": round(item["begin_s"], 4),
        "end_s": round(item["end_s"], 4),
        "mib": round(max(demand or 0, 0) / MIB, 3) if measured else 1,
        "demand": _size(demand),
        "kept": _size(item["delta_bytes"]),
        "took": format_seconds(item["end_s"] - item["begin_s"]),
        "status": item["status"],
        "color": _COLORS.get(item["status"], theme.ITEM),
        **{f"f{n}": values.get(name) for n, name in enumerate(features)},
    }


def _size(n_bytes: int | None) -> str:
    return "not measured" if n_bytes is None else format_bytes(n_bytes)


def _common_features(items: pl.DataFrame) -> list[str]:
    seen = Counter(feature["name"] for row in items["features"].to_list() for feature in row or [])
    return [name for name, _ in sorted(seen.items(), key=lambda pair: (-pair[1], pair[0]))[:_N_FEATURES]]


def _names(shown: pl.DataFrame, panel: Panel, top: float) -> list[alt.Chart]:
    def y_px(n_bytes: int) -> float:
        return HEIGHT - n_bytes / MIB / top * (HEIGHT - _HEADROOM_PX)

    frame = Box(left=-4, top=-4, right=panel.width, bottom=HEIGHT)
    tops = [
        (panel.x_px(begin), y_px(demand) + 4 + step)
        for begin, demand in shown.select("begin_s", pl.col("demand_bytes").fill_null(0)).iter_rows()
        for step in range(0, int(HEIGHT - y_px(demand)), 8)
    ]
    notable = shown.filter(pl.col("demand_bytes") > _NAMED_FROM * top * MIB)
    ranked = notable.sort("demand_bytes", descending=True).head(_N_NAMED)
    labels = [_label(row, panel, y_px, first=not n) for n, row in enumerate(ranked.iter_rows(named=True))]
    return drawn(Canvas(frame=frame, points=tops).place(labels))


def _label(item: dict[str, Any], panel: Panel, y_px: Callable[[int], float], *, first: bool) -> Label:
    name = fitted(file_name(item["item"]), _NAME_PX, 11)
    at_least = "≥ " if item["status"] == "in_flight" else ""  # it was cut short
    return Label(
        lines=(f"{name} {at_least}{format_bytes(item['demand_bytes'])}",),
        x=(panel.x_px(item["begin_s"]) + panel.x_px(item["end_s"])) / 2,
        y=y_px(item["demand_bytes"]) + 4,
        size=11,
        color=theme.DEATH_INK if item["status"] == "in_flight" else theme.BLACK,
        optional=not first,
        at=(("center", -1), ("right", -1), ("left", -1)),
    )
