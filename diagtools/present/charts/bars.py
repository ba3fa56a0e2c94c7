"""Horizontal bars in rows: their names stand left of them, their figures right, and a scale below."""

from __future__ import annotations

from collections.abc import Iterable

import altair as alt
import polars as pl

from diagtools.present import theme
from diagtools.present.charts.memory import memory_ticks, tick_format
from diagtools.present.charts.placing import at_px

ROW_PX = 26
_GAP_PX = 10  # between a name and the bars
_HEADING_PX = 9  # above the first row


def plot_width(width: int, name_px: int, figures_px: int) -> int:
    """What is left for the bars of a chart that wide, beside names and figures?"""
    return width - name_px - figures_px - 34


def row_y() -> alt.Y:
    """The rows in the order of ``place``."""
    return alt.Y("place:O", axis=None, scale=alt.Scale(paddingInner=0.3, paddingOuter=0.15))


def size_axis(top: float, title: str, *, values: Iterable[float] | None = None) -> alt.Axis:
    """The scale of sizes up to ``top``; ``values`` are the ticks where they are not the usual ones."""
    return alt.Axis(
        title=title,
        values=list(memory_ticks(top) if values is None else values),
        format=tick_format(top),
        domain=False,
        ticks=False,
        labelFlush=False,
    )


def names(
    data: pl.DataFrame, *, field: str = "label", tooltip: str | list[alt.Tooltip] = "name:N"
) -> alt.Chart:
    """The name of each row, left of the bars."""
    text = alt.Chart(data).mark_text(align="right", baseline="middle")
    chart: alt.Chart = text.encode(x=alt.value(-_GAP_PX), y=row_y(), text=f"{field}:N", tooltip=tooltip)
    return chart


def left_edge(name_px: int) -> alt.Chart:
    """An invisible line as long as the longest name: pictures below each other begin at one edge."""
    line: alt.Chart = at_px(-name_px - _GAP_PX, 0).mark_rule(opacity=0)
    return line.encode(x2=alt.value(0))


def figures(
    data: pl.DataFrame, columns: Iterable[tuple[str, str]], left: int, figure_px: int
) -> list[alt.Chart]:
    """The figures of each row as text from ``left`` on; ``columns`` are fields with their headings, or none ("")."""
    charts: list[alt.Chart] = []
    for place, (field, heading) in enumerate(columns, start=1):
        right = left + place * figure_px
        text = alt.Chart(data).mark_text(align="right", baseline="middle")
        charts.append(text.encode(x=alt.value(right), y=row_y(), text=f"{field}:N"))
        if heading:
            above = at_px(right, -_HEADING_PX)
            charts.append(above.mark_text(align="right", color=theme.GREY, text=heading, fontSize=11))
    return charts
