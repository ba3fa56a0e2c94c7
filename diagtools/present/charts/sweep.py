"""What does one more cost?  The runs of a sweep, and the curve that fits them."""

from __future__ import annotations

import altair as alt
import polars as pl

from diagtools.analyse.amounts import amount
from diagtools.analyse.sweep import Sweep
from diagtools.analyse.sweep_classes import SweepClass
from diagtools.errors import NoDataError
from diagtools.present import theme
from diagtools.present.charts.memory import AXIS_PX
from diagtools.present.charts.scales import Scale
from diagtools.present.names import printable, wrapped

_HEIGHT = 280
_EDGE_PX = 30
_ROOM = 0.03  #: of the range: left and right of the outermost values


def sweep_chart(found: Sweep, *, title: str | None = None, width: int = 900) -> alt.LayerChart:
    """Each run of the sweep as a dot, the fit as a line; the title says what a unit costs.

    Runs that were killed are crosses at what they had reached.  Raises ``NoDataError`` where no run was measured.
    """
    known = found.points.drop_nulls("metric_value")
    if known.is_empty():
        raise NoDataError("There is no sweep to draw: no run was measured.", hint="run the sweep first.")
    from_zero = (
        [0.0] if found.sweep_class is SweepClass.FLAT else []
    )  # noise drawn large would look like growth
    scale = Scale.of(found.metric, [*known["metric_value"], *found.curve["fitted"], *from_zero])
    words = alt.TitleParams(
        wrapped(printable(title or found.sentence), width - 20, theme.TITLE_SIZE, bold=True),
        subtitle=wrapped(printable(_legend(found, known)), width - 20, theme.SUBTITLE_SIZE),
    )
    layers = [_line(found, scale), *_runs(found, known, scale)]
    return theme.dressed(
        alt.LayerChart(layer=layers, width=width - AXIS_PX - _EDGE_PX, height=_HEIGHT, title=words)
    )


def _legend(found: Sweep, known: pl.DataFrame) -> str:
    is_open = found.sweep_class is SweepClass.INCONCLUSIVE
    said = [
        "dots: one run each",
        "line: straight, for comparison" if is_open else f"line: {found.sweep_class}",
    ]
    if found.exponents is not None and found.sweep_class in (SweepClass.WORSE, SweepClass.LESS):
        low, high = found.exponents
        said[1] += f", as a power of {low:.2g}" + (f" to {high:.2g}" if high > low else "")
    if known["is_killed"].any():
        said.append("crosses: killed, so at least that")
    return " · ".join(said)


def _x(found: Sweep, field: str = "value") -> alt.X:
    low, high = found.curve["value"][0], found.curve["value"][-1]
    seen = [low, high, *found.points["value"]]
    room = _ROOM * (max(seen) - min(seen))
    axis = alt.Axis(title=printable(found.units), tickCount=8, grid=False, labelFlush=False)
    domain = [min(seen) - room, max(seen) + room]
    return alt.X(f"{field}:Q", scale=alt.Scale(domain=domain, nice=False, zero=False), axis=axis)


def _line(found: Sweep, scale: Scale) -> alt.Chart:
    rows = found.curve.select("value", fitted=(pl.col("fitted") / scale.per).round(5))
    is_open = found.sweep_class is SweepClass.INCONCLUSIVE
    line = alt.Chart(rows).mark_line(
        color=theme.GREY if is_open else theme.VARIANT,
        strokeWidth=2,
        strokeDash=[6, 4] if is_open else [1, 0],
    )
    chart: alt.Chart = line.encode(x=_x(found), y=scale.y("fitted"))
    return chart


def _runs(found: Sweep, known: pl.DataFrame, scale: Scale) -> list[alt.Chart]:
    rows = known.select(
        "value",
        "is_killed",
        run=pl.col("run").map_elements(printable, return_dtype=pl.String),
        measured=(pl.col("metric_value") / scale.per).round(5),
        words=pl.col("metric_value").map_elements(
            lambda value: amount(found.metric, value), return_dtype=pl.String
        ),
    )
    tooltip = [
        alt.Tooltip(
            "value:Q"
        ),  # a title becomes part of an expression, in which escapes would come back to life
        alt.Tooltip("words:N", title="measured"),
        alt.Tooltip("run:N"),
    ]
    base = alt.Chart(rows).encode(x=_x(found), y=scale.y("measured"), tooltip=tooltip)
    dots = base.transform_filter("!datum.is_killed").mark_point(
        filled=True, size=60, color=theme.BLACK, stroke=theme.WHITE, strokeWidth=1, opacity=0.9
    )
    if not known["is_killed"].any():
        return [dots]
    killed = base.transform_filter("datum.is_killed").mark_point(
        shape=theme.CROSS, size=110, stroke=theme.DEATH, strokeWidth=3, opacity=1
    )
    return [dots, killed]
