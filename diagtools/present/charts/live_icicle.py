"""Which calls held what was live in the stretch of time that is brushed?  Laid out anew in the browser.

Each node carries running sums over the slices of time, so that its mean over any stretch is one difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

from diagtools.present import theme
from diagtools.present.charts import compact, zooming
from diagtools.present.charts.icicle import MOST_BYTES, group_of, palette, recoloured
from diagtools.present.charts.zooming import Stage
from diagtools.present.sizes import fitting_step, share_expression, size_expression
from diagtools.profile import Unit

_FEWEST_ROWS, _MOST_ROWS = 6, 28
_DIGITS = 7  # of the largest running sum


@dataclass(frozen=True, slots=True, kw_only=True)
class Slices:
    """The slices of time: their edges, and which of them held most."""

    edges: list[float]
    peak: int

    @property
    def brushed(self) -> tuple[float, float]:
        """Which stretch is shown first?"""
        return self.edges[self.peak], self.edges[self.peak + 1]


def slices_of(live: pl.DataFrame) -> Slices:
    """Which equal slices of time does LIVE have?"""
    root = live.filter(pl.col("depth") == 0).sort("slice")
    edges = [*root["begin_s"].to_list(), float(root["end_s"][-1])]
    return Slices(edges=[round(edge, 6) for edge in edges], peak=int(root["total_size"].arg_max() or 0))


def live_icicle(live: pl.DataFrame, slices: Slices, plot_px: int) -> alt.LayerChart:
    """The icicle of the brushed stretch, with its data."""
    quantum, nodes, places = _nodes(live, slices)
    peak = _peak(live)
    most = live.filter(pl.col("total_size") >= 0.015 * peak)["depth"].max()
    n_rows = min(max(int(most or 0) + 1, _FEWEST_ROWS), _MOST_ROWS)  # type: ignore[arg-type]
    stage = Stage(whole=peak, unit=Unit.BYTES, width=plot_px, n_rows=n_rows, is_by_data=True)
    groups, color = palette(nodes.with_columns(group=places["group"], size="most"), offset=24)
    places, nodes = recoloured(places, groups), nodes.drop("most")
    clicked = alt.selection_point(
        name="zoom", fields=["order", "depth"], on="click", clear="dblclick", toggle=False
    )
    drawn = zooming.icicle(stage, color, clicked)
    is_whole = not live["is_cut"].any() and nodes.height == live["node_id"].n_unique()
    chart = alt.LayerChart(
        data=compact.data(nodes, places),
        transform=[
            *compact.unpacked(nodes, places),
            *zooming.named(),
            *zooming.matched(),
            *_laid_out(quantum),
            *_said(),
        ],
        layer=[drawn, _what(slices), zooming.found(stage, is_whole=is_whole)],
        width=plot_px,
        height=stage.height,
    )
    return chart.add_params(*_params(slices, stage))


def _nodes(live: pl.DataFrame, slices: Slices) -> tuple[int, pl.DataFrame, pl.DataFrame]:
    """The quantum of sizes, the nodes in the order of the walk, and their places.

    ``own`` and ``total`` are, at each edge of a slice, the sum over the slices before it: what a node held on average
    over any stretch is then a difference of two.  ``total`` is empty where it is the same as ``own``.
    """
    quantum = max(1, _peak(live) * (len(slices.edges) - 1) // 10**_DIGITS)
    kept = _kept(_with_sums(live, quantum))
    nodes = kept.select("order", "depth", "own", "total", "most", place=pl.int_range(pl.len()))
    places = pl.DataFrame(
        {
            "name": [compact.shown(name) for name in kept["name"]],
            "function": [""] * kept.height,
            "where": [""] * kept.height,
            "group": [group_of(package or "", "") for package in kept["package"]],
        }
    )
    return quantum, nodes, places


def _with_sums(live: pl.DataFrame, quantum: int) -> pl.DataFrame:
    """A row a node that ever held anything: the most that it did, and its running sums."""
    sums = (
        live.sort("order", "slice")
        .group_by("node_id", maintain_order=True)
        .agg(
            pl.col("order", "depth", "name", "package").first(),
            most=pl.col("total_size").max(),
            own=_sums("self_size", quantum),
            total=_sums("total_size", quantum),
        )
    )
    is_leaf = pl.col("own") == pl.col("total")
    return sums.filter(pl.col("most") > 0).with_columns(
        total=pl.when(is_leaf).then(pl.lit("")).otherwise("total")
    )


def _kept(nodes: pl.DataFrame) -> pl.DataFrame:
    """The nodes that fit: those that ever held most, so with a node its callers."""
    room = sum((pl.col(name).str.len_bytes() for name in ("own", "total", "name")), start=pl.lit(60))
    widest = nodes.sort("most", "order", descending=[True, False]).filter(room.cum_sum() <= MOST_BYTES)
    return widest.sort("order")


def _peak(live: pl.DataFrame) -> int:
    return int(live["total_size"].max() or 1)  # type: ignore[arg-type]


def _sums(column: str, quantum: int) -> pl.Expr:
    """The running sum before each slice and after the last, in quanta, with spaces between."""
    running = pl.concat([pl.lit(0, dtype=pl.Int64), pl.col(column).cum_sum()])
    return (running / quantum).round().cast(pl.Int64).cast(pl.String).str.join(" ")


def _params(slices: Slices, stage: Stage) -> list[alt.Parameter]:
    """Between which slices lies the brush, counted in slices, and which node is zoomed?"""
    n, first, last = len(slices.edges) - 1, slices.edges[0], slices.edges[-1]
    at = f"clamp((brush.t_s[{{}}] - {first}) / {(last - first) / n}, 0, {n})"
    step = fitting_step(stage.whole, stage.unit)
    return [
        alt.param(name="live_from", expr=f"brush.t_s ? min({at.format(0)}, {n} - 0.001) : 0"),
        alt.param(name="live_to", expr=f"max(brush.t_s ? {at.format(1)} : {n}, live_from + 0.001)"),
        alt.param(name="zoom_order", expr="isArray(zoom.order) ? zoom.order[0] : 0"),
        alt.param(
            name="zoom_skip",
            expr=f"isArray(zoom.depth) ? max(0, zoom.depth[0] - {max(stage.n_rows // 3, 2)}) : 0",
        ),
        alt.param(name="zoom_unit", value=step.factor),
        alt.param(name="zoom_unit_name", value=step.name),
    ]


def _laid_out(quantum: int) -> list[dict[str, Any]]:
    """Where does each node begin, and how wide is it, on average over the brushed stretch?

    The walk meets parents first, and a node's own part stands left of its children: a node begins where the own parts
    of all before it end.
    """
    zoomed = "datum.order == zoom_order ? datum.{} : -1"
    return [
        {"calculate": "split(datum.own, ' ')", "as": "owns"},
        {"calculate": "length(datum.total) ? split(datum.total, ' ') : datum.owns", "as": "totals"},
        {"calculate": _mean("owns", quantum), "as": "self"},
        {"calculate": _mean("totals", quantum), "as": "size"},
        {
            "window": [{"op": "sum", "field": "self", "as": "so_far"}],
            "sort": [{"field": "order", "order": "ascending"}],
            "frame": [None, 0],
        },
        {"calculate": "datum.so_far - datum.self", "as": "left"},
        {"calculate": zoomed.format("left"), "as": "left_if_zoomed"},
        {"calculate": zoomed.format("size"), "as": "size_if_zoomed"},
        {
            "joinaggregate": [
                {"op": "max", "field": "left_if_zoomed", "as": "zoom_left"},
                {"op": "max", "field": "size_if_zoomed", "as": "zoom_size"},
                {"op": "max", "field": "size", "as": "whole"},
            ]
        },
        {"calculate": "max(datum.zoom_size, 1)", "as": "zoom_size"},
    ]


def _mean(sums: str, quantum: int) -> str:
    """The mean between ``live_from`` and ``live_to`` of what has these running sums."""

    def until(edge: str) -> str:
        low, high = (f"toNumber(datum.{sums}[{end}({edge})])" for end in ("floor", "ceil"))
        return f"({low} + ({edge} - floor({edge})) * ({high} - {low}))"

    return f"{quantum} * ({until('live_to')} - {until('live_from')}) / (live_to - live_from)"


def _said() -> list[dict[str, str]]:
    said = {
        "call": "datum.name",
        "live on average, with all it called": "datum.said",
        "itself": size_expression("datum.self", Unit.BYTES),
        "of the whole then": share_expression("datum.size", "datum.whole"),
    }
    return [{"calculate": size_expression("datum.size", Unit.BYTES), "as": "said"}, zooming.tip(said)]


def _what(slices: Slices) -> alt.Chart:
    """The words above the icicle: of which stretch it is, and how much was live."""
    n, first, last = len(slices.edges) - 1, slices.edges[0], slices.edges[-1]
    time = f"format({first} + {{}} * {(last - first) / n}, '.3~r') + ' s'"
    between = f"{time.format('live_from')} + ' to ' + {time.format('live_to')}"
    said = f"'live on average from ' + {between} + ': ' + datum.said"
    chart: alt.Chart = (
        alt.Chart()
        .transform_filter("datum.depth == 0")
        .transform_calculate(what=said)
        .mark_text(align="left", baseline="bottom", fontWeight="bold", fontSize=theme.LABEL_SIZE)
        .encode(x=alt.value(0), y=alt.value(-6), text="what:N")
    )
    return chart
