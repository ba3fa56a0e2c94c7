"""The processes of a test run over time, and what its worker held before the first test."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import altair as alt
import polars as pl

from diagtools.analyse.worker_baseline import Part
from diagtools.errors import NoDataError
from diagtools.present import theme
from diagtools.present.charts.bars import ROW_PX, figures, names, plot_width, row_y, size_axis
from diagtools.present.charts.effects import theories_chart
from diagtools.present.charts.memory import MIB
from diagtools.present.charts.timelines import timelines_chart
from diagtools.present.names import fitted, wrapped
from diagtools.units import format_bytes, format_share
from diagtools.values import Effect

_NAME_PX = 270
_VALUE_PX = 84
_FIGURES = (("value", ""), ("share", ""))
_TOTAL = "before the first test"
_COLORS: Final = MappingProxyType(
    {
        Part.INTERPRETER: theme.GREY,
        Part.PYTEST: theme.COUNTED,
        Part.PLUGIN: theme.FAILED,
        Part.CONFTEST: theme.MEMORY,
        Part.TESTS: theme.RUNS[2],
        Part.REST: theme.PALE,
        Part.FILES: theme.ITEM,
        _TOTAL: theme.BLACK,
    }
)


def processes_chart(
    trees: Mapping[str, pl.DataFrame], *, title: str, first_test_s: float | None = None, width: int = 900
) -> alt.LayerChart:
    """Which process of a test run held how much, and when?

    ``trees`` holds a TREE of each process alone, by its name; ``first_test_s`` is when the first test began.  Raises
    ``NoDataError`` where there is no process, or one without samples.
    """
    since = "" if first_test_s is None else f" · its first test began after {first_test_s:.1f} s"
    chart = timelines_chart(trees, title=title, width=width)
    words = wrapped(title, width - 20, theme.TITLE_SIZE, bold=True)
    subtitle = f"RSS of each process of the test run, one curve a process{since}"
    return chart.properties(title=alt.TitleParams(words, subtitle=subtitle))


def savings_chart(effects: list[Effect], *, title: str) -> alt.LayerChart:
    """What did taking each suspect away do to the worker's peak?  As ``theories_chart``, which raises for none."""
    chart = theories_chart(effects, title=title)
    words = wrapped(title, 960, theme.TITLE_SIZE, bold=True)
    subtitle = (
        "peak RSS of the worker as it was, and with the one change; thin lines: the range over the runs"
    )
    return chart.properties(title=alt.TitleParams(words, subtitle=subtitle))


def baseline_chart(parts: pl.DataFrame, *, title: str | None = None, width: int = 900) -> alt.LayerChart:
    """Of what did the memory before the first test consist?  Each bar begins where the one above it ends.

    ``parts`` is BASELINE_PARTS; the last bar is their sum.  Raises ``NoDataError`` where there is none.
    """
    if parts.is_empty():
        raise NoDataError("There is no baseline to draw.", hint="record a suite whose tests run.")
    whole = int(parts["bytes"].sum())
    data = pl.DataFrame(_rows(parts, whole), infer_schema_length=None).with_row_index("place")
    plot_px = plot_width(width, _NAME_PX, len(_FIGURES) * _VALUE_PX)
    layers = [
        _ends(data, whole),
        _bars(data, whole),
        names(data, tooltip=_tooltip()),
        *figures(data, _FIGURES, plot_px, _VALUE_PX),
    ]
    subtitle = (
        "memory of the worker's own, by the import that brought it · each bar begins where the one above ends"
    )
    chart = alt.LayerChart(
        layer=layers,
        width=plot_px,
        height=ROW_PX * data.height,
        title=alt.TitleParams(
            wrapped(title or baseline_title(parts), width - 20, theme.TITLE_SIZE, bold=True),
            subtitle=subtitle,
        ),
    )
    return theme.dressed(chart)


def baseline_title(parts: pl.DataFrame) -> str:
    """How much was there before the first test, and what brought most of it?"""
    whole = int(parts["bytes"].sum())
    sums = parts.group_by("part").agg(pl.col("bytes").sum()).sort("bytes", "part", descending=[True, False])
    top = sums.row(0, named=True)
    share = format_share(top["bytes"] / whole) if whole else "0 %"
    return f"Before the first test the worker holds {format_bytes(whole)}, {share} of it by {top['part']}"


def _rows(parts: pl.DataFrame, whole: int) -> list[dict[str, Any]]:
    at, rows = 0, []
    for row in parts.iter_rows(named=True):
        rows.append(_row(row["part"], row["name"], at, at + row["bytes"], whole, row["n_modules"]))
        at += row["bytes"]
    return [*rows, _row(_TOTAL, _TOTAL, 0, whole, whole, 0)]


def _row(part: str, name: str, begin: int, end: int, whole: int, n_modules: int) -> dict[str, Any]:
    is_of = part in (Part.CONFTEST, Part.PLUGIN) and name != part
    label = f"{part}: {name}" if is_of else name
    return {
        "part": part,
        "name": name,
        "label": fitted(label, _NAME_PX - 10, theme.LABEL_SIZE),
        "begin_mib": round(begin / MIB, 4),
        "end_mib": round(end / MIB, 4),
        "value": format_bytes(end - begin),
        "share": format_share((end - begin) / whole) if whole and end >= begin else "",
        "modules": f"{n_modules:,}" if n_modules else "",
    }


def _x(field: str, whole: int) -> alt.X:
    top = max(whole, 1) / MIB
    scale = alt.Scale(domain=[0, top * 1.01], nice=False, clamp=True)
    return alt.X(f"{field}:Q", scale=scale, axis=size_axis(top, "MiB"))


def _bars(data: pl.DataFrame, whole: int) -> alt.Chart:
    shown = [part for part in _COLORS if part in set(data["part"])]
    color = alt.Color(
        "part:N",
        scale=alt.Scale(domain=[str(part) for part in shown], range=[_COLORS[part] for part in shown]),
        legend=alt.Legend(
            values=[str(part) for part in shown if part != _TOTAL], symbolType="square", symbolSize=140
        ),
    )
    chart: alt.Chart = (
        alt.Chart(data)
        .mark_bar(minBandSize=2)
        .encode(x=_x("begin_mib", whole), x2="end_mib:Q", y=row_y(), color=color, tooltip=_tooltip())
    )
    return chart


def _ends(data: pl.DataFrame, whole: int) -> alt.Chart:
    """A thin line at the end of each bar, so that one too small to be seen has its place."""
    ticks = alt.Chart(data).mark_tick(thickness=1, color=theme.GREY, size=ROW_PX)
    chart: alt.Chart = ticks.encode(x=_x("end_mib", whole), y=row_y())
    return chart


def _tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("name:N", title="part"),
        alt.Tooltip("part:N", title="of"),
        alt.Tooltip("value:N", title="memory"),
        alt.Tooltip("share:N", title="share"),
        alt.Tooltip("modules:N", title="modules"),
    ]
