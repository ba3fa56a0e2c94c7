"""What grew and what shrank between two captures?  An icicle of both, and the places ranked."""

from __future__ import annotations

from typing import Final

import altair as alt
import polars as pl

from diagtools.errors import NoDataError
from diagtools.present import theme
from diagtools.present.charts import zooming
from diagtools.present.charts.icicle import kept_nodes, limits_said, stage_of, zoomable
from diagtools.present.charts.zooming import Stage
from diagtools.present.names import from_left, printable, text_px, wrapped
from diagtools.present.profiles import difference_words
from diagtools.present.sizes import (
    fitting_step,
    share_expression,
    signed_expression,
    signed_text,
    size_expression,
    size_text,
)
from diagtools.redact import redact_text

_SAME = 0.05  # of the larger side: less is drawn as no change
_ONLY_BEFORE, _SHRANK, _ALIKE, _GREW, _ONLY_AFTER = (
    "only before",
    "shrank",
    "within 5 %",
    "grew",
    "only after",
)
#: Blue and orange are told apart with any common colour blindness; the darker ones are the surer change.
_COLORS: Final = {
    _ONLY_BEFORE: "#6FA8DC",
    _SHRANK: "#BFDCF2",
    _ALIKE: theme.GRID,
    _GREW: "#FAD7A8",
    _ONLY_AFTER: "#EE9A3A",
}
_ROW_PX = 24
_NAME_PX = 330
_GAPS_PX = 50  # beside names and words, and around the picture
_LEAST_PLOT_PX = 160
_CERTAIN = "certain"


def difference_icicle(frame: pl.DataFrame, *, title: str | None = None, width: int = 980) -> alt.LayerChart:
    """Which calls hold more, or less, than before?

    ``frame`` is DIFFERENCE_ICICLE: the own part of a node is as wide as the larger of its two
    sides, its colour says what became of it with all that it called.
    Zoom and search are those of ``allocation_icicle``.  Raises ``NoDataError`` where there is nothing on either side.
    """
    if frame.height < 2 or frame["right"][0] <= frame["left"][0]:
        raise NoDataError("There is nothing to compare.", hint="diagtools compare BEFORE AFTER")
    sized = frame.with_columns(
        size=pl.col("right") - pl.col("left"), before="before_size", after="after_size"
    )
    kept = kept_nodes(sized, ["before", "after"])
    stage = stage_of(frame, kept.nodes, width - 24)
    scale = alt.Scale(domain=list(_COLORS), range=list(_COLORS.values()))
    color = alt.Color(
        "change:N", scale=scale, legend=alt.Legend(title=None, orient="top", symbolType="square")
    )
    reading = "what a call called stands below it; its own part is as wide as the larger of before and after"
    return zoomable(
        kept,
        kept.places,
        stage,
        drawn=zooming.icicle(stage, color, zooming.zoom()),
        told=_told(stage),
        title=title or difference_title(frame),
        subtitle=f"{reading} · {limits_said(frame, kept, stage)}",
    )


def difference_title(frame: pl.DataFrame) -> str:
    """How much did the whole change, in one sentence?"""
    root = frame.row(0, named=True)
    before, after, unit = root["before_size"], root["after_size"], root["unit"]
    change = signed_text(after - before, unit)
    return f"{_became(after - before)}: {size_text(before, unit)} before, {size_text(after, unit)} after ({change})"


def _became(delta: int) -> str:
    return (
        "The whole grew"
        if delta > 0
        else "The whole shrank"
        if delta < 0
        else "The whole is as large as before"
    )


def _told(stage: Stage) -> list[dict[str, str]]:
    delta = "(datum.after - datum.before)"
    change = (
        f"datum.before == 0 ? '{_ONLY_AFTER}' : datum.after == 0 ? '{_ONLY_BEFORE}' : "
        f"abs{delta} <= {_SAME} * datum.size ? '{_ALIKE}' : {delta} > 0 ? '{_GREW}' : '{_SHRANK}'"
    )
    said = {
        "call": "datum.name",
        "function": "datum.called",
        "at": "datum.at",
        "before": size_expression("datum.before", stage.unit),
        "after": size_expression("datum.after", stage.unit),
        "change": f"{signed_expression(delta, stage.unit)} + ' (' + datum.change + ')'",
        "of the width": share_expression("datum.size", stage.whole),
    }
    return [{"calculate": change, "as": "change"}, zooming.tip(said)]


def difference_bars(
    frame: pl.DataFrame,
    *,
    before_total: int | None = None,
    after_total: int | None = None,
    n: int = 15,
    title: str | None = None,
    width: int = 980,
) -> alt.LayerChart:
    """Which places grew or shrank most, and how sure is that?

    ``frame`` is DIFFERENCE; the ``n`` largest changes are bars, all others one row, so that the bars sum to the change
    of the whole.  What is certain is filled, all else is an outline; the words say the same.  Raises ``NoDataError``.
    """
    changed = frame.filter(pl.col("delta_size") != 0)
    if changed.is_empty():
        raise NoDataError("No place changed.", hint="diagtools compare BEFORE AFTER")
    data = _rows(changed.sort(pl.col("delta_size").abs(), "key", descending=[True, False]), n)
    said = title or difference_words(frame, before_total=before_total, after_total=after_total)
    drawn = _drawn(data, str(frame["unit"][0]), width).properties(
        title=alt.TitleParams(
            wrapped(said, width - 20, theme.TITLE_SIZE, bold=True),
            subtitle="filled: certain; outline: likely, within noise, or one run each, as the words say",
        )
    )
    return theme.dressed(drawn)


