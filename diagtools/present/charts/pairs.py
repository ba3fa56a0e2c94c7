"""What did each pair of runs change?  The pairs in order of time, their interval, and what would matter."""

from __future__ import annotations

import altair as alt
import polars as pl

from diagtools.analyse.amounts import amount, plain
from diagtools.analyse.pair_changes import pair_changes
from diagtools.analyse.sequential import least_amount, least_share
from diagtools.errors import NoDataError
from diagtools.present import theme
from diagtools.present.charts.memory import AXIS_PX
from diagtools.present.charts.placing import ONE_ROW, at_px, text_at
from diagtools.present.charts.scales import Scale
from diagtools.present.names import printable, wrapped
from diagtools.present.verdicts import chance, spread
from diagtools.present.wording import count, signed_share
from diagtools.units import format_share
from diagtools.values import Effect, Outcome, Verdict

_HEIGHT = 260
_SIDE_PX = 210  #: right of the plot, for the figures
_LANE_PX = 26  #: above and below the points, for killed pairs
_GAP_PX = 14  #: between the plot and its figures
_SMALL = 11


def pairs_chart(
    pairs: pl.DataFrame, effect: Effect, *, baseline: str, title: str | None = None, width: int = 900
) -> alt.LayerChart:
    """Each pair's change as a point in order of time, with the interval (or range) of the effect and the verdict.

    ``pairs`` is PAIRS, ``effect`` what was made of them.  The grey band is what does not matter.  Killed runs are
    crosses, at the top those with the change, at the bottom those of the baseline.
    Raises ``NoDataError`` where no pair has both runs.
    """
    hypothesis = effect.hypothesis
    changes = pair_changes(pairs, variant=hypothesis.variant, metric=hypothesis.metric, baseline=baseline)
    if changes.is_empty():
        raise NoDataError("There are no pairs to draw.", hint="run the experiment first.")
    rows = _rows(changes, hypothesis.metric)
    band = _band(effect)
    scale = _scale(rows, effect, band)
    plot_px = width - AXIS_PX - _SIDE_PX
    layers = [
        *_bands(effect, band, scale, plot_px),
        *_points(rows, scale),
        *_killed(rows, plot_px),
        *_figures(effect, scale, plot_px, below=_LANE_PX if _any_killed(rows) else 0),
    ]
    words = alt.TitleParams(
        wrapped(printable(title or _claim(effect)), width - 20, theme.TITLE_SIZE, bold=True),
        subtitle=[
            line
            for text in (printable(effect.reason), _legend(effect, band, rows))
            for line in wrapped(text, width - 20, theme.SUBTITLE_SIZE)
        ],
    )
    return theme.dressed(alt.LayerChart(layer=layers, width=plot_px, height=_HEIGHT, title=words))


def _claim(effect: Effect) -> str:
    word = {
        Verdict.CONFIRMED: "Confirmed",
        Verdict.REFUTED: "Refuted",
        Verdict.INCONCLUSIVE: "Inconclusive",
    }[effect.verdict]
    return f"{word}: {effect.hypothesis.name}"


def _legend(effect: Effect, band: float, rows: pl.DataFrame) -> str:
    said = ["dots: the change of each pair, in order of time"]
    if effect.low_share is not None and effect.low_share != effect.high_share:
        said.append(f"blue: {'95 % interval' if effect.is_interval else 'range of the pairs'}")
    if band:
        said.append(f"grey: less than {format_share(band)}, which does not matter")
    if _any_killed(rows):
        said.append("crosses: killed runs, whose pairs have no change")
    return " · ".join(said)


def _rows(changes: pl.DataFrame, metric: str) -> pl.DataFrame:
    def words(column: str) -> pl.Expr:
        shown = pl.col(column).map_elements(lambda value: amount(metric, value), return_dtype=pl.String)
        return shown.fill_null("not measured")

    return changes.select(
        at=pl.int_range(1, pl.len() + 1),
        change=(pl.col("change_share") * 100).round(4),
        before=words("baseline_value"),
        after=words("variant_value"),
        before_killed=pl.col("baseline_outcome") == Outcome.KILLED,
        after_killed=pl.col("variant_outcome") == Outcome.KILLED,
    )


def _any_killed(rows: pl.DataFrame) -> bool:
    return bool(rows["before_killed"].any() or rows["after_killed"].any())


def _band(effect: Effect) -> float:
    """The least change that matters, as a share of the baseline; 0 where none is known."""
    base = effect.baseline_value
    of_floor = least_amount(effect.hypothesis) / base if base and base > 0 else 0.0
    return max(least_share(effect.hypothesis), of_floor)


def _scale(rows: pl.DataFrame, effect: Effect, band: float) -> Scale:
    """Percent, with zero and the band inside."""
    shares = [effect.low_share, effect.high_share, effect.change_share]
    known = [share for share in shares if share is not None]
    seen = [*rows["change"].drop_nulls(), *(share * 100 for share in known), 0.0]
    reach = max(*map(abs, seen), 0.1)
    seen += [side * band * 100 for side in (-1, 1) if band * 100 <= 3 * reach]
    room = (0.22 if _any_killed(rows) else 0.12) * (max(seen) - min(seen) or 1.0)
    return Scale(
        title=f"change of {plain(effect.hypothesis.metric)}, %",
        per=1.0,
        low=min(seen) - room,
        high=max(seen) + room,
        is_binary=False,
    )


