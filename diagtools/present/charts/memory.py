"""The panel of memory over time that timelines share: its scales, axes, curves and limit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import altair as alt
import polars as pl

from diagtools.analyse.reduce import reduce_timeline
from diagtools.errors import NoDataError
from diagtools.present import theme
from diagtools.present.charts.placing import ONE_ROW, Box, Label, at_px
from diagtools.units import format_bytes

MIB = 2**20
AXIS_PX = 62  #: room for the labels and the title of the y axis, the same in all panels of a picture
HEADROOM_PX = 46  #: above the highest value, for the labels of the limit and of the death
_EDGE_PX = 9  #: right of the end, for half a mark
FAR = 8  #: a limit this many times above the peak would flatten the curve to nothing: it is named, not drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A panel of memory over time: its size in pixels, what it spans, and the limit if there is one."""

    width: int
    height: int
    end_s: float
    peak_bytes: int
    limit_bytes: int | None
    axis_title: str = "memory (RSS), MiB"

    @property
    def limit_is_far(self) -> bool:
        """Is the limit so high that drawing it would hide the curve?"""
        return bool(self.limit_bytes) and (self.limit_bytes or 0) > FAR * max(self.peak_bytes, 1)

    @property
    def top_mib(self) -> float:
        """The highest value that is drawn."""
        limit = 0 if self.limit_is_far or self.limit_bytes is None else self.limit_bytes
        return max(self.peak_bytes, limit, 1) / MIB

    @property
    def frame(self) -> Box:
        """The panel in pixels."""
        return Box(left=0, top=0, right=self.width, bottom=self.height)

    def x_px(self, t_s: float) -> float:
        """Where on the x axis is this time?"""
        return t_s / self.end_s * (self.width - _EDGE_PX)

    def y_px(self, n_bytes: float) -> float:
        """Where on the y axis is this size?"""
        return self.height - n_bytes / MIB / self.top_mib * (self.height - HEADROOM_PX)

    def x(self, field: str = "t_s", *, labels: bool | None) -> alt.X:
        """The time axis; only the lowest panel of a picture labels it, a strip has none (``None``)."""
        domain = [0, self.end_s * self.width / (self.width - _EDGE_PX)]
        axis: alt.Axis | None = alt.Axis(
            title="time since the start, s", tickCount=10, grid=False, labelFlush=False
        )
        if labels is None:
            axis = None
        elif not labels:
            axis = alt.Axis(title=None, labels=False, ticks=False, grid=False)
        return alt.X(f"{field}:Q", scale=alt.Scale(domain=domain, nice=False), axis=axis)

    def y(self) -> alt.Y:
        """The memory axis, in powers of two so that limits in GiB fall on its lines."""
        top = self.top_mib * self.height / (self.height - HEADROOM_PX)
        axis = alt.Axis(
            title=self.axis_title,
            values=memory_ticks(self.top_mib),
            format=tick_format(self.top_mib),
            domain=False,
            ticks=False,
            minExtent=AXIS_PX - 22,
        )
        return alt.Y("mib:Q", scale=alt.Scale(domain=[0, top], nice=False), axis=axis)


def memory_ticks(top_mib: float, n: int = 6) -> list[float]:
    """Which sizes does an axis up to here name?  Multiples of a power of two, at most ``n`` + 1 of them."""
    step = 2.0 ** math.ceil(math.log2(top_mib / n))
    return [index * step for index in range(int(top_mib / step + 1e-9) + 1)]


def tick_format(top_mib: float) -> str:
    """How are the ticks of such an axis written?"""
    return ",.0f" if top_mib > 6 else ".2~f"


def samples(tree: pl.DataFrame, column: str = "rss_bytes") -> pl.DataFrame:
    """The samples that have a value, in order of time; raises ``NoDataError`` where there are none."""
    found = tree.filter(pl.col(column).is_not_null()).sort("t_s")
    if found.is_empty():
        raise NoDataError(
            f"No {column} samples to draw.",
            hint="the process may have ended before the first sample was due: record with more --hz.",
        )
    return found


def points(found: pl.DataFrame, n_buckets: int, column: str = "rss_bytes") -> list[dict[str, float]]:
    """The samples as a chart needs them: lowest and highest of each bucket, level stretches by their two ends."""
    reduced = reduce_timeline(found, n_buckets=max(n_buckets, 2), t="t_s", value=column)
    value = pl.col("mib")
    level = ((value == value.shift(1)) & (value == value.shift(-1))).fill_null(value=False)
    rows = reduced.select(pl.col("t_s").round(4), mib=(pl.col(column) / MIB).round(3)).filter(~level)
    return [{"t_s": t, "mib": mib} for t, mib in rows.iter_rows()]


def pixels(panel: Panel, rows: Sequence[dict[str, float]]) -> list[tuple[float, float]]:
    """Where the curve runs, dense enough for labels to keep clear of it."""
    spots = [(panel.x_px(row["t_s"]), panel.y_px(row["mib"] * MIB)) for row in rows]
    dense = [spot for one, other in pairwise(spots) for spot in _between(one, other)]
    return dense + spots[-1:]


def _between(
    one: tuple[float, float], other: tuple[float, float], step: float = 6
) -> Iterable[tuple[float, float]]:
    n = max(1, min(200, int(math.dist(one, other) / step)))
    return ((one[0] + (other[0] - one[0]) * i / n, one[1] + (other[1] - one[1]) * i / n) for i in range(n))


def limit_rule(panel: Panel) -> list[alt.Chart]:
    """The limit as a dashed line, where it can be drawn."""
    if not panel.limit_bytes or panel.limit_is_far:
        return []
    y = alt.value(round(panel.y_px(panel.limit_bytes), 1))
    rule = alt.Chart(ONE_ROW).mark_rule(color=theme.LIMIT, strokeDash=[6, 4], strokeWidth=1.5)
    return [rule.encode(x=alt.value(0), x2=alt.value(panel.width), y=y)]


def limit_label(panel: Panel) -> list[Label]:
    """The words at the limit's line, or at the top of the panel where the line is off the scale."""
    if not panel.limit_bytes:
        return []
    text, y = f"limit {format_bytes(panel.limit_bytes)}", panel.y_px(panel.limit_bytes)
    if panel.limit_is_far:
        text, y = f"↑ limit {format_bytes(panel.limit_bytes)}, off this scale", HEADROOM_PX / 2
    return [Label(lines=(text,), x=5, y=y + 4, color=theme.DEATH_INK, at=(("left", -1),))]


def limit_points(panel: Panel) -> list[tuple[float, float]]:
    """Where the limit's line runs."""
    if not panel.limit_bytes or panel.limit_is_far:
        return []
    return [(x, panel.y_px(panel.limit_bytes)) for x in range(0, panel.width, 6)]


def cross(x: float, y: float, color: str = theme.DEATH) -> list[alt.Chart]:
    """The mark of a kill at a point given in pixels."""
    base = at_px(x, y)
    halo = base.mark_point(shape=theme.CROSS, size=130, stroke=theme.WHITE, strokeWidth=6, opacity=1)
    return [halo, base.mark_point(shape=theme.CROSS, size=130, stroke=color, strokeWidth=3, opacity=1)]


def dot(x: float, y: float, color: str = theme.MEMORY) -> alt.Chart:
    """The mark of a point of interest, given in pixels."""
    chart: alt.Chart = at_px(x, y).mark_point(
        filled=True, size=60, color=color, stroke=theme.WHITE, strokeWidth=1.5, opacity=1
    )
    return chart