def _rows(ranked: pl.DataFrame, n: int) -> pl.DataFrame:
    """A row a bar: the first ``n`` places, and all others as one."""
    rows = [_bar(row) for row in ranked.head(n).iter_rows(named=True)]
    rows += _rest(ranked.slice(n), str(ranked["unit"][0]))
    return pl.DataFrame([{**row, "row": at} for at, row in enumerate(rows)])


def _shown(name: str) -> str:
    return printable(redact_text(name))


def _bar(row: dict[str, object]) -> dict[str, object]:
    unit, delta = str(row["unit"]), int(str(row["delta_size"]))
    before, after = int(str(row["before_size"])), int(str(row["after_size"]))
    certainty = _shown(str(row["certainty"]))
    return {
        "name": from_left(_shown(str(row["key"])), _NAME_PX - 16, theme.LABEL_SIZE),
        "place": _shown(str(row["key"])),
        "delta": delta / fitting_step(1, unit).factor,
        "words": f"{size_text(before, unit)} → {size_text(after, unit)} ({signed_text(delta, unit)}), {certainty}",
        "certainty": certainty,
        "change": "grew" if delta > 0 else "shrank",
        "range": _range(row, unit),
        "is_certain": certainty == _CERTAIN,
    }


def _range(row: dict[str, object], unit: str) -> str:
    low, high = row["low_size"], row["high_size"]
    if not isinstance(low, int) or not isinstance(high, int):
        return "not known: one run each"
    return f"{signed_text(low, unit)} to {signed_text(high, unit)}"


def _rest(frame: pl.DataFrame, unit: str) -> list[dict[str, object]]:
    """All places without a row of their own, as one."""
    if frame.is_empty():
        return []
    sums = {name: int(frame[f"{name}_size"].sum()) for name in ("before", "after", "delta")}
    named = {"key": f"{frame.height:,} other places", "certainty": "together", "unit": unit}
    sizes = {f"{name}_size": value for name, value in sums.items()}
    return [{**_bar({**named, **sizes, "low_size": None, "high_size": None}), "range": "not known"}]


def _drawn(data: pl.DataFrame, unit: str, width: int) -> alt.LayerChart:
    """The bars, their names on the left and the words on the right."""
    beside = sum(max(text_px(text, theme.LABEL_SIZE) for text in data[name]) for name in ("name", "words"))
    plot_px = max(int(width - beside - _GAPS_PX), _LEAST_PLOT_PX)
    step = fitting_step(float(data["delta"].abs().max() or 1), unit)  # type: ignore[arg-type]
    data = data.with_columns(delta=pl.col("delta") / step.factor)
    base = alt.Chart(data).encode(
        y=alt.Y("row:O", axis=None, scale=alt.Scale(paddingInner=0.3, paddingOuter=0.2))
    )
    zero = alt.Chart(data.head(1)).mark_rule(color=theme.BLACK).encode(x=alt.datum(0))
    names = base.mark_text(align="right", baseline="middle", dx=-10).encode(x=alt.value(0), text="name:N")
    words = base.mark_text(align="left", baseline="middle", dx=10, color=theme.GREY).encode(
        x=alt.value(plot_px), text="words:N"
    )
    layers = [_bars(base, data["delta"], step.name), zero, names, words]
    return alt.LayerChart(layer=layers, width=plot_px, height=_ROW_PX * data.height)


def _bars(base: alt.Chart, delta: pl.Series, unit_name: str) -> alt.Chart:
    """From zero to the change; filled only where that is certain."""
    low, high = min(0.0, float(delta.min())), max(0.0, float(delta.max()))  # type: ignore[arg-type]
    axis = alt.Axis(title=f"change, {unit_name}", tickCount=5, grid=True)
    color = alt.Scale(domain=["grew", "shrank"], range=[_COLORS[_ONLY_AFTER], _COLORS[_ONLY_BEFORE]])
    legend = alt.Legend(title=None, orient="top", symbolType="square")
    bars: alt.Chart = base.mark_bar(strokeWidth=1.5, minBandSize=2).encode(
        x=alt.X("delta:Q", scale=alt.Scale(domain=[low, high], nice=True), axis=axis),
        x2=alt.datum(0),
        color=alt.Color("change:N", scale=color, legend=legend),
        stroke=alt.Stroke("change:N", scale=color, legend=None),
        fillOpacity=alt.condition("datum.is_certain", alt.value(1), alt.value(0.18)),
        tooltip=[
            alt.Tooltip("place:N", title="place"),
            alt.Tooltip("words:N", title="before → after"),
            alt.Tooltip("range:N", title="range of the change"),
        ],
    )
    return bars
