"""In which release did the number move?  The metric of those that were tried, and which were not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

import altair as alt
import polars as pl

from diagtools.analyse.amounts import plain
from diagtools.errors import NoDataError
from diagtools.present import theme
from diagtools.present.charts.memory import MIB
from diagtools.present.names import printable, wrapped

_HEIGHT = 260
_AXIS_PX = 90
_BAND_PX = 16
_NOT_TRIED, _KILLED = "not tried", "killed at the limit"
_MOST_LABELS = 24
_ROOM = 1.12  # above the highest value
_LATE = 0.7  # of the width: from there on a label stands left of its point
_ABOVE = 0.03  # of the height: a dash on the axis would be taken for a part of it
_LABEL_PX = 7  # of a letter of a release's name, drawn upright

_INKS = MappingProxyType(
    {
        "good": theme.MEMORY,
        "bad": theme.DEATH,
        "unclear": theme.FAILED,
        "cannot run": theme.GREY,
        _KILLED: theme.DEATH_INK,
        _NOT_TRIED: theme.PALE,
    }
)
_SHAPES = MappingProxyType(
    {
        "good": "circle",
        "bad": "square",
        "unclear": "diamond",
        "cannot run": "M-1,0L1,0",
        _KILLED: theme.CROSS,
        _NOT_TRIED: "M0,-1L0,0",
    }
)


def releases_chart(
    releases: pl.DataFrame, *, metric: str, title: str, candidates: Sequence[str] = (), width: int = 900
) -> alt.LayerChart:
    """What was the metric in each release that was tried, and where did it move?

    ``releases`` is RELEASES; ``candidates`` are those in which it may have moved: one where that is known.  A release
    that was not tried is a tick on the axis, one that cannot be run a dash, and a killed one stands at the top.  Raises
    ``NoDataError`` without releases.
    """
    if releases.is_empty():
        raise NoDataError("There are no releases to draw.", hint="bisect a package first.")
    rows = _rows(releases, metric)
    names = [row["release"] for row in rows]
    x = _x(names, [row["release"] for row in rows if row["is"] != _NOT_TRIED])
    base = alt.Chart(pl.DataFrame(rows, infer_schema_length=None)).encode(x=x)
    step_px = (width - _AXIS_PX) / len(rows)
    marked = [row for row in rows if row["release"] in {_name(one) for one in candidates}]
    layers = [*_moved(marked, step_px, x), _ranges(base), _points(base, rows, metric)]
    if len(marked) == 1:
        layers.append(_label(marked[0], x, is_late=rows.index(marked[0]) > len(rows) * _LATE))
    words = wrapped(printable(title), width - 20, theme.TITLE_SIZE, bold=True)
    subtitle = "each point is the median of the runs with that release, the line their range"
    chart = alt.LayerChart(
        layer=layers, width=width - _AXIS_PX, height=_HEIGHT, title=alt.TitleParams(words, subtitle=subtitle)
    )
    return theme.dressed(chart)


def _rows(releases: pl.DataFrame, metric: str) -> list[dict[str, Any]]:
    per = MIB if metric.endswith("_bytes") else 1
    values = [value / per for value in releases["high_value"].drop_nulls()]
    top = max([*values, 1e-9])
    rows = []
    for row in releases.iter_rows(named=True):
        known = {
            name: None if row[name] is None else row[name] / per
            for name in ("value", "low_value", "high_value")
        }
        what = row["side"] or _NOT_TRIED
        if known["value"] is None and row["n_killed"]:
            what, known["value"] = _KILLED, top * _ROOM
        rows.append(
            {
                "release": _name(row["release"]),
                "is": what,
                "y": top * _ABOVE if what == "cannot run" else known["value"] or 0.0,
                "low": known["low_value"],
                "high": known["high_value"],
                "runs": row["n_runs"],
                "note": printable(row["note"]),
            }
        )
    return rows


def _name(release: str) -> str:
    """Without what no release has in its name (PEP 440): Vega makes expressions of the names it sorts by."""
    return re.sub(r"[^A-Za-z0-9.+!_-]", "?", release)


def _x(names: list[str], tried: list[str]) -> alt.X:
    """All releases in order, equally far apart; where they are many, only those that were tried are named."""
    axis = alt.Axis(
        title="release, the oldest first",
        labelAngle=0 if len(names) * max(map(len, names)) * _LABEL_PX < 700 else -45,
        labelOverlap=False,
        values=names if len(names) <= _MOST_LABELS else tried,
        ticks=False,
    )
    return alt.X("release:N", sort=names, scale=alt.Scale(type="point", padding=0.6), axis=axis)


def _y(title: str = "") -> alt.Y:
    return alt.Y("y:Q", title=title, scale=alt.Scale(zero=True), axis=alt.Axis(domain=False, tickCount=5))


def _unit(metric: str) -> str:
    """The title of the axis, of plain signs: Vega makes an expression of it too, for those who hear the chart."""
    unit = ", MiB" if metric.endswith("_bytes") else ", s" if metric.endswith("_s") else ""
    return re.sub(r"[^\w .:+-]", "", plain(metric)) + unit


def _ranges(base: alt.Chart) -> alt.Chart:
    rule: alt.Chart = base.transform_filter("isValid(datum.low)").mark_rule(
        color=theme.BLACK, strokeWidth=1.5
    )
    return rule.encode(y=alt.Y("low:Q"), y2="high:Q")


def _points(base: alt.Chart, rows: list[dict[str, Any]], metric: str) -> alt.Chart:
    there = [what for what in _INKS if what in {row["is"] for row in rows}]
    inks = alt.Scale(domain=there, range=[_INKS[what] for what in there])
    shapes = alt.Scale(domain=there, range=[_SHAPES[what] for what in there])
    legend = alt.Legend(symbolStrokeWidth=2)
    points: alt.Chart = base.mark_point(size=110, filled=True, opacity=1, strokeWidth=2).encode(
        y=_y(_unit(metric)),
        color=alt.Color("is:N", scale=inks, legend=legend),
        stroke=alt.Stroke("is:N", scale=inks, legend=legend),
        shape=alt.Shape("is:N", scale=shapes, legend=legend),
        tooltip=[
            "release:N",
            "is:N",
            alt.Tooltip("y:Q", title="value", format=",.2f"),
            "runs:Q",
            "note:N",
        ],
    )
    return points


def _moved(marked: list[dict[str, Any]], step_px: float, x: alt.X) -> list[alt.Chart]:
    """A band over the releases in which the number may have moved."""
    if not marked:
        return []
    band = alt.Chart(pl.DataFrame({"release": [row["release"] for row in marked]}))
    wide = step_px if len(marked) > 1 else _BAND_PX
    return [band.mark_rule(color=theme.DEATH, strokeWidth=round(wide, 1), opacity=0.14).encode(x=x)]


def _label(row: dict[str, Any], x: alt.X, *, is_late: bool) -> alt.Chart:
    """What that release is, halfway up: points stand above and below."""
    kind = "bad" if row["is"] in ("bad", _KILLED) else row["is"]
    one = alt.Chart(pl.DataFrame({"release": [row["release"]]}))
    words: alt.Chart = one.mark_text(
        text=f"the first {kind} one",
        align="right" if is_late else "left",
        dx=-12 if is_late else 12,
        color=theme.DEATH_INK if kind == "bad" else theme.BLACK,
        fontWeight="bold",
        fontSize=theme.LABEL_SIZE,
    )
    return words.encode(x=x, y=alt.value(_HEIGHT / 2))
