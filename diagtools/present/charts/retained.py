"""What would each import statement save if it were lazy, and what did it save when that was tried?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from types import MappingProxyType
from typing import Any

import altair as alt
import polars as pl

from diagtools.errors import NoDataError
from diagtools.present import theme
from diagtools.present.charts.memory import MIB, memory_ticks, tick_format
from diagtools.present.charts.placing import ONE_ROW, at_px, text_at
from diagtools.present.imports import place
from diagtools.present.names import fitted, from_left, printable, wrapped
from diagtools.units import format_bytes

_STATEMENT_PX = 275
_VALUE_PX = 135
_VERDICT_PX = 205
_TOP_PX = 8
_BAR_PX = 12
_LANE_PX = 18
_LINE_PX = 14
_SMALL = 11
_MOST_LINES = 3
_MOST_PLACES = 3
_LEAST_PLOT_PX = 120
_LEAST_MIB = 1.0  # less is no saving worth a scale of its own
_LEAST_RANGE = 0.008  # of the axis: a shorter line would only be a blot
_TITLE_PLACE_PX = 380

_SAVED = "#00694D"
_AMBER = "#8A5A00"
_DASH = "M-1,0L1,0"
_INKS = MappingProxyType(
    {"saves": _SAVED, "partly": _AMBER, "forced": theme.DEATH_INK, "breaks": theme.DEATH_INK}
)
_SHAPES = MappingProxyType(
    {"saves": "M-1,0.1L-0.3,0.8L1,-0.8", "partly": "circle", "forced": theme.CROSS, "breaks": theme.CROSS}
)
#: What a verdict means where nobody is named.
_REASONS = MappingProxyType(
    {
        "saves": "unused in these runs",
        "partly": "unused in these runs, but some of it came another way",
        "forced": "unused, but all of it came another way",
        "breaks": "the program ends differently with it lazy",
        "not tested": "the statement was not reached",
        "not allowed": "it cannot be lazy there",
    }
)


def retained_chart(verified: pl.DataFrame, *, title: str | None = None, width: int = 980) -> alt.LayerChart:
    """What was each import statement predicted to save if it were lazy, and what did it save, while unused?

    ``verified`` is VERIFIED_IMPORTS, drawn largest prediction first.  The hollow bar is the prediction, the solid one
    what was measured, the thin line its range over the pairs.  The verdict stands in word, sign and colour, with who
    forced it.  Raises ``NoDataError`` where no statement was tried.
    """
    if verified.is_empty():
        raise NoDataError("No import statement was verified.", hint="diagtools imports json --verify 3")
    ranked = verified.sort("predicted_anon_bytes", descending=True, maintain_order=True)
    sheet = _Sheet.of([_Row.of(row) for row in ranked.iter_rows(named=True)], width)
    layers = [*_separators(sheet), *_bars(sheet)]
    for row, top in zip(sheet.rows, sheet.row_tops, strict=True):
        layers += _texts(row, top, sheet.plot_px)
    chart = alt.LayerChart(
        layer=layers,
        width=sheet.plot_px,
        height=sheet.height,
        title=alt.TitleParams(
            wrapped(title or retained_title(ranked), width - 20, theme.TITLE_SIZE, bold=True),
            subtitle=[
                "hollow: what only this statement leads to, predicted from the import graph",
                "solid: measured with it lazy, saved while unused; the thin line is the range over the pairs of runs",
            ],
        ),
    )
    return theme.dressed(chart)


def retained_title(verified: pl.DataFrame) -> str:
    """Which lazy statement saved most, and how many predictions held, in one sentence?"""
    n = verified.height
    held = verified.filter(pl.col("verdict") == "saves").height
    saving = verified.filter(pl.col("verdict").is_in(["saves", "partly"])).drop_nulls("measured_anon_bytes")
    if saving.is_empty():
        return (
            f"None of the {n} predicted savings came true"
            if n > 1
            else "The predicted saving did not come true"
        )
    best = saving.sort("measured_anon_bytes", descending=True).row(0, named=True)
    where = fitted(_where(best), _TITLE_PLACE_PX, theme.TITLE_SIZE, bold=True)
    how = "imported where it is used" if best["refused"] else "made lazy"
    saved = f"{where} {how} saves {format_bytes(best['measured_anon_bytes'])} while unused"
    if n == 1:
        return f"{saved}; {format_bytes(best['predicted_anon_bytes'])} were predicted"
    return f"{saved}; {held} of {n} predictions held"


def _where(row: dict[str, Any]) -> str:
    return f"{place(row['file'])}:{row['line']}" if row["line"] else place(row["file"])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One statement in words, and its numbers; a program that breaks has saved nothing."""

    where: str
    imports: str
    predicted_bytes: int
    measured_bytes: int | None
    low_bytes: int | None
    high_bytes: int | None
    verdict: str
    reason: Sequence[str]

    @classmethod
    def of(cls, row: dict[str, Any]) -> _Row:
        is_measured = row["measured_anon_bytes"] is not None and row["verdict"] != "breaks"
        return cls(
            where=_where(row),
            imports=("imports " if row["line"] else "")
            + ", ".join(printable(name) for name in row["imports"]),
            predicted_bytes=row["predicted_anon_bytes"],
            measured_bytes=row["measured_anon_bytes"] if is_measured else None,
            low_bytes=row["low_anon_bytes"] if is_measured else None,
            high_bytes=row["high_anon_bytes"] if is_measured else None,
            verdict=row["verdict"],
            reason=_reason(row),
        )

    @property
    def sizes(self) -> list[int]:
        """Every size that is drawn."""
        sizes = (self.predicted_bytes, self.measured_bytes, self.low_bytes, self.high_bytes)
        return [size for size in sizes if size is not None]

    @property
    def measured(self) -> str:
        """What was measured, in words; what was forced has saved nothing, whatever the noise."""
        if self.measured_bytes is None:
            return "no saving" if self.verdict == "breaks" else "not measured"
        return f"{format_bytes(self.measured_bytes)} measured"

    @property
    def height(self) -> int:
        """How high is the row, so that all its words have room?"""
        return 20 + max(2 * _LANE_PX, _LINE_PX + 3 + _LINE_PX * len(self.reason))


