"""What was live when?  The heap over time, and below it an icicle of the stretch that is brushed."""

from __future__ import annotations

from typing import Final

import altair as alt
import polars as pl

from diagtools.analyse.reduce import reduce_timeline
from diagtools.errors import NoDataError
from diagtools.present import theme
from diagtools.present.charts import compact, zooming
from diagtools.present.charts.live_icicle import Slices, live_icicle, slices_of
from diagtools.present.charts.memory import MIB, memory_ticks, tick_format
from diagtools.present.names import fitted, printable, wrapped
from diagtools.present.sizes import size_text
from diagtools.profile import Unit
from diagtools.redact import redact_text
from diagtools.units import format_seconds

_TIMELINE_PX = 150
_MARGIN_PX = 70  # for the axis of the timeline
_MOST_MARKS = 60
_CURVES: Final = {"heap": theme.MEMORY, "RSS": theme.GREY}
_LEAST_MARK_PX = 40  # for a name


def live_chart(
    live: pl.DataFrame,
    tracked: pl.DataFrame,
    *,
    spans: pl.DataFrame | None = None,
    title: str | None = None,
    width: int = 980,
) -> alt.VConcatChart:
    """What was live in any stretch of the time, on average, and which calls held it?

    ``live`` is LIVE, ``tracked`` TRACKED; ``spans`` are PHASES or ITEMS, drawn behind the curve.  Dragging over the
    timeline chooses the stretch: the icicle below is laid out anew in the browser.  It begins with the slice that held
    most; a click beside the shade takes the whole time.  Raises ``NoDataError`` where nothing was live.
    """
    if live.height < 2 or not live["total_size"].max():
        raise NoDataError("Nothing was live in any slice of the time.", hint="diagtools record --memray")
    slices = slices_of(live)
    plot_px = width - _MARGIN_PX
    title = title or live_title(live)
    chart = alt.VConcatChart(
        vconcat=[_timeline(tracked, slices, spans, plot_px), live_icicle(live, slices, plot_px)],
        spacing=14,
        title=alt.TitleParams(
            wrapped(title, width - 20, theme.TITLE_SIZE, bold=True),
            subtitle=wrapped(_SUBTITLE, width - 20, theme.SUBTITLE_SIZE),
        ),
    )
    whole: alt.VConcatChart = chart.resolve_scale(color="independent").add_params(*zooming.search_params())
    return theme.dressed(whole)


_SUBTITLE = (
    "the icicle shows what was live on average in the shaded stretch, at first the slice that held most · "
    "drag over the timeline: another stretch, a click beside the shade: the whole time · click a node: zoom in"
)


def live_title(live: pl.DataFrame) -> str:
    """When was most live, and in which call most of it, in one sentence?"""
    root = live.filter(pl.col("depth") == 0).sort("total_size", descending=True).row(0, named=True)
    then = live.filter((pl.col("slice") == root["slice"]) & (pl.col("depth") > 0))
    most = (
        then.sort("self_size", "order", descending=[True, False]).row(0, named=True) if then.height else root
    )
    return (
        f"Most was live between {format_seconds(root['begin_s'])} and {format_seconds(root['end_s'])}: "
        f"{size_text(root['total_size'], Unit.BYTES)}, of it {size_text(most['self_size'], Unit.BYTES)} in "
        f"{compact.shown(most['name'])}"
    )


def _timeline(
    tracked: pl.DataFrame, slices: Slices, spans: pl.DataFrame | None, plot_px: int
) -> alt.LayerChart:
    """What the tracker saw over time, with the brush."""
    points = _points(tracked, plot_px)
    begin_s, end_s = min(slices.edges[0], *points["t_s"]), max(slices.edges[-1], *points["t_s"])
    x = alt.X(
        "t_s:Q",
        scale=alt.Scale(domain=[begin_s, end_s], nice=False, zero=False),
        axis=alt.Axis(title="time, s", tickCount=10, grid=False),
    )
    domain = [kind for kind in _CURVES if kind in points["kind"]]
    scale = alt.Scale(domain=domain, range=[_CURVES[kind] for kind in domain])
    legend = alt.Legend(title=None, orient="top", symbolType="stroke", symbolStrokeWidth=2)
    curve = alt.Chart(points).mark_line(strokeWidth=1.5, interpolate="step-after")
    top_mib = max(float(points["mib"].max() or 0), 0.001)  # type: ignore[arg-type]
    color = alt.Color("kind:N", scale=scale, legend=legend)
    lines = curve.encode(x=x, y=_y(top_mib), detail="pid:N", color=color).add_params(_brush(slices))
    marks = _marks(spans, begin_s, end_s, plot_px) if spans is not None else []
    return alt.LayerChart(layer=[*marks, lines], width=plot_px, height=_TIMELINE_PX)


