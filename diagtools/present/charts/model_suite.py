"""What does each way of running a test suite take?  Its time and its peak, side by side, with their spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import altair as alt
import polars as pl

from diagtools.analyse.amounts import amount
from diagtools.analyse.metrics import PEAK
from diagtools.errors import NoDataError
from diagtools.present import theme
from diagtools.present.charts import bars
from diagtools.present.charts.scales import Scale
from diagtools.present.names import fitted, printable, text_px, wrapped
from diagtools.present.wording import signed_share
from diagtools.units import format_share
from diagtools.values import Outcome

_TIME = "duration_s"
_TITLES = {_TIME: "time of the whole suite, s", PEAK: "highest memory of its processes, MiB"}
_NAME_PX = 170  #: at most
_FIGURE_PX = 132  #: right of each plot
_GAP_PX = 26
_NOTABLE = 0.05  #: a smaller change is called none in the title; its figure stands beside its bar


def ways_chart(
    pairs: pl.DataFrame,
    *,
    ways: Sequence[str],
    called: str,
    title: str | None = None,
    width: int = 980,
) -> alt.HConcatChart:
    """Time and peak of each way as bars, with a line for the range over its runs and the change in words.

    ``pairs`` is PAIRS with ``duration_s`` and ``peak_rss_bytes``.  ``ways`` are its variants in order: the first is
    how it was, and is called ``called`` in the picture.  Values of killed runs are lower bounds (``≥``).
    Raises ``NoDataError`` where no run was measured.
    """
    measured = {metric: _ways(pairs, metric, ways, called) for metric in _TITLES}
    if not all(measured.values()):
        raise NoDataError("There is no suite to draw: no run was measured.", hint="run it in all ways first.")
    name_px = min(max(text_px(way.name, theme.LABEL_SIZE) for way in measured[_TIME]) + 4, _NAME_PX)
    plot_px = round((width - name_px - _GAP_PX - 2 * _FIGURE_PX - 40) / 2)
    panels = [
        _panel(ways, metric, plot_px, name_px if metric == _TIME else 0.0)
        for metric, ways in measured.items()
    ]
    words = alt.TitleParams(
        wrapped(title or _claim(measured), width - 20, theme.TITLE_SIZE, bold=True),
        subtitle="bars: the median of the runs · lines: their range · share: the change against "
        + printable(called),
    )
    return theme.dressed(alt.hconcat(*panels, spacing=_GAP_PX, title=words))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """One bar: the median and range of a metric over the runs of one way, and its change against the first."""

    name: str
    metric: str
    value: float
    low: float
    high: float
    is_bound: bool
    n_runs: int
    change: float | None

    @property
    def words(self) -> str:
        """The value with its change."""
        size = ("≥ " if self.is_bound else "") + amount(self.metric, self.value)
        return size if self.change is None else f"{size} ({signed_share(self.change)})"


def _ways(pairs: pl.DataFrame, metric: str, order: Sequence[str], called: str) -> list[_Way]:
    found: list[_Way] = []
    for name in order:
        rows = pairs.filter((pl.col("variant") == name) & (pl.col("metric") == metric)).drop_nulls("value")
        values = rows["value"].to_list()
        if not values:
            continue
        value = median(values)
        first = found[0].value if found else 0.0
        found.append(
            _Way(
                name=fitted(printable(called if name == order[0] else name), _NAME_PX, theme.LABEL_SIZE),
                metric=metric,
                value=value,
                low=min(values),
                high=max(values),
                is_bound=bool((rows["outcome"] == Outcome.KILLED).any()),
                n_runs=len(values),
                change=value / first - 1 if first > 0 else None,
            )
        )
    return found


def _claim(measured: Mapping[str, Sequence[_Way]]) -> str:
    """What does each way save, in one sentence?"""
    peaks = {way.name: way for way in measured[PEAK]}
    said = []
    for way in measured[_TIME][1:]:
        peak = peaks.get(way.name)
        saved = [_saved("time", way.change), _saved("memory", peak.change if peak else None)]
        said.append(f"{way.name} {' and '.join(filter(None, saved))}")
    return " · ".join(said) or "Time and peak of the suite"


def _saved(what: str, change: float | None) -> str:
    if change is None:
        return ""
    if abs(change) < _NOTABLE:
        return f"takes as much {what}"
    share = format_share(abs(change))
    return f"saves {share} of the {what}" if change < 0 else f"takes {share} more {what}"


def _panel(ways: Sequence[_Way], metric: str, plot_px: int, name_px: float) -> alt.LayerChart:
    scale = Scale.of(metric, [0.0, *(way.high for way in ways)])
    data = pl.DataFrame([_row(way, place, scale.per) for place, way in enumerate(ways)])
    top = max(scale.high, 1e-9)
    axis = alt.Axis(title=_TITLES[metric], values=scale.ticks(), domain=False, ticks=False, labelFlush=False)
    x = alt.X("value:Q", scale=alt.Scale(domain=[0, top], nice=False), axis=axis)
    base = alt.Chart(data).encode(y=bars.row_y())
    tooltip = [
        alt.Tooltip("name:N", title="way"),
        alt.Tooltip("words:N", title="median"),
        alt.Tooltip("runs:Q"),
    ]
    bar = base.mark_bar(cornerRadius=1).encode(x=x, color=alt.Color("color:N", scale=None), tooltip=tooltip)
    spread = base.transform_filter("datum.low < datum.high").mark_rule(color=theme.BLACK, strokeWidth=2)
    words = alt.Chart(data).mark_text(align="left", baseline="middle")
    layers = [
        bar,
        spread.encode(x=alt.X("low:Q"), x2="high:Q"),
        words.encode(x=alt.value(plot_px + 8), y=bars.row_y(), text="words:N"),
    ]
    if name_px:
        layers += [bars.names(data, field="name", tooltip="name:N"), bars.left_edge(round(name_px))]
    return alt.LayerChart(layer=layers, width=plot_px, height=len(ways) * bars.ROW_PX + 8)


def _row(way: _Way, place: int, per: float) -> dict[str, Any]:
    return {
        "place": place,
        "name": way.name,
        "value": round(way.value / per, 4),
        "low": round(way.low / per, 4),
        "high": round(way.high / per, 4),
        "words": way.words,
        "runs": way.n_runs,
        "color": theme.BASELINE_BAR if place == 0 else theme.VARIANT,
    }
