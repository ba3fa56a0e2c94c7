"""How does memory grow, and which class of growth fits it?"""

from __future__ import annotations

import altair as alt
import polars as pl

from diagtools.analyse.growth import Growth
from diagtools.errors import NoDataError
from diagtools.present import theme
from diagtools.present.charts.memory import AXIS_PX, MIB, memory_ticks, tick_format
from diagtools.present.charts.placing import Align
from diagtools.present.names import ELLIPSIS, printable, text_px, wrapped
from diagtools.units import format_bytes, format_share

_HEIGHT = 260
_ROW_PX = 21
_NAME_PX = 140
_BAR_PX = 120
_SHARE_PX = 62
_EDGE_PX = 24
_TEXT_SIZE = 11
_HEADROOM = 1.06
_LOWEST_SHARE = 0.6  #: of the highest level: curves that stay above it are drawn from there, not from zero


def growth_chart(found: Growth, *, title: str | None = None, width: int = 900) -> alt.VConcatChart:
    """What was held after each item (dots), what the fitted class says (line), and the evidence of each class.

    Without ``title`` the chart says what was found.  Raises ``NoDataError`` where no item was measured.
    """
    if found.curve.is_empty():
        raise NoDataError(
            "There is no growth to draw: no item's memory was measured.",
            hint="mark items with diagtools.mark.item(), or ask for growth by time.",
        )
    words = alt.TitleParams(
        wrapped(printable(title or found.sentence), width - 20, theme.TITLE_SIZE, bold=True),
        subtitle=wrapped(_subtitle(found), width - 20, theme.SUBTITLE_SIZE),
    )
    panels = [_levels(found, width), _evidence(found.evidence, width)]
    return theme.dressed(alt.vconcat(*panels, spacing=18, title=words))


def _subtitle(found: Growth) -> str:
    what = "held after each item" if found.by == "item" else "held, as the median of each stretch of time"
    fits = found.curve["fitted_bytes"].null_count() < found.curve.height
    line = f" · line: {found.growth_class}, as fitted" if fits else ""
    doubts = "".join(f" · {one.what}: {one.note}" for one in found.validity)
    return f"dots: {what}{line}{doubts}"


def _levels(found: Growth, width: int) -> alt.LayerChart:
    rows = found.curve.select(
        at=pl.col("at").round(3),
        mib=(pl.col("level_bytes") / MIB).round(3),
        fitted=(pl.col("fitted_bytes") / MIB).round(3),
        level=pl.col("level_bytes").map_elements(format_bytes, return_dtype=pl.String),
    )
    low, high = _domain(rows)
    axis = alt.Axis(
        title="memory (RSS), MiB",
        values=[tick for tick in memory_ticks(high) if low <= tick <= high],
        format=tick_format(high),
        domain=False,
        ticks=False,
        minExtent=AXIS_PX - 22,
    )
    x = alt.X(
        "at:Q",
        scale=alt.Scale(nice=False, zero=False),
        axis=alt.Axis(title=_x_title(found), tickCount=10, grid=False, labelFlush=False),
    )
    y = alt.Y("mib:Q", scale=alt.Scale(domain=[low, high], nice=False), axis=axis)
    tooltip = [alt.Tooltip("at:Q", title=_x_title(found)), alt.Tooltip("level:N", title="held")]
    base = alt.Chart(rows).encode(x=x)
    dots = base.mark_point(filled=True, size=22, opacity=0.55, color=theme.MEMORY).encode(
        y=y, tooltip=tooltip
    )
    line = base.mark_line(color=theme.DEATH, strokeWidth=2.2, interpolate="linear").encode(
        y=alt.Y("fitted:Q", scale=alt.Scale(domain=[low, high], nice=False), axis=axis)
    )
    layers = [dots, line] if rows["fitted"].null_count() < rows.height else [dots]
    return alt.LayerChart(layer=layers, width=width - AXIS_PX - _EDGE_PX, height=_HEIGHT)


def _x_title(found: Growth) -> str:
    return "items that had ended" if found.by == "item" else "time since the start, s"


def _domain(rows: pl.DataFrame) -> tuple[float, float]:
    values = pl.concat([rows["mib"], rows["fitted"].drop_nulls()])
    low, high = min(values), max(values)
    room = (_HEADROOM - 1) * max(high - low, 1.0)
    return (max(low - room, 0.0) if low > _LOWEST_SHARE * high else 0.0), high + room


def _evidence(evidence: pl.DataFrame, width: int) -> alt.LayerChart:
    """One row a class: its share of the belief as a bar, and what speaks for or against it."""
    bars_from = _NAME_PX + 8
    text_from = bars_from + _BAR_PX + _SHARE_PX
    room = width - text_from - _EDGE_PX
    rows = pl.DataFrame(
        [_row(row, room) for row in evidence.iter_rows(named=True)], infer_schema_length=None
    ).with_row_index("place")
    y = alt.Y("place:O", axis=None, scale=alt.Scale(paddingInner=0.3, paddingOuter=0.2))
    tooltip = [alt.Tooltip("name:N", title="class"), alt.Tooltip("for:N"), alt.Tooltip("against:N")]
    base = alt.Chart(rows).encode(y=y, tooltip=tooltip)
    scale = alt.Scale(domain=[0, 1], range=[bars_from, bars_from + _BAR_PX], nice=False)
    bars = base.mark_bar(color=theme.MEMORY).encode(
        x=alt.X("score:Q", scale=scale, axis=None), x2=alt.datum(0)
    )

    def text(field: str, x: int, align: Align, color: str) -> alt.Chart:
        mark = base.mark_text(align=align, baseline="middle", fontSize=_TEXT_SIZE, color=color)
        column: alt.Chart = mark.encode(x=alt.value(x), text=field)
        return column

    columns = [
        text("name:N", _NAME_PX, "right", theme.BLACK),
        text("share:N", text_from - 14, "right", theme.BLACK),
        text("says:N", text_from, "left", theme.GREY),
    ]
    return alt.LayerChart(layer=[bars, *columns], width=width - _EDGE_PX, height=_ROW_PX * rows.height)


def _row(row: dict[str, object], room_px: int) -> dict[str, object]:
    speaks_for, against, score = str(row["for"]), str(row["against"]), row["score"]
    says = f"against: {against}" if against else speaks_for
    share = score if isinstance(score, float) else 0.0
    return {
        "name": row["growth_class"],
        "score": round(share, 4),
        "share": format_share(share) if share >= 0.0005 or not share else "< 0.1 %",
        "for": printable(speaks_for) or "nothing",
        "against": printable(against) or "nothing",
        "says": _begun(says, room_px),
    }


def _begun(text: str, room_px: float) -> str:
    """The beginning of a sentence that is no wider than this."""
    if text_px(text, _TEXT_SIZE) <= room_px:
        return text
    ends = (text[:end].rstrip() + ELLIPSIS for end in range(len(text) - 1, 0, -1))
    return next((one for one in ends if text_px(one, _TEXT_SIZE) <= room_px), ELLIPSIS)
