"""Who holds how much, and along which references?  An icicle of retained size, and the way from a holder down."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from diagtools.errors import NoDataError
from diagtools.present import theme
from diagtools.present.charts import compact, zooming
from diagtools.present.charts.icicle import coloured, kept_nodes, limits_said, stage_of, zoomable
from diagtools.present.charts.zooming import Stage
from diagtools.present.names import fitted, wrapped
from diagtools.present.sizes import share_expression, share_text, size_expression
from diagtools.units import format_bytes, format_share

_MARGIN_PX = 24
_READING = (
    "below the whole stand its holders, below each what it refers to, by type; free is what lies deeper"
)
_HINT = "diagtools record --holders -- CMD"

_BOX_PX, _GAP_PX, _STEP_PX = 28, 16, 40
_LEAST_BOX_PX, _MOST_BOX_PX = 320, 520
_PAD_PX, _SIZE_PX = 10, 12
_FILL, _SHARED_FILL = "#CFE3F1", "#F2C879"
_MOST_HOLDERS = 6


def holder_icicle_chart(
    icicle: pl.DataFrame, *, title: str | None = None, width: int = 980
) -> alt.LayerChart:
    """Who holds how much of what the program's objects take, and what is it?

    ``icicle`` is ICICLE of ``analyse.holders.icicle``.  A click makes a node as wide as the chart.  Raises
    ``NoDataError`` where there are no objects.
    """
    if icicle.height < 2 or not icicle["total_size"][0]:
        raise NoDataError("There are no objects to draw.", hint=_HINT)
    kept = kept_nodes(icicle.with_columns(size="total_size", n="total_n"), ["n"])
    stage = stage_of(icicle, kept.nodes, width - _MARGIN_PX)
    places, color = coloured(kept)
    return zoomable(
        kept,
        places,
        stage,
        drawn=zooming.icicle(stage, color, zooming.zoom()),
        told=[zooming.tip(_told(stage))],
        title=title or holder_icicle_title(icicle),
        subtitle=f"{_READING} · {limits_said(icicle, kept, stage)}",
    )


def holder_icicle_title(icicle: pl.DataFrame) -> str:
    """Who holds most, in one sentence?"""
    whole = icicle.row(0, named=True)
    first = icicle.filter(pl.col("depth") == 1).row(0, named=True)
    held = f"{format_bytes(first['total_size'])} of {format_bytes(whole['total_size'])}"
    verb = "hold" if " + " in first["name"] else "holds"
    return f"{compact.shown(first['name'])} {verb} {held} of Python objects"


def _told(stage: Stage) -> dict[str, str]:
    return {
        "what": "datum.name",
        "holder": "datum.group",
        "with all it holds": size_expression("datum.size", stage.unit),
        "of the whole": share_expression("datum.size", stage.whole),
        "objects": "format(datum.n, ',')",
    }


def holder_path_chart(
    holders: pl.DataFrame, *, n: int = _MOST_HOLDERS, title: str | None = None, width: int = 980
) -> alt.LayerChart:
    """Along which references does each of the largest holders keep its objects alive?

    ``holders`` is HOLDERS.  A row a holder: its name, filled by its share, then a box a step down to where most of it
    lies.  Who holds the same objects stands in the holder's box.  Raises ``NoDataError`` where there are none.
    """
    if holders.is_empty() or not holders["retained_bytes"].sum():
        raise NoDataError("There are no holders to draw.", hint=_HINT)
    sheet = _rows(holders, n, width - 28)
    base = alt.Chart(pl.DataFrame(sheet, infer_schema_length=None))
    height = max(row["bottom"] for row in sheet)
    across = alt.Scale(domain=[0, width - 28], nice=False)
    down = alt.Scale(domain=[height, 0], nice=False)
    x, right = alt.X("left:Q", scale=across, axis=None), alt.X("right:Q", scale=across, axis=None)
    y, middle = alt.Y("top:Q", scale=down, axis=None), alt.Y("middle:Q", scale=down, axis=None)
    tooltip = [
        alt.Tooltip("name:N", title="what"),
        alt.Tooltip("size:N", title="holds"),
        alt.Tooltip("path:N", title="way"),
    ]
    fill = alt.Color("fill:N", scale=None)
    edge = base.mark_rect(fillOpacity=0, stroke=theme.BASELINE_BAR, strokeWidth=1)
    chart = alt.LayerChart(
        layer=[
            base.mark_rect().encode(x=x, x2="filled:Q", y=y, y2="bottom:Q", color=fill),
            edge.encode(x=x, x2="right:Q", y=y, y2="bottom:Q", tooltip=tooltip),
            base.mark_text(align="left", baseline="middle", dx=_PAD_PX, fontSize=_SIZE_PX).encode(
                x=x, y=middle, text="label:N", tooltip=tooltip
            ),
            base.transform_filter("datum.size != ''")
            .mark_text(align="right", baseline="middle", dx=-_PAD_PX, fontSize=_SIZE_PX, fontWeight="bold")
            .encode(x=right, y=middle, text="size:N"),
        ],
        width=width - 28,
        height=height,
        title=alt.TitleParams(
            wrapped(title or holder_path_title(holders), width - 20, theme.TITLE_SIZE, bold=True),
            subtitle=[
                "filled: the share of all objects; below: the references down to where most of it lies"
            ],
        ),
    )
    return theme.dressed(chart)


def holder_path_title(holders: pl.DataFrame) -> str:
    """Who holds most, and which share of the whole, in one sentence?"""
    first, whole = holders.row(0, named=True), int(holders["retained_bytes"].sum())
    names = " + ".join([first["root"], *first["shared_with"]])
    share = format_share(first["retained_bytes"] / whole)
    verb = "together hold" if first["shared_with"] else "holds"
    return f"{compact.shown(names)} {verb} {format_bytes(first['retained_bytes'])}, {share} of all objects"


def _rows(holders: pl.DataFrame, n: int, width: int) -> list[dict[str, Any]]:
    whole = int(holders["retained_bytes"].sum())
    found: list[dict[str, Any]] = []
    top = 0
    for row in holders.head(n).to_dicts():
        share = row["retained_bytes"] / whole
        size = f"{format_bytes(row['retained_bytes'])} · {share_text(row['retained_bytes'], whole)}"
        names = " + ".join([row["root"], *row["shared_with"]])
        fill = _SHARED_FILL if row["shared_with"] else _FILL
        found.append(
            _box(names, row["path"], size, 0, width, top, fill) | {"filled": round(share * width, 1)}
        )
        steps = _steps(row)
        left = _STEP_PX
        for step in steps:
            top += _BOX_PX
            box = _box(step, row["path"], "", left, min(left + _MOST_BOX_PX, width), top, theme.WHITE)
            found.append(box)
            left = min(left + _STEP_PX, width - _LEAST_BOX_PX)
        top += _BOX_PX + _GAP_PX
    return found


def _steps(row: dict[str, Any]) -> list[str]:
    """The parts of the path after the holder's own name: an attribute, then types."""
    rest = str(row["path"]).removeprefix(row["root"])
    return [compact.shown(part.strip()) for part in rest.split(" → ") if part.strip()]


def _box(name: str, path: str, size: str, left: int, right: int, top: int, fill: str) -> dict[str, Any]:
    safe = compact.shown(name)
    room = right - left - 2 * _PAD_PX - (150 if size else 0)
    return {
        "name": safe,
        "label": fitted(safe, room, _SIZE_PX),
        "path": compact.shown(path),
        "size": size,
        "left": left,
        "right": right,
        "filled": left,
        "top": top,
        "middle": top + _BOX_PX / 2,
        "bottom": top + _BOX_PX - 2,
        "fill": fill,
    }
