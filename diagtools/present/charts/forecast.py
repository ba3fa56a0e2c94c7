"""Where does memory go from here, and does it reach the limit?  A fan from what was seen."""

from __future__ import annotations

import altair as alt
import polars as pl

from diagtools.analyse.forecast import Forecast
from diagtools.errors import NoDataError
from diagtools.present import theme
from diagtools.present.charts.memory import (
    AXIS_PX,
    MIB,
    Panel,
    cross,
    limit_label,
    limit_points,
    limit_rule,
    memory_ticks,
    tick_format,
)
from diagtools.present.charts.placing import ONE_ROW, Canvas, Label, drawn
from diagtools.present.names import file_name, fitted, printable, wrapped
from diagtools.units import format_bytes

_HEIGHT = 300
_EDGE_PX = 24
_HIGHEST = 2.5  #: times the limit, the forecast or what was seen: a range beyond it is cut off
_MOST_POINTS = 1200
_BESIDE_PX = 10


def forecast_chart(found: Forecast, *, title: str | None = None, width: int = 900) -> alt.LayerChart:
    """The peaks that were seen (dots), the highest expected from there on (line) and its range (fan), the limit.

    Without ``title`` the chart says the forecast.  Raises ``NoDataError`` where there is none.
    """
    if found.points.is_empty():
        raise NoDataError(found.sentence, hint="ask again when more items have ended.")
    panel = _panel(found, width)
    rows = _rows(found.points, panel)
    seen = rows.filter(~pl.col("to_come"))
    ahead = rows.filter(pl.col("to_come"))
    reach = _reach(found, panel)
    canvas = Canvas(frame=panel.frame, points=[*limit_points(panel), *_curve(panel, rows)])
    labels = [*limit_label(panel), *(label for _, label in reach), _now(found, panel)]
    claim, _, why = found.sentence.partition(". ")
    words = alt.TitleParams(
        wrapped(printable(title or claim), width - 20, theme.TITLE_SIZE, bold=True),
        subtitle=[
            line
            for text in (printable(why), _subtitle(found))
            for line in (wrapped(text, width - 20, theme.SUBTITLE_SIZE) if text else [])
        ],
    )
    layers = [
        *_fan(ahead, found, panel),
        _dots(seen, found, panel),
        _now_rule(found, panel),
        *_needed_range(ahead, found, panel),
        *limit_rule(panel),
        *(mark for marks, _ in reach for mark in marks),
        *drawn(canvas.place(labels)),
    ]
    return theme.dressed(alt.LayerChart(layer=layers, width=panel.width, height=panel.height, title=words))


def _subtitle(found: Forecast) -> str:
    what = "item's peak" if found.by == "item" else "stretch's highest level"
    doubts = "".join(f" · {one.what}: {one.note}" for one in found.validity)
    return f"dots: each {what} · line and fan: the highest expected until then, and its range{doubts}"


def _panel(found: Forecast, width: int) -> Panel:
    points = found.points
    usual = [
        found.limit_bytes or 0,
        *points["peak_bytes"].drop_nulls(),
        *points["forecast_bytes"].drop_nulls(),
    ]
    highest = min([max(points["high_bytes"].drop_nulls(), default=0), round(_HIGHEST * max(usual))])
    return Panel(
        width=width - AXIS_PX - _EDGE_PX,
        height=_HEIGHT,
        end_s=max(points["at"]),
        peak_bytes=max(highest, *usual[1:]),
        limit_bytes=found.limit_bytes,
    )


