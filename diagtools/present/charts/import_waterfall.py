"""When did each import run, and how did the memory rise meanwhile?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

from diagtools.errors import NoDataError
from diagtools.present import theme
from diagtools.present.charts.memory import MIB, dot, memory_ticks, tick_format
from diagtools.present.charts.placing import Box, Canvas, Label, drawn
from diagtools.present.names import fitted, printable, text_px, wrapped
from diagtools.units import format_bytes, format_seconds

_AXIS_PX = 76
_STAIRCASE_PX = 180
_HEADROOM_PX = 30
_ROW_PX = 22
_LEAST_BAR_PX = 2.0
_EDGED_PX = 4  # narrower bars have no white edge, it would hide them
_LEAST_MIB = 1.0  # less is no rise worth a scale of its own
_LEGEND_PX = 84
_LABEL_PX = 60  # narrower bars bear no shortened name
_NAME_PX = 190  # of a name beside its bar
_RISE_PX = 230  # of a name beside a rise
_DEEPEST = 16
_SHORTEST_S = 1e-4
_IN_MS = 0.1  # up to here the axis counts milliseconds
_N_RISES = 3
_NS = 1e-9  # both frames hold the times of the same events, rounded each in its own way
_RISE_SHARE = 0.08  # of the memory axis: smaller rises bear no name
_OTHERS = "others"


def import_waterfall_chart(
    waterfall: pl.DataFrame, staircase: pl.DataFrame, *, title: str | None = None, width: int = 980
) -> alt.VConcatChart:
    """When did each import run, and how did the memory rise meanwhile?

    ``waterfall`` is IMPORT_WATERFALL, ``staircase`` IMPORT_STAIRCASE.  Above, the anonymous memory since the start;
    below, a bar an import, and under it what it imported meanwhile.  The packages that take most have a colour each.
    Raises ``NoDataError`` where nothing was imported.
    """
    if waterfall.height < 2 or staircase.is_empty():
        raise NoDataError("There are no imports to draw.", hint="diagtools imports json")
    sheet = _Sheet.of(waterfall, staircase, width)
    words = alt.TitleParams(
        wrapped(title or import_waterfall_title(waterfall), width - 20, theme.TITLE_SIZE, bold=True),
        subtitle=[
            "above: anonymous memory since the start, as seen at each begin and end of an import",
            f"below: when each module ran; under it stands what it imported meanwhile{_left_out(waterfall)}",
        ],
    )
    panels = [_memory_panel(sheet, waterfall, staircase), _bars_panel(sheet, waterfall)]
    return theme.dressed(alt.vconcat(*panels, spacing=8, title=words))


def import_waterfall_title(waterfall: pl.DataFrame) -> str:
    """How long did it take, what does it hold, and which module took longest itself, in one sentence?"""
    whole = waterfall.row(0, named=True)
    modules = waterfall.filter(pl.col("depth") > 0)
    slowest = modules.sort("self_wall_s", descending=True, maintain_order=True).row(0, named=True)
    held = whole["total_anon_bytes"]
    memory = f"give {format_bytes(-held)} back" if held < 0 else f"hold {format_bytes(held)}"
    return (
        f"The imports take {format_seconds(whole['end_s'])} and {memory}; "
        f"the slowest module, {printable(slowest['module'])}, takes {format_seconds(slowest['self_wall_s'])} itself"
    )


def _left_out(waterfall: pl.DataFrame) -> str:
    """What is not among the bars?  Without small modules the self times do not sum to the whole."""
    missing = waterfall["total_wall_s"][0] - waterfall["self_wall_s"].sum()
    small = ["small ones"] if missing > 1e-9 * waterfall.height else []
    deeper = waterfall.filter(pl.col("depth") > _DEEPEST).height
    deep = [f"{deeper} below row {_DEEPEST}"] if deeper else []
    return f" ({' and '.join([*small, *deep])} left out)" if small or deep else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """The measures that both panels share: pixels, seconds, and what the memory axis spans."""

    width: int
    end_s: float
    low_mib: float
    top_mib: float

    @classmethod
    def of(cls, waterfall: pl.DataFrame, staircase: pl.DataFrame, width: int) -> _Sheet:
        ends = [*waterfall["end_s"], *staircase["t_s"]]
        mib = [n_bytes / MIB for n_bytes in staircase["anon_bytes"]]
        low = min(0.0, *mib)
        return cls(
            width=width - _AXIS_PX - 32,
            end_s=max(_SHORTEST_S, *ends),
            low_mib=low,
            top_mib=max(low + _LEAST_MIB, *mib),
        )

    def x_px(self, t_s: float) -> float:
        """Where on the x axis is this time?"""
        return t_s / self.end_s * self.width

    def y_px(self, mib: float) -> float:
        """Where on the memory axis is this size?"""
        share = (mib - self.low_mib) / (self.top_mib - self.low_mib)
        return _STAIRCASE_PX - share * (_STAIRCASE_PX - _HEADROOM_PX)

    def x(self, field: str, *, labels: bool) -> alt.X:
        """The time axis; only the lower panel labels it."""
        in_ms = self.end_s < _IN_MS
        axis = alt.Axis(
            title=f"time since the start, {'ms' if in_ms else 's'}" if labels else None,
            labelExpr="format(datum.value * 1000, '.3~f')" if in_ms else "datum.label",
            labels=labels,
            ticks=labels,
            domain=labels,
            tickCount=10,
            labelFlush=False,
        )
        return alt.X(f"{field}:Q", scale=alt.Scale(domain=[0, self.end_s], nice=False), axis=axis)

    def y(self) -> alt.Y:
        """The memory axis; below zero only where the program held less than at its start."""
        span = self.top_mib - self.low_mib
        top = self.low_mib + span * _STAIRCASE_PX / (_STAIRCASE_PX - _HEADROOM_PX)
        ticks = memory_ticks(span)
        step = ticks[1] if len(ticks) > 1 else span
        first = int(self.low_mib / step)
        axis = alt.Axis(
            title=["anonymous memory", "since the start, MiB"],
            values=[index * step for index in range(first, int(self.top_mib / step + 1e-9) + 1)],
            format=tick_format(span),
            domain=False,
            ticks=False,
            minExtent=40,
        )
        return alt.Y("mib:Q", scale=alt.Scale(domain=[self.low_mib, top], nice=False), axis=axis)


def _memory_panel(sheet: _Sheet, waterfall: pl.DataFrame, staircase: pl.DataFrame) -> alt.LayerChart:
    rows = staircase.select(
        pl.col("t_s").round(6),
        mib=(pl.col("anon_bytes") / MIB).round(3),
        size=pl.col("anon_bytes").map_elements(format_bytes, return_dtype=pl.String),
    )
    base = alt.Chart(rows).encode(x=sheet.x("t_s", labels=False), y=sheet.y())
    tooltip = [
        alt.Tooltip("t_s:Q", title="time, s", format=",.3f"),
        alt.Tooltip("size:N", title="since the start"),
    ]
    layers = [
        base.mark_area(color=theme.MEMORY, opacity=0.14, interpolate="step-after").encode(y2=alt.datum(0)),
        base.mark_line(color=theme.MEMORY, strokeWidth=1.8, interpolate="step-after"),
        *_named_points(sheet, rows, _rises(sheet, waterfall, staircase)),
        base.mark_point(opacity=0, size=120).encode(tooltip=tooltip),
    ]
    return alt.LayerChart(layer=layers, width=sheet.width, height=_STAIRCASE_PX)


def _named_points(sheet: _Sheet, rows: pl.DataFrame, rises: Sequence[Label]) -> list[alt.Chart]:
    """The end, the peak where that was visibly above it, and the largest rises."""
    last = rows.row(-1, named=True)
    peak = rows.sort("mib", descending=True, maintain_order=True).row(0, named=True)
    named = [("at the end", last)]
    if peak["mib"] > max(0, last["mib"] + 0.02 * (sheet.top_mib - sheet.low_mib)):
        named.append(("at the peak", peak))
    spots = [(sheet.x_px(row["t_s"]), sheet.y_px(row["mib"])) for _, row in named]
    labels = [
        Label(
            lines=(f"{row['size']} {where}",),
            x=max(x - 3, 0),
            y=y,
            at=(("right", -1), ("left", -1), ("right", 1)),
        )
        for (where, row), (x, y) in zip(named, spots, strict=True)
    ]
    frame = Box(left=0, top=0, right=sheet.width, bottom=_STAIRCASE_PX)
    placed = Canvas(frame=frame, points=_curve(sheet, rows)).place([*labels, *rises])
    return [*(dot(x, y) for x, y in spots), *drawn(placed)]


def _rises(sheet: _Sheet, waterfall: pl.DataFrame, staircase: pl.DataFrame) -> list[Label]:
    """The largest rises between two events, each with the innermost import that was drawn and ran meanwhile."""
    steps = staircase.select(
        "t_s",
        "anon_bytes",
        before_s=pl.col("t_s").shift(1),
        rise=pl.col("anon_bytes").diff(),
    ).filter(pl.col("rise") > _RISE_SHARE * (sheet.top_mib - sheet.low_mib) * MIB)
    labels = []
    for step in steps.sort("rise", descending=True).head(_N_RISES).iter_rows(named=True):
        began = pl.col("begin_s") < step["before_s"] + _NS
        around = waterfall.filter(began & (pl.col("end_s") > step["t_s"] - _NS))
        inner = around.sort("depth").row(-1, named=True)
        name = fitted(inner["module"], _RISE_PX, theme.LABEL_SIZE)
        labels.append(
            Label(
                lines=(f"+{format_bytes(step['rise'])} in {name}",),
                x=sheet.x_px(step["t_s"]),
                y=sheet.y_px((step["anon_bytes"] - step["rise"] / 2) / MIB),
                at=(("right", 0), ("left", 0), ("right", -1), ("left", 1)),
                optional=True,
            )
        )
    return labels


def _curve(sheet: _Sheet, rows: pl.DataFrame) -> list[tuple[float, float]]:
    """Where the curve runs, a point every few pixels, so that labels keep clear of it."""
    times, sizes = rows["t_s"].to_list(), rows["mib"].to_list()
    found = []
    for begin, end, mib in zip(times, [*times[1:], sheet.end_s], sizes, strict=True):
        left, right = int(sheet.x_px(begin)), int(sheet.x_px(end))
        found += [(float(x), sheet.y_px(mib)) for x in range(left, right + 1, 6)]
    return found


def _bars_panel(sheet: _Sheet, waterfall: pl.DataFrame) -> alt.LayerChart:
    shown = waterfall.filter((pl.col("depth") > 0) & (pl.col("depth") <= _DEEPEST))
    packages = _largest(shown)
    rows = [row for level in shown.partition_by("depth") for row in _bars(sheet, level, packages)]
    depth = max(row["bottom"] for row in rows)
    scale = alt.Scale(domain=[0, depth], reverse=True, nice=False)
    groups = [*packages, *([_OTHERS] if any(row["group"] == _OTHERS for row in rows) else [])]
    legend_px = sum(text_px(group, theme.LABEL_SIZE) + 30 for group in groups)
    color = alt.Color(
        "group:N",
        scale=alt.Scale(domain=groups, range=[*theme.PACKAGES[: len(packages)], theme.PACKAGES_REST]),
        legend=alt.Legend(
            title=None, orient="top", columns=8, labelLimit=_LEGEND_PX if legend_px > sheet.width else 0
        ),
    )
    tooltip = [
        alt.Tooltip("module:N", title="module"),
        alt.Tooltip("began:N", title="began after"),
        alt.Tooltip("took:N", title="time with all"),
        alt.Tooltip("itself:N", title="time itself"),
        alt.Tooltip("held:N", title="memory with all"),
        alt.Tooltip("status:N", title="status"),
    ]
    x = sheet.x("begin_s", labels=True)
    base = alt.Chart(pl.DataFrame(rows, infer_schema_length=None))
    bars = base.mark_rect(strokeWidth=1).encode(
        x=x,
        x2="end_s:Q",
        y=alt.Y("top:Q", scale=scale, axis=None),
        y2="bottom:Q",
        color=color,
        stroke=alt.Stroke("edge:N", scale=None),
        tooltip=tooltip,
    )
    names = base.mark_text(align="left", baseline="middle", dx=4, fontSize=theme.LABEL_SIZE - 1).encode(
        x=sheet.x("name_s", labels=True),
        y=alt.Y("middle:Q", scale=scale, axis=None),
        text="label:N",
    )
    panel = alt.LayerChart(layer=[bars, names], width=sheet.width, height=_ROW_PX * depth)
    beside: alt.LayerChart = panel.resolve_scale(color="independent")  # the legend stands at the bars
    return beside


def _largest(shown: pl.DataFrame) -> list[str]:
    """Which packages have a colour: those that took most memory, then most time, themselves."""
    by_package = shown.group_by("package").agg(pl.col("self_anon_bytes").sum(), pl.col("self_wall_s").sum())
    ranked = by_package.sort("self_anon_bytes", "self_wall_s", "package", descending=[True, True, False])
    return [printable(name) for name in ranked["package"].head(len(theme.PACKAGES))]


def _bars(sheet: _Sheet, level: pl.DataFrame, packages: Sequence[str]) -> list[dict[str, Any]]:
    """The bars of one row, each with its name in it, or beside it where there is room up to the next."""
    found = level.sort("begin_s").rows(named=True)
    begins = [sheet.x_px(row["begin_s"]) for row in found]
    limits = [*begins[1:], float(sheet.width)]
    return [_bar(sheet, row, limit, packages) for row, limit in zip(found, limits, strict=True)]


def _bar(sheet: _Sheet, row: dict[str, Any], limit_px: float, packages: Sequence[str]) -> dict[str, Any]:
    left = sheet.x_px(row["begin_s"])
    right = min(max(sheet.x_px(row["end_s"]), left + _LEAST_BAR_PX), float(sheet.width))
    label, at_px = _name(row, left, right, limit_px)
    package = printable(row["package"])
    return {
        "module": printable(row["module"]),
        "package": package,
        "group": package if package in packages else _OTHERS,
        "begin_s": round(row["begin_s"], 6),
        "end_s": round(right / sheet.width * sheet.end_s, 6),
        "name_s": round(at_px / sheet.width * sheet.end_s, 6),
        "top": row["depth"] - 1,
        "middle": row["depth"] - 0.5,
        "bottom": row["depth"],
        "label": label,
        "edge": theme.DEATH if row["status"] != "ok" else theme.WHITE if right - left > _EDGED_PX else None,
        "began": format_seconds(row["begin_s"]),
        "took": format_seconds(row["total_wall_s"]),
        "itself": format_seconds(row["self_wall_s"]),
        "held": format_bytes(row["total_anon_bytes"]),
        "status": row["status"],
    }


def _name(row: dict[str, Any], left: float, right: float, limit_px: float) -> tuple[str, float]:
    """The name of a bar and where it begins: whole or its last part in the bar, else beside it, else none."""
    size = theme.LABEL_SIZE - 1
    mark = "" if row["status"] == "ok" else f" ({row['status']})"
    name = printable(row["module"])
    short = name.rpartition(".")[2] if row["depth"] > 1 else name
    inside, beside = right - left - 8, limit_px - right - 10
    for text in (name + mark, short + mark):
        if text_px(text, size) <= inside:
            return text, left
    for text in (name + mark, short + mark):
        if text_px(text, size) <= min(beside, _NAME_PX):
            return text, right
    return (fitted(short, inside, size), left) if inside > _LABEL_PX else ("", left)
