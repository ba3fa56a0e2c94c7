r"""Zoom and search inside a chart: what a click and the search box change, as expressions of Vega.

Rows have ``left``, ``size`` and ``depth`` in the unit of the profile, and ``name`` and ``where`` that are searched.
The query is a regular expression where it surely is a valid one, else plain text: an invalid one would throw within
Vega and leave the chart as it was before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import altair as alt

from diagtools.present import theme
from diagtools.present.sizes import share_expression, size_expression, step_expression

ROW_PX: Final = 20
LABEL_PX: Final = 28  #: narrower nodes bear no name
_TEXT_SIZE = 11
_CHARACTER_PX = 5.9
_FADED = 0.25

_FOLDERS = r"^.*/(?!__(?:init|main)__\.)"  # a file that many folders have keeps its own
_SPECIAL = r"[.*+?^${}()|[\]\\]"
_BORDER = r"\\[bB]"
_ESCAPE = r"\\[dDwWsS.^$*+?()\[\]{}|\/\\_-]"
_RANGE = r"0-[0-9]|[0-9]-9|a-[a-z]|[a-z]-z|A-[A-Z]|[A-Z]-Z"
_CLASS = rf"\[\^?(?:{_RANGE}|[^\]\[\\-])+-?\]"
ATOM: Final = r"(?:[^()\[\]{}*+?\\|^$](?:[*+?]\??)?|[|^$])*"
_GROUP = rf"\((?:\?:)?{ATOM}\)"
_DEEPEST_GROUP = 4
#: What becomes one character of a query, in this order: what is then nothing but atoms was a valid expression.
STEPS: Final = ((_BORDER, "^"), (_ESCAPE, "~"), (_CLASS, "~"), *((_GROUP, "~"),) * _DEEPEST_GROUP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What an icicle is drawn on: the size of the whole, its unit, pixels across, rows down."""

    whole: int
    unit: str
    width: int
    n_rows: int
    is_by_data: bool = False  #: are ``zoom_left`` and ``zoom_size`` columns, as the layout itself changes?

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.n_rows * ROW_PX


def zoom() -> alt.Parameter:
    """The node that was clicked; a double click beside the nodes, or on one, forgets it."""
    return alt.selection_point(
        name="zoom", fields=["left", "size", "depth"], on="click", clear="dblclick", toggle=False
    )


