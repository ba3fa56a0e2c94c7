"""Which items, folders or kinds asked for memory, and which kept it?"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import altair as alt
import polars as pl

from diagtools.errors import NoDataError
from diagtools.present import theme
from diagtools.present.charts.bars import ROW_PX, figures, left_edge, names, plot_width, row_y, size_axis
from diagtools.present.charts.memory import MIB, memory_ticks
from diagtools.present.names import fitted, printable, wrapped
from diagtools.present.wording import count
from diagtools.units import format_bytes, format_share

_NAME_PX = 290
_VALUE_PX = 88
_FIGURES = (("value", "asked for"), ("kept", "kept"))


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
    plot_px = plot_width(width, _NAME_PX, len(_FIGURES) * _VALUE_PX)
    beside = [left_edge(_NAME_PX), names(data), *figures(data, _FIGURES, plot_px, _VALUE_PX)]
    chart = alt.LayerChart(
        layer=[_bars(data, kinds), _dots(data), *beside],
        width=plot_px,
        height=ROW_PX * data.height,
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
    axis = size_axis(max(ticks), "MiB", values=shown)
    return alt.X(
        "demand_mib:Q", scale=alt.Scale(domain=[low, high + (high - low) * 0.02], nice=False), axis=axis
    )


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
        .encode(x=_x(data), x2=alt.datum(0), y=row_y(), color=color, tooltip=_tooltip())
    )
    return chart


def _dots(data: pl.DataFrame) -> alt.Chart:
    dots = alt.Chart(data).transform_filter("isValid(datum.kept_mib)")
    chart: alt.Chart = dots.mark_point(
        filled=True, size=70, color=theme.KEPT, stroke=theme.WHITE, strokeWidth=1.5, opacity=1
    ).encode(x="kept_mib:Q", y=row_y(), tooltip=_tooltip())
    return chart


def _tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("name:N", title="name"),
        alt.Tooltip("value:N", title="asked for at its peak"),
        alt.Tooltip("kept:N", title="kept"),
        alt.Tooltip("share:N", title="share of the rise"),
        alt.Tooltip("items:Q", title="items"),
        alt.Tooltip("failed:Q", title="failed"),
    ]