def _y(top_mib: float) -> alt.Y:
    axis = alt.Axis(
        title="memory, MiB",
        values=memory_ticks(top_mib, 4),
        format=tick_format(top_mib),
        domain=False,
        minExtent=40,
    )
    return alt.Y("mib:Q", scale=alt.Scale(domain=[0, top_mib * 1.08], nice=False), axis=axis)


def _brush(slices: Slices) -> alt.Parameter:
    """The stretch of time that is chosen; a double click would forget it wherever in the picture it is made."""
    shade = alt.BrushConfig(fill=theme.MEMORY, fillOpacity=0.18, stroke=theme.BLACK, strokeOpacity=0.6)
    brush = alt.selection_interval(
        name="brush", encodings=["x"], value={"x": list(slices.brushed)}, mark=shade
    )
    brush.param.select.clear = False  # type: ignore[union-attr]  # what is false is left out where it is an argument
    brush.param.select.zoom = False  # type: ignore[union-attr]  # the wheel scrolls the page
    return brush


def _points(tracked: pl.DataFrame, plot_px: int) -> pl.DataFrame:
    """The curves, at most two points a pixel: heap, and RSS where it was looked at."""
    names = {"heap": "heap_bytes", "RSS": "rss_bytes"}
    curves = [
        reduce_timeline(one.drop_nulls(column), n_buckets=max(plot_px // 2, 2), value=column).select(
            pl.col("t_s").round(4), "pid", kind=pl.lit(kind), mib=(pl.col(column) / MIB).round(3)
        )
        for one in tracked.partition_by("pid")
        for kind, column in names.items()
        if one[column].count()
    ]
    if not curves:
        raise NoDataError("The tracker took no snapshot.", hint="diagtools record --memray")
    return pl.concat(curves)


def _marks(spans: pl.DataFrame, begin_s: float, end_s: float, plot_px: int) -> list[alt.Chart]:
    """Phases or items behind the curve, each a tint, with its name where there is room."""
    key = "phase" if "phase" in spans.columns else "item"
    known = spans.filter(pl.col("begin_s").is_not_null()).with_columns(pl.col("end_s").fill_null(end_s))
    longest = (
        known.sort(pl.col("end_s") - pl.col("begin_s"), descending=True).head(_MOST_MARKS).sort("begin_s")
    )
    if longest.is_empty():
        return []
    rows = []
    for at, (name, begin, end) in enumerate(longest.select(key, "begin_s", "end_s").iter_rows()):
        room = (end - begin) / max(end_s - begin_s, 1e-9) * plot_px - 6
        text = printable(redact_text(name))
        rows.append(
            {
                "t_s": round(begin, 4),
                "until": round(end, 4),
                "name": text,
                "label": fitted(text, room, theme.LABEL_SIZE - 1) if room > _LEAST_MARK_PX else "",
                "tint": theme.PHASES[at % len(theme.PHASES)],
            }
        )
    base = alt.Chart(pl.DataFrame(rows)).encode(x="t_s:Q")
    boxes = base.mark_rect(opacity=0.6).encode(
        x2="until:Q", color=alt.Color("tint:N", scale=None), tooltip=[alt.Tooltip("name:N", title=key)]
    )
    names = base.mark_text(align="left", baseline="top", dx=3, dy=3, fontSize=theme.LABEL_SIZE - 1)
    return [boxes, names.encode(y=alt.value(0), text="label:N")]