def _reason(row: dict[str, Any]) -> list[str]:
    """Who forced it, or why it could not be lazy, in lines that fit."""
    if row["forced_by"]:
        return _forced_by([place(one) for one in row["forced_by"]])
    said = printable(row["note"]) or _REASONS.get(row["verdict"], "")
    lines = wrapped(said, _VERDICT_PX - 4, _SMALL)
    if len(lines) > _MOST_LINES:
        rest = " ".join(lines[_MOST_LINES - 1 :])
        lines = [*lines[: _MOST_LINES - 1], fitted(rest, _VERDICT_PX - 4, _SMALL)]
    return lines


def _forced_by(places: Sequence[str]) -> list[str]:
    """The first places that used a name; a long path loses its beginning."""
    shown = [from_left(one, _VERDICT_PX - 24, _SMALL) for one in places[:_MOST_PLACES]]
    lines = [f"{'by' if not number else 'and'} {one}" for number, one in enumerate(shown)]
    left = len(places) - len(shown)
    return [*lines, f"and {left} more"] if left else lines


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """The measures of the picture: a row a statement, texts left and right of a plot of two bars a row."""

    rows: Sequence[_Row]
    plot_px: int
    low_mib: float
    top_mib: float
    row_tops: Sequence[float]
    height: float

    @classmethod
    def of(cls, rows: Sequence[_Row], width: int) -> _Sheet:
        sizes = [size / MIB for row in rows for size in row.sizes]
        *tops, height = accumulate((row.height for row in rows), initial=_TOP_PX)
        top = max(_LEAST_MIB, *sizes) * 1.02
        return cls(
            rows=rows,
            plot_px=max(width - _STATEMENT_PX - _VALUE_PX - _VERDICT_PX - 27, _LEAST_PLOT_PX),
            low_mib=min(0.0, *sizes),
            top_mib=top,
            row_tops=tops,
            height=height,
        )

    def x(self, field: str) -> alt.X:
        """The axis of memory; below zero only where one lazy statement cost memory."""
        axis = alt.Axis(
            title="memory of its own (anonymous), MiB",
            values=memory_ticks(self.top_mib, 5),
            format=tick_format(self.top_mib),
            labelFlush=False,
            domain=False,
            ticks=False,
        )
        scale = alt.Scale(domain=[self.low_mib, self.top_mib], nice=False)
        return alt.X(f"{field}:Q", scale=scale, axis=axis)

    def y(self, field: str) -> alt.Y:
        """Pixels from the top."""
        return alt.Y(f"{field}:Q", scale=alt.Scale(domain=[self.height, 0], nice=False), axis=None)


def _lane_y(top: float, lane: int) -> float:
    """Where is the middle of this bar: predicted (0), measured (1)?"""
    return top + 16 + lane * _LANE_PX


