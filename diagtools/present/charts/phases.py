"""When was the program in which phase?  A strip of bands above the timeline."""

from __future__ import annotations

from dataclasses import dataclass

import altair as alt
import polars as pl

from diagtools.present import theme
from diagtools.present.charts.memory import Panel
from diagtools.present.names import fitted, printable
from diagtools.units import format_seconds

ROW_PX = 19
MOST_ROWS = 3
_MOST_BANDS = 300
_TEXT_SIZE = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """One stretch of one phase, in one row of the strip."""

    name: str
    begin_s: float
    end_s: float
    row: int


def bands(phases: pl.DataFrame, panel: Panel) -> list[Band]:
    """Which stretches are drawn, in which row?  Overlapping phases (outer first) go below each other.

    Stretches of one name less than a pixel apart are drawn as one; what finds no row is not drawn.
    """
    pixel_s = panel.end_s / panel.width
    rows: list[Band] = []
    open_bands: list[Band | None] = [None] * MOST_ROWS
    for name, begin, end in _spans(phases, panel.end_s):
        for row, last in enumerate(open_bands):
            if last and last.name == name and begin - last.end_s < pixel_s:
                joined = Band(name=name, begin_s=last.begin_s, end_s=max(end, last.end_s), row=row)
                rows[rows.index(last)] = open_bands[row] = joined
                break
            if last is None or begin >= last.end_s - pixel_s / 2:
                open_bands[row] = band = Band(name=name, begin_s=begin, end_s=end, row=row)
                rows.append(band)
                break
    longest = sorted(rows, key=lambda band: band.begin_s - band.end_s)[:_MOST_BANDS]
    return sorted(longest, key=lambda band: (band.row, band.begin_s))


def _spans(phases: pl.DataFrame, end_s: float) -> list[tuple[str, float, float]]:
    known = phases.filter(pl.col("begin_s").is_not_null()).with_columns(pl.col("end_s").fill_null(end_s))
    outer_first = known.sort("begin_s", pl.col("end_s") - pl.col("begin_s"), descending=[False, True])
    return [
        (printable(name), max(begin, 0.0), min(end, end_s))
        for name, begin, end in outer_first.select("phase", "begin_s", "end_s").iter_rows()
    ]


def phase_strip(phases: pl.DataFrame, panel: Panel) -> alt.LayerChart | None:
    """The strip of phases over a panel's time, or nothing where there are none."""
    found = bands(phases, panel)
    if not found:
        return None
    tints = {
        name: index % len(theme.PHASES) for index, name in enumerate(dict.fromkeys(b.name for b in found))
    }
    rows = [_row(band, panel, theme.PHASES[tints[band.name]]) for band in found]
    n_rows = max(band.row for band in found) + 1
    base = alt.Chart(pl.DataFrame(rows)).encode(x=panel.x("begin_s", labels=None))
    boxes = base.mark_rect(stroke=theme.WHITE, strokeWidth=1).encode(
        x2="end_s:Q",
        y=alt.Y("top:Q", scale=alt.Scale(domain=[n_rows, 0], nice=False), axis=None),
        y2="bottom:Q",
        color=alt.Color("tint:N", scale=None),
        tooltip=[alt.Tooltip("name:N", title="phase"), alt.Tooltip("took:N", title="took")],
    )
    text = base.mark_text(align="left", baseline="middle", dx=5, dy=ROW_PX / 2, fontSize=_TEXT_SIZE).encode(
        y=alt.Y("top:Q", axis=None), text="text:N"
    )
    return alt.LayerChart(layer=[boxes, text], width=panel.width, height=n_rows * ROW_PX)


def _row(band: Band, panel: Panel, tint: str) -> dict[str, object]:
    room = panel.x_px(band.end_s) - panel.x_px(band.begin_s) - 8
    text = fitted(band.name, room, _TEXT_SIZE) if room > 3 * _TEXT_SIZE else ""
    return {
        "name": band.name,
        "text": text if len(text) > 2 or text == band.name else "",
        "begin_s": round(band.begin_s, 4),
        "end_s": round(band.end_s, 4),
        "top": band.row,
        "bottom": band.row + 1,
        "took": format_seconds(band.end_s - band.begin_s),
        "tint": tint,
    }


def phase_starts(phases: pl.DataFrame, panel: Panel, *, labels: bool) -> list[alt.Chart]:
    """A thin line through the panel wherever a phase of the top row begins."""
    starts = [
        {"t_s": round(band.begin_s, 4)} for band in bands(phases, panel) if band.row == 0 and band.begin_s > 0
    ]
    if not starts or len(starts) > 40:
        return []
    rule = alt.Chart(pl.DataFrame(starts)).mark_rule(color=theme.PALE, strokeWidth=1, strokeDash=[2, 3])
    return [rule.encode(x=panel.x(labels=labels))]