def zoom_params(stage: Stage) -> list[alt.Parameter]:
    """Which part of the whole is shown: from where, how much, from which depth, in which name of the unit?"""
    kept = max(stage.n_rows // 3, 2)
    return [
        alt.param(name="zoom_left", expr="isArray(zoom.left) ? zoom.left[0] : 0"),
        alt.param(
            name="zoom_size", expr=f"isArray(zoom.size) ? max(zoom.size[0], 1) : {max(stage.whole, 1)}"
        ),
        alt.param(name="zoom_skip", expr=f"isArray(zoom.depth) ? max(0, zoom.depth[0] - {kept}) : 0"),
        *scale_params(stage),
    ]


def scale_params(stage: Stage) -> list[alt.Parameter]:
    """In which name of the unit is what is shown measured?"""
    return [
        alt.param(name="zoom_unit", expr=step_expression("zoom_size", stage.unit, "factor")),
        alt.param(name="zoom_unit_name", expr=step_expression("zoom_size", stage.unit, "name")),
    ]


def search_params() -> list[alt.Parameter]:
    """The search box, and the regular expression that it means."""
    box = alt.binding(
        input="text", name="Search (regular expression) ", placeholder="function, file or package"
    )
    return [
        alt.param(name="search", value="", bind=box),
        alt.param(
            name="search_pattern",
            expr=f"{_is_valid('search')} ? search : {_escaped('search')}",
        ),
    ]


def _escaped(text: str) -> str:
    return f"replace({text}, {_regexp(_SPECIAL)}, '\\\\$&')"


def _is_valid(query: str) -> str:
    """Is this surely a valid regular expression?  Escapes and classes, then groups from within, become one atom."""
    for pattern, atom in STEPS:
        query = f"replace({query}, {_regexp(pattern)}, '{atom}')"
    return f"test({_regexp(f'^{ATOM}$')}, {query})"


def _regexp(pattern: str) -> str:
    return f"regexp({json.dumps(pattern)}, 'g')"


def named() -> list[dict[str, Any]]:
    """What is each row called, and where is it?  A name is ``path:line function``; ``called`` and ``at``."""
    return [
        {"calculate": "datum.function || slice(split(datum.name, ' '), -1)[0]", "as": "called"},
        {
            "calculate": "datum.where || slice(datum.name, 0, max(0, lastindexof(datum.name, ' ')))",
            "as": "at",
        },
        {
            "calculate": f"replace(replace(datum.name, {_regexp(_FOLDERS)}, ''), ' <module>', '')",
            "as": "short",
        },
    ]


def matched() -> list[dict[str, Any]]:
    """Which rows match the query?  ``hit``; all do where there is none."""
    text = "datum.name + ' ' + datum.function + ' ' + datum.where + ' ' + datum.group"
    found = f"test(regexp(search_pattern, 'i'), {text})"
    return [{"calculate": f"!length(search) || {found}", "as": "hit"}]


def placed(stage: Stage) -> list[dict[str, Any]]:
    """Where is each row drawn, given the zoom?  From ``x`` to ``x2``, ``px`` wide, in row ``top`` to ``bottom``.

    What is less than a pixel wide, or outside the rows, is gone first: most rows are, and the rest costs time.
    """
    zoom_left, zoom_size = (
        f"datum.{name}" if stage.is_by_data else name for name in ("zoom_left", "zoom_size")
    )
    edge = f"clamp({{}} - {zoom_left}, 0, {zoom_size}) / zoom_unit"
    in_rows = f"(datum.depth == 0 || datum.top >= 1) && datum.top < {stage.n_rows}"
    return [
        {"calculate": edge.format("datum.left"), "as": "x"},
        {"calculate": edge.format("(datum.left + datum.size)"), "as": "x2"},
        {"calculate": f"(datum.x2 - datum.x) * zoom_unit / {zoom_size} * {stage.width}", "as": "px"},
        {"calculate": "datum.depth == 0 ? 0 : datum.depth - zoom_skip", "as": "top"},
        {"filter": f"datum.px >= 1 && {in_rows}"},
        {"calculate": "datum.top + 1", "as": "bottom"},
        {"calculate": "datum.top + 0.5", "as": "middle"},
    ]


def _label() -> str:
    """The whole name where there is room, else without its folders, else the function; a module has no function."""
    fits = f"length({{}}) * {_CHARACTER_PX} < datum.px - 7"
    bare = "datum.called == '<module>' ? datum.short : datum.called"
    return f"{fits.format('datum.name')} ? datum.name : {fits.format('datum.short')} ? datum.short : {bare}"


def x_axis(stage: Stage) -> alt.X:
    """The sizes from the left end of what is shown, each with its unit."""
    axis = alt.Axis(
        title=None, tickCount=8, labelExpr="format(datum.value, '~r') + ' ' + zoom_unit_name", grid=False
    )
    scale = alt.Scale(domainMin=0, nice=False, zero=False)
    if not stage.is_by_data:
        scale = alt.Scale(domainMin=0, domainMax=alt.ExprRef("zoom_size / zoom_unit"), nice=False, zero=False)
    return alt.X("x:Q", scale=scale, axis=axis)


def y_axis(stage: Stage, field: str = "top") -> alt.Y:
    """The rows, the root on top."""
    scale = alt.Scale(domain=[0, stage.n_rows], reverse=True, nice=False, zero=False)
    return alt.Y(f"{field}:Q", scale=scale, axis=None)


def tip(said: Mapping[str, str]) -> dict[str, str]:
    """The transform that makes the tooltip of each row: what is said under which name, as expressions.

    Made once: a tooltip that is put together whenever its node is drawn is what a zoom takes most time for.
    """
    pairs = ", ".join(f"{json.dumps(name)}: {expression}" for name, expression in said.items())
    return {"calculate": f"{{{pairs}}}", "as": "tip"}


def icicle(stage: Stage, color: alt.Color, clicked: alt.Parameter) -> alt.LayerChart:
    """The nodes and their names, and what a click on them sets."""
    drawn = [_bars(stage, color).add_params(clicked), _labels(stage)]
    return alt.LayerChart(layer=drawn, transform=placed(stage))


def _bars(stage: Stage, color: alt.Color) -> alt.Chart:
    """The nodes; those that a query does not match are faded.  Without a label for each (ARIA): they cost too much."""
    mark = alt.Chart().mark_rect(cursor="pointer", aria=False, tooltip=alt.ExprRef("datum.tip"))
    bars: alt.Chart = mark.encode(
        x=x_axis(stage),
        x2="x2:Q",
        y=y_axis(stage),
        y2="bottom:Q",
        color=color,
        stroke=alt.condition("length(search) && datum.hit", alt.value(theme.BLACK), alt.value(theme.WHITE)),
        strokeWidth=alt.condition("datum.px < 3 && !length(search)", alt.value(0), alt.value(1)),
        opacity=alt.condition("datum.hit", alt.value(1), alt.value(_FADED)),
    )
    return bars


def _labels(stage: Stage) -> alt.Chart:
    """The names, as far as there is room."""
    mark = alt.Chart().mark_text(
        aria=False,
        align="left",
        baseline="middle",
        dx=4,
        fontSize=_TEXT_SIZE,
        limit=alt.ExprRef("datum.px - 7"),
        color=theme.BLACK,
    )
    labels: alt.Chart = (
        mark.transform_filter(f"datum.px >= {LABEL_PX}")
        .transform_calculate(label=_label())
        .encode(
            x=x_axis(stage),
            y=y_axis(stage, "middle"),
            text="label:N",
            opacity=alt.condition("datum.hit", alt.value(1), alt.value(2 * _FADED)),
        )
    )
    return labels


def found(stage: Stage, *, is_whole: bool) -> alt.Chart:
    """Which share of the whole matched, what lies within another match counted once?  Below the chart, on the right.

    In a walk that meets parents first, a match counts as far as it reaches beyond the matches before it.
    """
    at_least = "" if is_whole else "at least "
    said = (
        f"length(search) ? (datum.n ? format(datum.n, ',') + ' of the nodes drawn match: {at_least}' + "
        f"{share_expression('datum.covered', 'datum.whole')} + ' of the whole, ' + "
        f"{size_expression('datum.covered', stage.unit)} : 'no node matches') + "
        "(search_pattern == search ? '' : ' (as plain text: not a regular expression)') : ''"
    )
    walk: list[alt.SortField | dict[str, str]] = [alt.SortField("left"), alt.SortField("depth")]
    chart: alt.Chart = (
        alt.Chart()
        .transform_calculate(reach="datum.hit ? datum.left + datum.size : 0")
        .transform_window(reached="max(reach)", frame=[None, 0], sort=walk)
        .transform_window(before="lag(reached)", sort=walk)
        .transform_calculate(own="max(0, datum.reach - max(datum.left, datum.before || 0))")
        .transform_aggregate(covered="sum(own)", n="sum(hit)", whole="max(size)", groupby=[])
        .transform_calculate(said=said)
        .mark_text(align="right", baseline="top", fontSize=theme.LABEL_SIZE, fontWeight="bold")
        .encode(x=alt.value(stage.width), y=alt.value(stage.height + 26), text="said:N")
    )
    return chart