def _bars(sheet: _Sheet) -> list[alt.Chart]:
    placed = zip(sheet.rows, sheet.row_tops, strict=True)
    rows = [bar for row, top in placed for bar in _pair(sheet, row, top)]
    base = alt.Chart(pl.DataFrame(rows, infer_schema_length=None))
    tooltip = [
        alt.Tooltip("where:N", title="statement"),
        alt.Tooltip("imports:N"),
        alt.Tooltip("what:N", title="bar"),
        alt.Tooltip("size:N", title="anonymous memory"),
        alt.Tooltip("range:N", title="over the pairs"),
        alt.Tooltip("verdict:N"),
    ]
    bars = base.mark_rect(cornerRadius=1, strokeWidth=1.2).encode(
        x=sheet.x("mib"),
        x2=alt.datum(0),
        y=sheet.y("top"),
        y2="bottom:Q",
        color=alt.Color("fill:N", scale=None),
        stroke=alt.Stroke("edge:N", scale=None),
        tooltip=tooltip,
    )
    ranged = base.transform_filter("isValid(datum.low)")
    whisker = ranged.mark_rule(color=theme.BLACK, strokeWidth=2)
    zero = alt.Chart(pl.DataFrame({"zero": [0.0]})).mark_rule(color=theme.PALE)
    return [
        bars,
        whisker.encode(x=sheet.x("low"), x2="high:Q", y=sheet.y("middle")),
        *(
            ranged.mark_tick(color=theme.BLACK, thickness=2, size=8, orient="vertical").encode(
                x=sheet.x(end), y=sheet.y("middle")
            )
            for end in ("low", "high")
        ),
        zero.encode(x=sheet.x("zero")),
    ]


def _pair(sheet: _Sheet, row: _Row, top: float) -> list[dict[str, Any]]:
    """The hollow bar and, where something was measured, the solid one with its range."""
    known = {"where": row.where, "imports": row.imports, "verdict": row.verdict}
    hollow = {"what": "predicted", "fill": theme.WHITE, "edge": theme.BASELINE_BAR, "range": "a prediction"}
    lanes = [{**known, **hollow, **_lane(top, 0, row.predicted_bytes), "low": None, "high": None}]
    if row.measured_bytes is not None:
        color = theme.MEMORY if row.verdict in ("saves", "partly") else theme.BASELINE_BAR
        solid = {"what": "measured, while unused", "fill": color, "edge": color}
        lanes.append({**known, **solid, **_lane(top, 1, row.measured_bytes), **_range(sheet, row)})
    return lanes


def _range(sheet: _Sheet, row: _Row) -> dict[str, Any]:
    """Over the pairs of runs: in words, and as the ends of a line where that is long enough to be seen."""
    if row.low_bytes is None or row.high_bytes is None:
        return {"range": "not known", "low": None, "high": None}
    low, high = row.low_bytes / MIB, row.high_bytes / MIB
    is_seen = high - low > _LEAST_RANGE * (sheet.top_mib - sheet.low_mib)
    return {
        "range": f"{format_bytes(row.low_bytes)} to {format_bytes(row.high_bytes)}",
        "low": round(low, 4) if is_seen else None,
        "high": round(high, 4) if is_seen else None,
    }


def _lane(top: float, lane: int, size: int) -> dict[str, Any]:
    y = _lane_y(top, lane)
    return {
        "mib": round(size / MIB, 4),
        "size": format_bytes(size),
        "top": y - _BAR_PX / 2,
        "middle": y,
        "bottom": y + _BAR_PX / 2,
    }


def _texts(row: _Row, top: float, plot_px: float) -> list[alt.Chart]:
    """The words of one row: the statement, its two values, the verdict and why."""
    left, value_x, verdict_x = -_STATEMENT_PX, plot_px + 12, plot_px + _VALUE_PX
    ink = _INKS.get(row.verdict, theme.GREY)
    where = from_left(row.where, _STATEMENT_PX - 14, theme.LABEL_SIZE, bold=True)
    imports = fitted(row.imports, _STATEMENT_PX - 14, _SMALL)
    is_saved = row.verdict in ("saves", "partly")
    charts = [
        text_at(left, _lane_y(top, 0), where, bold=True),
        text_at(left, _lane_y(top, 1), imports, color=theme.GREY, size=_SMALL),
        text_at(value_x, _lane_y(top, 0), f"{format_bytes(row.predicted_bytes)} predicted", color=theme.GREY),
        text_at(value_x, _lane_y(top, 1), row.measured, color=theme.BLACK if is_saved else theme.GREY),
        at_px(verdict_x + 5, _lane_y(top, 0)).mark_point(
            shape=_SHAPES.get(row.verdict, _DASH), size=80, stroke=ink, strokeWidth=2.5, opacity=1
        ),
        text_at(verdict_x + 16, _lane_y(top, 0), row.verdict, color=ink, size=13, bold=True),
    ]
    for number, line in enumerate(row.reason):
        charts.append(
            text_at(verdict_x, _lane_y(top, 1) + number * _LINE_PX, line, color=theme.GREY, size=_SMALL)
        )
    return charts


def _separators(sheet: _Sheet) -> list[alt.Chart]:
    rule = alt.Chart(ONE_ROW).mark_rule(color=theme.GRID, strokeWidth=1)
    right = sheet.plot_px + _VALUE_PX + _VERDICT_PX
    return [
        rule.encode(x=alt.value(-_STATEMENT_PX), x2=alt.value(right), y=alt.value(top))
        for top in sheet.row_tops
    ]