def _points(rows: pl.DataFrame, scale: Scale) -> list[alt.Chart]:
    tooltip = [
        alt.Tooltip("at:Q", title="pair"),
        alt.Tooltip("before:N", title="as it was"),
        alt.Tooltip("after:N", title="with the change"),
        alt.Tooltip("change:Q", title="change, %"),
    ]
    step = max(1, rows.height // 20)
    axis = alt.Axis(
        title="pair, in order of time", values=list(range(1, rows.height + 1, step)), format="d", grid=False
    )
    domain = [0.5, rows.height + 0.5]
    base = alt.Chart(rows).encode(x=alt.X("at:Q", scale=alt.Scale(domain=domain, nice=False), axis=axis))
    dots = base.mark_point(
        filled=True, size=60, color=theme.BLACK, stroke=theme.WHITE, strokeWidth=1, opacity=0.9
    )
    return [dots.encode(y=scale.y("change"), tooltip=tooltip)]


def _killed(rows: pl.DataFrame, plot_px: int) -> list[alt.Chart]:
    """Crosses at the edges: above for runs with the change, below for runs of the baseline."""
    lanes = (
        ("after_killed", "killed with the change", _LANE_PX / 2),
        ("before_killed", "killed as it was", _HEIGHT - _LANE_PX / 2),
    )
    charts: list[alt.Chart] = []
    for field, words, y in lanes:
        killed = rows.filter(field)["at"].to_list()
        if killed:
            charts.append(text_at(plot_px + _GAP_PX, y, words, color=theme.DEATH_INK, size=_SMALL))
        for at in killed:
            cross = at_px((at - 0.5) / rows.height * plot_px, y).mark_point(
                shape=theme.CROSS, size=90, stroke=theme.DEATH, strokeWidth=2.5, opacity=1
            )
            charts.append(cross)
    return charts


def _bands(effect: Effect, band: float, scale: Scale, plot_px: int) -> list[alt.Chart]:
    """What does not matter (grey), the interval or range (blue), zero and the estimate."""
    charts = []
    if band:
        low, high = (max(min(side * band * 100, scale.high), scale.low) for side in (-1, 1))
        charts.append(_between(low, high, scale, plot_px, theme.GRID, 0.9))
    if effect.low_share is not None and effect.high_share is not None:
        charts.append(
            _between(effect.low_share * 100, effect.high_share * 100, scale, plot_px, theme.VARIANT, 0.2)
        )
    charts.append(_rule(0.0, scale, plot_px, theme.GREY, 1))
    if effect.change_share is not None:
        charts.append(_rule(effect.change_share * 100, scale, plot_px, theme.VARIANT, 2))
    return charts


def _y_px(value: float, scale: Scale) -> float:
    return round((scale.high - value) / (scale.high - scale.low) * _HEIGHT, 1)


def _between(low: float, high: float, scale: Scale, plot_px: int, color: str, opacity: float) -> alt.Chart:
    top, bottom = _y_px(high, scale), _y_px(low, scale)
    area = alt.Chart(ONE_ROW).mark_rect(color=color, opacity=opacity)
    chart: alt.Chart = area.encode(
        x=alt.value(0), x2=alt.value(plot_px), y=alt.value(top), y2=alt.value(max(bottom, top + 1))
    )
    return chart


def _rule(value: float, scale: Scale, plot_px: int, color: str, px: float) -> alt.Chart:
    rule = alt.Chart(ONE_ROW).mark_rule(color=color, strokeWidth=px)
    chart: alt.Chart = rule.encode(x=alt.value(0), x2=alt.value(plot_px), y=alt.value(_y_px(value, scale)))
    return chart


def _figures(effect: Effect, scale: Scale, plot_px: int, *, below: int) -> list[alt.Chart]:
    """The estimate and its interval beside the plot, and the verdict in words and sign, ``below`` what is there."""
    ink, shape = theme.VERDICTS_INK[effect.verdict], theme.VERDICT_SHAPES[effect.verdict]
    x = plot_px + _GAP_PX
    sign = at_px(x + 6, 12 + below).mark_point(shape=shape, size=90, stroke=ink, strokeWidth=2.5, opacity=1)
    charts = [sign, text_at(x + 18, 12 + below, str(effect.verdict), color=ink, size=14, bold=True)]
    if effect.change_share is None:
        return charts
    y = min(max(_y_px(effect.change_share * 100, scale), 44 + below), _HEIGHT - 40 - below)
    share = signed_share(effect.change_share)
    charts.append(text_at(x, y, share, color=theme.RUNS_INK[1], size=15, bold=True))
    n = count(effect.n_pairs, "pair")
    told = [spread(effect), n if effect.p is None else f"{n}, p: {chance(effect.p)}"]
    for line, words in enumerate((one for one in told if one), start=1):
        charts.append(text_at(x, y + 2 + 15 * line, words, color=theme.GREY, size=_SMALL))
    return charts
