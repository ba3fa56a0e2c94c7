"""What rises from call to call, and what flattens?"""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from diagtools.analyse.leak_courses import Course
from diagtools.analyse.leaks import LeakVerdict
from diagtools.errors import NoDataError
from diagtools.frames import LeakLog
from diagtools.present import theme
from diagtools.present.leaks import headline
from diagtools.present.names import printable, wrapped
from diagtools.units import format_bytes

_COLUMNS = 2
_PANEL_HEIGHT = 132
_GAP_PX = 92  #: between two panels, for the labels of the axis
_NAMES = {
    "c_bytes": "malloc: bytes in use",
    "python_bytes": "Python's allocator: bytes in use",
    "n_blocks": "Python's allocator: blocks",
    "mapped_bytes": "other address space, bytes",
    "n_objects": "objects of the collector",
    "n_threads": "threads",
    "n_fds": "open files",
    "anon_bytes": "private memory (RSS), a witness",
}
#: These are drawn in any case, the others where they move.
_ALWAYS = ("c_bytes", "python_bytes", "n_blocks", "anon_bytes")
_HEADROOM = 1.12
#: As long a rise is not called one: what wavers by less looks level.
_LEAST_SPAN = {"c_bytes": 16 << 10, "python_bytes": 16 << 10, "anon_bytes": 64 << 10, "n_blocks": 200}
_INK = {Course.RISING: theme.DEATH_INK, Course.FILLING: "#8A5A00", Course.SWINGING: "#8A5A00"}
_LINE = {Course.RISING: theme.DEATH, Course.FILLING: theme.FAILED, Course.SWINGING: theme.FAILED}


def leak_chart(
    log: LeakLog, found: LeakVerdict, *, target: str, title: str | None = None, width: int = 900
) -> alt.VConcatChart:
    """A small picture a counter: by how much it has changed since the warm-up, and what that is called.

    Behind the calls in which caches were being cleared stands a tint.  Raises ``NoDataError`` where nothing was
    counted.
    """
    rows = [row for row in found.counters.iter_rows(named=True) if _is_drawn(row)]
    if not rows:
        raise NoDataError(
            "There is nothing to draw: nothing was counted.", hint="see .verdict and .validity."
        )
    panel_px = (width - _COLUMNS * _GAP_PX) // _COLUMNS
    panels = [_panel(row, log.readings, found.n_calls, panel_px) for row in rows]
    lines = [alt.hconcat(*panels[at : at + _COLUMNS], spacing=18) for at in range(0, len(panels), _COLUMNS)]
    words = alt.TitleParams(
        wrapped(printable(title or headline(target, found)), width - 20, theme.TITLE_SIZE, bold=True),
        subtitle=wrapped(_subtitle(log, found), width - 20, theme.SUBTITLE_SIZE),
    )
    return theme.dressed(alt.vconcat(*lines, spacing=16, title=words))


def _is_drawn(row: dict[str, Any]) -> bool:
    if row["course"] == Course.UNKNOWN:
        return False
    return row["counter"] in _ALWAYS or row["course"] != Course.LEVEL


def _subtitle(log: LeakLog, found: LeakVerdict) -> str:
    cleared = " · tinted: caches with a limit were being cleared" if _is_cleared(log.readings) else ""
    return f"change since the warm-up of {log.n_warm or 0:,} calls, by {found.n_calls:,} calls{cleared}"


def _is_cleared(readings: pl.DataFrame) -> bool:
    return bool(readings["is_clearing"].any())


def _panel(row: dict[str, Any], readings: pl.DataFrame, n_calls: int, width: int) -> alt.LayerChart:
    counter = row["counter"]
    is_bytes = counter.endswith("_bytes")
    known = readings.select("n_calls", "is_clearing", value=pl.col(counter)).drop_nulls()
    first = known["value"][0]
    data = known.with_columns(
        change=(pl.col("value") - first) / (1024 if is_bytes else 1),
        shown=(pl.col("value") - first).map_elements(
            format_bytes if is_bytes else "{:+,}".format, return_dtype=pl.String
        ),
    )
    x = alt.X(
        "n_calls:Q",
        scale=alt.Scale(domain=[0, max(n_calls, 1)], nice=False),
        axis=alt.Axis(title="calls", tickCount=5, grid=False, format=",d", labelFlush=False),
    )
    y = alt.Y(
        "change:Q",
        scale=alt.Scale(domain=_domain(data["change"], counter, is_bytes=is_bytes), nice=False),
        axis=alt.Axis(
            title="change, KiB" if is_bytes else "change",
            tickCount=4,
            format=",.0f",
            domain=False,
            minExtent=44,
        ),
    )
    course = Course(row["course"])
    colour = theme.GREY if row["is_witness"] else _LINE.get(course, theme.MEMORY)
    base = alt.Chart(data)
    line = base.mark_line(color=colour, strokeWidth=1.8).encode(x=x, y=y)
    dots = base.mark_point(filled=True, size=16, color=colour, opacity=0.9).encode(
        x=x, y=y, tooltip=[alt.Tooltip("n_calls:Q", title="calls"), alt.Tooltip("shown:N", title="change")]
    )
    ink = theme.GREY if row["is_witness"] else _INK.get(course, theme.BLACK)
    words = alt.TitleParams(
        _NAMES[counter],
        subtitle=_said(row, is_cleared=_is_cleared(readings)),
        fontSize=13,
        subtitleFontSize=12,
        subtitleColor=ink,
        offset=4,
    )
    return alt.LayerChart(layer=[*_tint(data, x), line, dots], width=width, height=_PANEL_HEIGHT, title=words)


def _tint(data: pl.DataFrame, x: alt.X) -> list[alt.Chart]:
    clearing = data.filter("is_clearing")["n_calls"]
    if clearing.is_empty():
        return []
    span = pl.DataFrame({"n_calls": [clearing.min()], "until": [clearing.max()]})
    return [alt.Chart(span).mark_rect(color=theme.PHASES[1], opacity=0.6).encode(x=x, x2="until:Q")]


def _domain(change: pl.Series, counter: str, *, is_bytes: bool) -> list[float]:
    low, high = float(str(change.min())), float(str(change.max()))
    least = _LEAST_SPAN.get(counter, 10) / (1024 if is_bytes else 1)
    room = max(high - low, least) * (_HEADROOM - 1)
    if high - low >= least:
        return [low - room, high + room]
    middle = (high + low) / 2
    return [middle - least / 2 - room, middle + least / 2 + room]


def _said(row: dict[str, Any], *, is_cleared: bool) -> str:
    per_call, course = row["per_call"], Course(row["course"])
    if course is not Course.RISING:
        said = "no clear course of its own" if course is Course.UNCLEAR else str(course)
        return f"{said} while caches were being cleared" if is_cleared else said
    if row["counter"].endswith("_bytes"):
        return f"{course}: {per_call:,.0f} B a call"
    return f"{course}: {per_call:,.2f} a call"
