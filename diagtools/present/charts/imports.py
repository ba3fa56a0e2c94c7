"""Who imported whom, each as wide as the memory that came with it?"""

from __future__ import annotations

import altair as alt
import polars as pl

from diagtools.errors import NoDataError
from diagtools.present import theme
from diagtools.present.charts.memory import MIB, memory_ticks, tick_format
from diagtools.present.names import fitted, printable, text_px, wrapped
from diagtools.units import format_bytes, format_seconds

_ROW_PX = 22
_LABEL_PX = 26  # narrower ones bear no name
_LEAST_LABEL = 7  # characters of a cut name: fewer say nothing
_DEEPEST = 14


def icicle_chart(icicle: pl.DataFrame, *, title: str | None = None, width: int = 980) -> alt.LayerChart:
    """Who imported whom, and how much memory came with each?

    ``icicle`` is IMPORT_ICICLE.  Below each module stands what it imported; what is free below it is its own.  The
    packages that take most have a colour each.  Raises ``NoDataError`` where nothing was imported.
    """
    if icicle.height < 2:
        raise NoDataError("There are no imports to draw.", hint="diagtools imports json")
    whole = int(icicle["right_bytes"][0])
    shown = icicle.filter((pl.col("depth") > 0) & (pl.col("depth") <= _DEEPEST))
    plot_px = width - 24
    px = (pl.col("right_bytes") - pl.col("left_bytes")) * plot_px / max(whole, 1)
    shown = shown.with_columns(px=px, left=pl.col("left_bytes") / MIB, right=pl.col("right_bytes") / MIB)
    data = pl.DataFrame([_row(row) for row in shown.iter_rows(named=True)], infer_schema_length=None)
    packages = _largest(data)
    color = alt.Color(
        "package:N",
        scale=alt.Scale(
            domain=[*packages, "others"], range=[*theme.PACKAGES[: len(packages)], theme.PACKAGES_REST]
        ),
        legend=alt.Legend(title=None, orient="top", columns=8),
    )
    data = data.with_columns(
        package=pl.when(pl.col("package").is_in(packages)).then("package").otherwise(pl.lit("others"))
    )
    depth = int(shown["depth"].max() or 1)  # type: ignore[arg-type]
    y = alt.Y("top:Q", scale=alt.Scale(domain=[0, depth], reverse=True), axis=None)
    ticks = memory_ticks(whole / MIB, 8)
    x = alt.X(
        "left:Q",
        scale=alt.Scale(domain=[0, whole / MIB], nice=False),
        axis=alt.Axis(
            title="memory of its own (anonymous), MiB",
            values=ticks,
            format=tick_format(whole / MIB),
            grid=False,
        ),
    )
    tooltip = [
        alt.Tooltip("module:N", title="module"),
        alt.Tooltip("with_all:N", title="with all it imported"),
        alt.Tooltip("itself:N", title="itself"),
        alt.Tooltip("time:N", title="time with all"),
    ]
    base = alt.Chart(data)
    bars = base.mark_rect(stroke=theme.WHITE, strokeWidth=1).encode(
        x=x, x2="right:Q", y=y, y2="bottom:Q", color=color, tooltip=tooltip
    )
    labels = base.mark_text(
        align="left", baseline="middle", dx=4, fontSize=theme.LABEL_SIZE - 1, color=theme.BLACK
    ).encode(
        x=x, y=alt.Y("middle:Q", scale=alt.Scale(domain=[0, depth], reverse=True), axis=None), text="label:N"
    )
    chart = alt.LayerChart(
        layer=[bars, labels],
        width=plot_px,
        height=_ROW_PX * depth,
        title=alt.TitleParams(
            wrapped(title or icicle_title(icicle), width - 20, theme.TITLE_SIZE, bold=True),
            subtitle="below each module stands what it imported; what is free below it is its own",
        ),
    )
    return theme.dressed(chart)


def icicle_title(icicle: pl.DataFrame) -> str:
    """Which module brought most on its own, in one sentence?"""
    whole = int(icicle["total_anon_bytes"][0])
    modules = icicle.filter(pl.col("depth") > 0)
    dearest = modules.sort("self_anon_bytes", descending=True).row(0, named=True)
    return (
        f"The imports hold {format_bytes(whole)}; the dearest module, {printable(dearest['module'])}, "
        f"takes {format_bytes(dearest['self_anon_bytes'])} itself"
    )


def _largest(data: pl.DataFrame) -> list[str]:
    by_package = data.group_by("package").agg(pl.col("self_anon_bytes").sum())
    ranked = by_package.sort("self_anon_bytes", "package", descending=[True, False])
    return ranked["package"].head(len(theme.PACKAGES)).to_list()


def _row(row: dict[str, object]) -> dict[str, object]:
    px, depth = float(str(row["px"])), int(str(row["depth"]))
    name = printable(str(row["module"]))
    room = px - 8
    short = name.rpartition(".")[2] if depth > 1 else name
    label = next((text for text in (name, short) if _fits(text, room)), "")
    if not label and room > _LABEL_PX:
        cut = fitted(short, room, theme.LABEL_SIZE - 1)
        label = cut if len(cut) >= _LEAST_LABEL else ""
    return {
        "module": name,
        "package": printable(str(row["package"])),
        "self_anon_bytes": row["self_anon_bytes"],
        "left": row["left"],
        "right": row["right"],
        "top": depth - 1,
        "middle": depth - 0.5,
        "bottom": depth,
        "label": label,
        "with_all": format_bytes(int(str(row["total_anon_bytes"]))),
        "itself": format_bytes(int(str(row["self_anon_bytes"]))),
        "time": format_seconds(float(str(row["total_wall_s"]))),
    }


def _fits(text: str, room: float) -> bool:
    return room > _LABEL_PX and text_px(text, theme.LABEL_SIZE - 1) <= room
