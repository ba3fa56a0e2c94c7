"""Which items, folders or kinds asked for memory, and which kept it?"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import altair as alt
import polars as pl

from diagtools.errors import NoDataError
from diagtools.present import theme
from diagtools.present.charts.memory import MIB, memory_ticks, tick_format
from diagtools.present.charts.placing import at_px
from diagtools.present.names import fitted, printable, wrapped
from diagtools.present.wording import count
from diagtools.units import format_bytes, format_share

_ROW_PX = 26
_NAME_PX = 290
_VALUE_PX = 88


def demand_chart(
    contributors: pl.DataFrame,
    *,
    title: str | None = None,
    n: int = 12,
    kinds: Mapping[str, str] | None = None,
    cut_short: Collection[str] = (),
    width: int = 900,
) -> alt.LayerChart:
    """Who asked for most memory at its peak (bar), and how much of it stayed (dot)?

    ``contributors`` is CONTRIBUTORS; the ``n`` with the highest own demand are drawn, the others as one row whose
    bar is the highest among them and whose dot is their sum.  ``kinds`` colours the bars by the kind of each key; the
    demand of keys in ``cut_short`` is a lower bound (the item in flight when the run was killed).
    Raises ``NoDataError`` where there are no contributors.
    """
    if contributors.is_empty():
        raise NoDataError(
            "There are no items to draw.",
            hint="mark them with diagtools.mark.item(), or record with --items-opened-under.",
        )
    ranked = contributors.sort(
        "demand_bytes", "delta_bytes", "key", descending=[True, True, False], nulls_last=True
    )
    rows = [_row(row, kinds, cut_short) for row in ranked.head(n).iter_rows(named=True)]
    if ranked.height > n:
        rows.append(_rest(ranked.slice(n)))
    data = pl.DataFrame(rows, infer_schema_length=None).with_row_index("place")
    words = wrapped(title or demand_title(ranked, cut_short), width - 20, theme.TITLE_SIZE, bold=True)
    plot_px = width - _NAME_PX - 2 * _VALUE_PX - 34
    layers = [_bars(data, kinds), _dots(data), _edge(), _names(data), *_columns(data, plot_px)]
    chart = alt.LayerChart(
        layer=layers,
        width=plot_px,
        height=_ROW_PX * data.height,
        title=alt.TitleParams(words, subtitle=_subtitle(data)),
    )
    return theme.dressed(chart)


def demand_title(contributors: pl.DataFrame, cut_short: Collection[str] = ()) -> str:
    """Who asked for most, in one sentence?"""
    measured = contributors.drop_nulls("demand_bytes").sort("demand_bytes", descending=True)
    if measured.is_empty():
        return "No contributor's own demand was measured"
    top = measured.row(0, named=True)
    at_least = "at least " if top["key"] in cut_short else ""
    sentence = (
        f"{fitted(top['key'], 420, theme.TITLE_SIZE)} asked for {at_least}{format_bytes(top['demand_bytes'])}"
    )
    if measured.height == 1 or measured["demand_bytes"].item(1) <= 0:
        return sentence
    times = top["demand_bytes"] / measured["demand_bytes"].item(1)
    return (
        f"{sentence}, {times:.1f} × as much as the next" if times >= 1.05 else f"{sentence}, the next as much"
    )


def _row(
    row: Mapping[str, object], kinds: Mapping[str, str] | None, cut_short: Collection[str]
) -> dict[str, object]:
    key, demand, kept = str(row["key"]), row["demand_bytes"], row["delta_bytes"]
    share = row["share"]
    return {
        "name": printable(key),
        "label": fitted(key, _NAME_PX, theme.LABEL_SIZE),
        "demand_mib": _mib(demand),
        "kept_mib": _mib(kept),
        "value": ("≥ " if key in cut_short else "") + _size(demand),
        "kept": _size(kept),
        "share": format_share(share) if isinstance(share, float) else "not known",
        "items": row["n_items"],
        "failed": row["n_failed"],
        "kind": (kinds or {}).get(key, "other" if kinds else "all"),
    }


def _rest(rest: pl.DataFrame) -> dict[str, object]:
    share = rest["share"].sum() if rest["share"].null_count() < rest.height else None
    whole = {
        "key": f"{count(rest.height, 'other')}: highest, and kept by all",
        "demand_bytes": rest["demand_bytes"].max(),
        "delta_bytes": rest["delta_bytes"].sum() if rest["delta_bytes"].null_count() < rest.height else None,
        "share": share,
        "n_items": rest["n_items"].sum(),
        "n_failed": rest["n_failed"].sum(),
    }
    return {**_row(whole, None, ()), "kind": "rest"}


def _mib(n_bytes: object) -> float | None:
    return round(n_bytes / MIB, 3) if isinstance(n_bytes, int) else None


def _size(n_bytes: object) -> str:
    return format_bytes(n_bytes) if isinstance(n_bytes, int) else "not measured"


def _subtitle(data: pl.DataFrame) -> str:
    kept = " · dot: memory kept afterwards" if data["kept_mib"].null_count() < data.height else ""
    return f"bar: memory asked for at its peak, on top of what was held before{kept}"


def _x(data: pl.DataFrame) -> alt.X:
    values = [0.0, *data["demand_mib"].drop_nulls(), *data["kept_mib"].drop_nulls()]
    low, high = min(values), max(values)
    if low == high:
        return alt.X("demand_mib:Q", scale=alt.Scale(domain=[0, 1]), axis=None)
    ticks = memory_ticks(max(high, -low))
    shown = sorted({value for tick in ticks for value in (-tick, tick) if low <= value <= high})
    axis = alt.Axis(
        title="MiB", values=shown, format=tick_format(max(ticks)), domain=False, ticks=False, labelFlush=False
    )
    return alt.X(
        "demand_mib:Q", scale=alt.Scale(domain=[low, high + (high - low) * 0.02], nice=False), axis=axis
    )


def _y() -> alt.Y:
    return alt.Y("place:O", axis=None, scale=alt.Scale(paddingInner=0.3, paddingOuter=0.15))


def _bars(data: pl.DataFrame, kinds: Mapping[str, str] | None) -> alt.Chart:
    domain = [kind for kind in dict.fromkeys(data["kind"]) if kind != "rest"]
    colors = [theme.KINDS.get(kind, theme.GREY) if kinds else theme.DEMAND for kind in domain]
    color = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=[*domain, "rest"], range=[*colors, theme.PALE]),
        legend=alt.Legend(values=domain, symbolType="square", symbolSize=140) if kinds else None,
    )
    chart: alt.Chart = (
        alt.Chart(data)
        .mark_bar()
        .encode(x=_x(data), x2=alt.datum(0), y=_y(), color=color, tooltip=_tooltip())
    )
    return chart


def _dots(data: pl.DataFrame) -> alt.Chart:
    dots = alt.Chart(data).transform_filter("isValid(datum.kept_mib)")
    chart: alt.Chart = dots.mark_point(
        filled=True, size=70, color=theme.KEPT, stroke=theme.WHITE, strokeWidth=1.5, opacity=1
    ).encode(x="kept_mib:Q", y=_y(), tooltip=_tooltip())
    return chart


def _names(data: pl.DataFrame) -> alt.Chart:
    text = alt.Chart(data).mark_text(align="right", baseline="middle")
    chart: alt.Chart = text.encode(x=alt.value(-10), y=_y(), text="label:N", tooltip="name:N")
    return chart


def _edge() -> alt.Chart:
    """An invisible line as long as the longest name: pictures below each other begin at one edge."""
    line: alt.Chart = at_px(-_NAME_PX - 10, 0).mark_rule(opacity=0)
    return line.encode(x2=alt.value(0))


def _columns(data: pl.DataFrame, width: int) -> list[alt.Chart]:
    """The two values of each row as text, right of the bars, under a heading each."""
    columns = [("value:N", "asked for", width + _VALUE_PX), ("kept:N", "kept", width + 2 * _VALUE_PX)]
    charts: list[alt.Chart] = []
    for field, heading, right in columns:
        text = alt.Chart(data).mark_text(align="right", baseline="middle")
        charts.append(text.encode(x=alt.value(right), y=_y(), text=field))
        charts.append(at_px(right, -9).mark_text(align="right", color=theme.GREY, text=heading, fontSize=11))
    return charts


def _tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("name:N", title="name"),
        alt.Tooltip("value:N", title="asked for at its peak"),
        alt.Tooltip("kept:N", title="kept"),
        alt.Tooltip("share:N", title="share of the rise"),
        alt.Tooltip("items:Q", title="items"),
        alt.Tooltip("failed:Q", title="failed"),
    ]