def _rows(points: pl.DataFrame, panel: Panel) -> pl.DataFrame:
    step = -(-points.height // _MOST_POINTS)
    row = pl.int_range(pl.len())
    thinned = points.filter((row % step == 0) | (row == pl.len() - 1))
    top = panel.top_mib * panel.height  # far above the panel: clipped there
    return thinned.select(
        pl.col("at").round(3),
        "to_come",
        item=pl.col("item").fill_null("").map_elements(printable, return_dtype=pl.String),
        mib=(pl.col("peak_bytes") / MIB).round(3),
        expected=(pl.col("forecast_bytes") / MIB).clip(0, top).round(3),
        low=(pl.col("low_bytes") / MIB).clip(0, top).round(3),
        high=(pl.col("high_bytes") / MIB).clip(0, top).round(3),
    )


def _x(found: Forecast, panel: Panel) -> alt.X:
    title = "items, in order" if found.by == "item" else "time since the start, s"
    scale = alt.Scale(domain=[0, panel.end_s * panel.width / (panel.width - 9)], nice=False)
    return alt.X("at:Q", scale=scale, axis=alt.Axis(title=title, tickCount=10, grid=False, labelFlush=False))


def _y(field: str, panel: Panel) -> alt.Y:
    top = panel.top_mib * panel.height / (panel.height - 46)
    axis = alt.Axis(
        title="memory at its peak, MiB",
        values=memory_ticks(panel.top_mib),
        format=tick_format(panel.top_mib),
        domain=False,
        ticks=False,
        minExtent=AXIS_PX - 22,
    )
    return alt.Y(f"{field}:Q", scale=alt.Scale(domain=[0, top], nice=False), axis=axis)


def _fan(ahead: pl.DataFrame, found: Forecast, panel: Panel) -> list[alt.Chart]:
    if ahead.is_empty():
        return []
    base = alt.Chart(ahead).encode(x=_x(found, panel))
    tooltip = [
        alt.Tooltip("at:Q", title="item" if found.by == "item" else "time, s"),
        alt.Tooltip("item:N", title="name"),
        alt.Tooltip("expected:Q", title="expected, MiB", format=",.0f"),
        alt.Tooltip("low:Q", title="at least, MiB", format=",.0f"),
        alt.Tooltip("high:Q", title="at most, MiB", format=",.0f"),
    ]
    fan = base.mark_area(color=theme.MEMORY, opacity=0.18, clip=True, interpolate="step-after")
    line = base.mark_line(color=theme.MEMORY, strokeWidth=2, clip=True, interpolate="step-after")
    return [
        fan.encode(y=_y("low", panel), y2="high:Q", tooltip=tooltip),
        line.encode(y=_y("expected", panel), tooltip=tooltip),
    ]


def _needed_range(ahead: pl.DataFrame, found: Forecast, panel: Panel) -> list[alt.Chart]:
    """What the whole job needs, as a bar at the first item that needs most; a jump has no width in the fan."""
    if found.needed_low_bytes is None or found.needed_high_bytes is None or ahead.is_empty():
        return []
    most = ahead.filter(pl.col("expected") == pl.col("expected").max())
    x = alt.value(round(panel.x_px(most["at"][0]), 1))
    low, high = (
        round(max(panel.y_px(size), 0.0), 1) for size in (found.needed_low_bytes, found.needed_high_bytes)
    )
    bar = alt.Chart(ONE_ROW).mark_rule(color=theme.MEMORY, strokeWidth=7, opacity=0.3)
    return [bar.encode(x=x, y=alt.value(low), y2=alt.value(high))]


def _dots(seen: pl.DataFrame, found: Forecast, panel: Panel) -> alt.Chart:
    tooltip = [alt.Tooltip("item:N", title="item"), alt.Tooltip("mib:Q", title="peak, MiB", format=",.1f")]
    dots = alt.Chart(seen).mark_point(filled=True, size=22, opacity=0.6, color=theme.BLACK)
    chart: alt.Chart = dots.encode(x=_x(found, panel), y=_y("mib", panel), tooltip=tooltip)
    return chart


def _seen_until(found: Forecast) -> float:
    return float(max(found.points.filter(~pl.col("to_come"))["at"]))


def _now_rule(found: Forecast, panel: Panel) -> alt.Chart:
    x = alt.value(round(panel.x_px(_seen_until(found)), 1))
    rule = alt.Chart(ONE_ROW).mark_rule(color=theme.PALE, strokeDash=[2, 3])
    chart: alt.Chart = rule.encode(x=x, y=alt.value(0), y2=alt.value(panel.height))
    return chart


def _now(found: Forecast, panel: Panel) -> Label:
    things = "items" if found.by == "item" else "stretches of time"
    text = f"seen: {found.n_seen:,} {things}"
    return Label(
        lines=(text,), x=panel.x_px(_seen_until(found)), y=12, color=theme.GREY, size=11, optional=True
    )


def _reach(found: Forecast, panel: Panel) -> list[tuple[list[alt.Chart], Label]]:
    """Where the limit is reached, and in which item."""
    if found.reaches_limit_at is None or found.limit_bytes is None or panel.limit_is_far:
        return []
    x, y = panel.x_px(found.reaches_limit_at), panel.y_px(found.limit_bytes)
    name = "" if found.item is None else f", {fitted(file_name(found.item), 240, 12)}"
    where = (
        f"item {found.reaches_limit_at:,.0f}" if found.by == "item" else f"{found.reaches_limit_at:,.0f} s"
    )
    needs = () if found.needed_limit_bytes is None else (f"the job needs {_needed(found)}",)
    # Beside the line, which may rise straight up from there.
    label = Label(
        lines=(f"{where}{name}", *needs), x=x - _BESIDE_PX, y=y, color=theme.DEATH_INK, bold=True, leader=True
    )
    return [(cross(x, y), label)]


def _needed(found: Forecast) -> str:
    low, high = found.needed_low_bytes, found.needed_high_bytes
    if found.extrapolates_far and low is not None and high is not None:
        return f"{format_bytes(low)} to {format_bytes(high)}"
    return format_bytes(found.needed_limit_bytes or 0)


def _curve(panel: Panel, rows: pl.DataFrame) -> list[tuple[float, float]]:
    """Where dots and line run, for labels to keep clear of them."""
    level = pl.coalesce("mib", "expected")
    known = rows.select("at", level).drop_nulls().iter_rows()
    return [(panel.x_px(at), panel.y_px(mib * MIB)) for at, mib in known]
