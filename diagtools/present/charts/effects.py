"""Which theory held?  Each suspected cause with the peak as it was, the peak without it, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import altair as alt
import polars as pl

from diagtools.errors import NoDataError
from diagtools.present import theme
from diagtools.present.charts.memory import FAR, MIB, memory_ticks, tick_format
from diagtools.present.charts.placing import ONE_ROW, at_px
from diagtools.present.charts.theory_rows import (
    BAR_PX,
    LANE_PX,
    THEORY_PX,
    VALUE_PX,
    VERDICT_PX,
    lane_y,
    row_px,
    texts,
)
from diagtools.present.names import printable, wrapped
from diagtools.present.wording import measured
from diagtools.units import format_bytes
from diagtools.values import Effect, Verdict

_TOP_PX = 22  #: above the first row, for the limit's label


def theories_chart(
    effects: Sequence[Effect], *, limit_bytes: int | None = None, title: str | None = None, width: int = 980
) -> alt.LayerChart:
    """What did taking each suspected cause away do to the peak, and what does that say of the theory?

    Two bars a theory: as it was, and with the change.  The bar of killed runs reaches the limit, ends in a cross
    and is called a lower bound; a thin line shows the range over the runs.  Verdicts stand in words, sign and
    colour.  Raises ``NoDataError`` without effects.
    """
    if not effects:
        raise NoDataError("There are no theories to draw.", hint="run the experiment first.")
    sheet = _Sheet.of(effects, limit_bytes, width)
    layers = [*_separators(sheet), *_bars(sheet), *_limit(sheet)]
    for effect, top in zip(effects, sheet.row_tops, strict=True):
        layers += texts(effect, top, sheet.plot_px)
    words = wrapped(title or theories_title(effects), width - 20, theme.TITLE_SIZE, bold=True)
    subtitle = (
        "peak memory of the program as it was, and with the one change that takes the suspected cause away"
    )
    chart = alt.LayerChart(
        layer=layers,
        width=sheet.plot_px,
        height=sheet.height,
        title=alt.TitleParams(words, subtitle=subtitle),
    )
    return theme.dressed(chart)


def theories_title(effects: Sequence[Effect]) -> str:
    """What did the experiment say, in one sentence a verdict?"""
    said = []
    for verdict in Verdict:
        names = [effect.hypothesis.name for effect in effects if effect.verdict is verdict]
        if names:
            said.append(f"{verdict.capitalize()}: {'; '.join(names)}")
    return ". ".join(said)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """The measures of the picture: a row a theory, texts left and right of a plot of two bars a row."""

    effects: Sequence[Effect]
    limit_bytes: int | None
    plot_px: int
    top_mib: float
    row_tops: Sequence[float]
    height: float

    @classmethod
    def of(cls, effects: Sequence[Effect], limit_bytes: int | None, width: int) -> _Sheet:
        seen = [
            value
            for effect in effects
            for value in (effect.baseline_value, effect.variant_value)
            if _drawn(effect)
        ]
        top = max([value for value in seen if value], default=0.0)
        drawn_limit = limit_bytes if limit_bytes and limit_bytes <= FAR * max(top, 1) else None
        *tops, height = accumulate((row_px(effect) for effect in effects), initial=_TOP_PX)
        return cls(
            effects=effects,
            limit_bytes=drawn_limit,
            plot_px=max(width - THEORY_PX - LANE_PX - VALUE_PX - VERDICT_PX - 40, 120),
            top_mib=max(top, drawn_limit or 0, 1) / MIB * 1.02,
            row_tops=tops,
            height=height,
        )

    def x(self, field: str = "mib") -> alt.X:
        """The axis of memory."""
        axis = alt.Axis(
            title="peak memory, MiB",
            values=memory_ticks(self.top_mib, 4),
            format=tick_format(self.top_mib),
            labelFlush=False,
            domain=False,
            ticks=False,
        )
        return alt.X(f"{field}:Q", scale=alt.Scale(domain=[0, self.top_mib], nice=False), axis=axis)

    def y(self, field: str) -> alt.Y:
        """Pixels from the top."""
        return alt.Y(f"{field}:Q", scale=alt.Scale(domain=[self.height, 0], nice=False), axis=None)


def _drawn(effect: Effect) -> bool:
    """Is the metric a size, which the bars can show?"""
    return effect.hypothesis.metric.endswith("_bytes")


def _bars(sheet: _Sheet) -> list[alt.Chart]:
    placed = zip(sheet.effects, sheet.row_tops, strict=True)
    rows = [row for effect, top in placed for row in _pair(sheet, effect, top)]
    if not rows:
        return []
    base = alt.Chart(pl.DataFrame(rows, infer_schema_length=None))
    tooltip = [
        alt.Tooltip("theory:N"),
        alt.Tooltip("lane:N", title="run"),
        alt.Tooltip("value:N", title="peak"),
        alt.Tooltip("runs:N", title="runs"),
    ]
    bars = base.mark_rect(cornerRadius=1).encode(
        x=sheet.x(),
        x2=alt.datum(0),
        y=sheet.y("top"),
        y2="bottom:Q",
        color=alt.Color("color:N", scale=None),
        tooltip=tooltip,
    )
    range_line = base.transform_filter("isValid(datum.low)").mark_rule(color=theme.BLACK, strokeWidth=2)
    killed = base.transform_filter("datum.killed").mark_point(shape=theme.CROSS, size=90, opacity=1)
    at_end = killed.encode(x=sheet.x(), y=sheet.y("middle"))
    return [
        bars,
        range_line.encode(x=sheet.x("low"), x2="high:Q", y=sheet.y("middle")),
        at_end.mark_point(shape=theme.CROSS, size=110, stroke=theme.WHITE, strokeWidth=6, opacity=1),
        at_end.mark_point(shape=theme.CROSS, size=110, stroke=theme.DEATH, strokeWidth=3, opacity=1),
    ]


def _pair(sheet: _Sheet, effect: Effect, top: float) -> list[dict[str, Any]]:
    """The two bars of a theory; a killed run's bar reaches at least the limit."""
    if not _drawn(effect):
        return []
    base, spread = effect.baseline_value, (effect.low_share, effect.high_share)
    lanes = [
        ("as it was", base, effect.n_baseline_killed, effect.n_baseline, theme.BASELINE_BAR),
        ("with the change", effect.variant_value, effect.n_variant_killed, effect.n_variant, theme.VARIANT),
    ]
    rows = []
    for lane, (name, value, n_killed, n, color) in enumerate(lanes):
        if value is None:
            continue
        reached = max(value, sheet.limit_bytes or 0) if n_killed == n else value
        low, high = (base * (1 + share) if base and share is not None else None for share in spread)
        is_ranged = (
            lane == 1 and low is not None and high is not None and high - low > 0.004 * sheet.top_mib * MIB
        )
        y = lane_y(top, lane)
        rows.append(
            {
                "theory": printable(effect.hypothesis.name),
                "lane": name,
                "mib": round(min(reached / MIB, sheet.top_mib), 3),
                "low": round(low / MIB, 3) if is_ranged and low is not None else None,
                "high": round(high / MIB, 3) if is_ranged and high is not None else None,
                "value": measured(effect.hypothesis.metric, value, is_bound=n_killed > 0),
                "runs": f"{n_killed} of {n} killed",
                "killed": n_killed == n,
                "top": y - BAR_PX / 2,
                "middle": y,
                "bottom": y + BAR_PX / 2,
                "color": color,
            }
        )
    return rows


def _limit(sheet: _Sheet) -> list[alt.Chart]:
    if sheet.limit_bytes is None:
        return []
    x = sheet.limit_bytes / MIB / sheet.top_mib * sheet.plot_px
    rule = alt.Chart(ONE_ROW).mark_rule(color=theme.LIMIT, strokeDash=[6, 4], strokeWidth=1.5)
    text = at_px(x + 4, 6).mark_text(
        text=f"limit {format_bytes(sheet.limit_bytes)}", align="right", color=theme.DEATH_INK
    )
    return [rule.encode(x=alt.value(round(x, 1)), y=alt.value(16), y2=alt.value(sheet.height)), text]


def _separators(sheet: _Sheet) -> list[alt.Chart]:
    left, right = -THEORY_PX - LANE_PX, sheet.plot_px + VALUE_PX + VERDICT_PX
    rule = alt.Chart(ONE_ROW).mark_rule(color=theme.GRID, strokeWidth=1)
    return [rule.encode(x=alt.value(left), x2=alt.value(right), y=alt.value(top)) for top in sheet.row_tops]
