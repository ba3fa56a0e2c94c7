"""Which calls hold how much?  An icicle: click to zoom, search, root on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

import altair as alt
import polars as pl

from diagtools.errors import NoDataError
from diagtools.present import theme
from diagtools.present.charts import compact, zooming
from diagtools.present.charts.zooming import Stage
from diagtools.present.names import wrapped
from diagtools.present.sizes import share_expression, share_text, size_expression, size_text

#: Of the data in a notebook's output; the picture beside it has about as much.
MOST_BYTES = 90_000
_MOST_NODES = 4_000
_MARGIN_PX = 24
_FEWEST_ROWS, _MOST_ROWS = 6, 26
_WORTH_A_ROW = (
    0.015  # of the whole: a row below which the nodes are narrower than this together is not drawn at first
)
#: What has no colour of its own.
OTHERS = "others"
#: What ``n`` counts.
COUNTED = MappingProxyType({"bytes": "allocations", "ns": "calls", "samples": "records"})
_READING = "below each call stands what it called; what is free below it is its own"
_KINDS = ("standard library", "native", "interpreter", "unknown")  # origins shown as one group each


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The nodes that are drawn, and the places they are at."""

    nodes: pl.DataFrame
    places: pl.DataFrame
    is_whole: bool  #: is there nothing that was left out, here or before?

    @property
    def least(self) -> int:
        """How wide is the narrowest?"""
        return int(self.nodes["size"][-1])


def allocation_icicle(icicle: pl.DataFrame, *, title: str | None = None, width: int = 980) -> alt.LayerChart:
    """Which calls hold how much, and what called them?

    ``icicle`` is ICICLE.  Below each call stands what it called, as wide as what that asked for.  A click makes a node
    as wide as the chart, its callers stay above it; a click on the first row or a double click shows the whole again.
    The search box says which share of the whole matches.  Nodes too narrow for the budget of bytes are left out, and
    that is said.  Raises ``NoDataError`` where there is nothing.
    """
    if icicle.height < 2 or not icicle["total_size"][0]:
        raise NoDataError("There is nothing to draw an icicle of.", hint="diagtools show RUN")
    kept = kept_nodes(icicle.with_columns(size="total_size", n="total_n"), ["n"], is_whole=_is_whole(icicle))
    stage = stage_of(icicle, kept.nodes, width - _MARGIN_PX)
    places, color = coloured(kept)
    return zoomable(
        kept,
        places,
        stage,
        drawn=zooming.icicle(stage, color, zooming.zoom()),
        told=told(stage),
        title=title or icicle_title(icicle),
        subtitle=f"{_READING} · {limits_said(icicle, kept, stage)}",
    )


def zoomable(
    kept: Kept,
    places: pl.DataFrame,
    stage: Stage,
    *,
    drawn: alt.LayerChart,
    told: Sequence[dict[str, str]],
    title: str,
    subtitle: str,
) -> alt.LayerChart:
    """An icicle with its data, its search box and its title."""
    px = stage.width + _MARGIN_PX - 20
    chart = alt.LayerChart(
        data=compact.data(kept.nodes, places),
        transform=[*compact.unpacked(kept.nodes, places), *zooming.named(), *told, *zooming.matched()],
        layer=[drawn, zooming.found(stage, is_whole=kept.is_whole)],
        width=stage.width,
        height=stage.height,
        title=alt.TitleParams(
            wrapped(title, px, theme.TITLE_SIZE, bold=True),
            subtitle=wrapped(subtitle, px, theme.SUBTITLE_SIZE),
        ),
    )
    return theme.dressed(chart.add_params(*zooming.zoom_params(stage), *zooming.search_params()))


def icicle_title(icicle: pl.DataFrame) -> str:
    """Which call asked for most itself, in one sentence?"""
    root = icicle.row(0, named=True)
    calls = icicle.filter(pl.col("depth") > 0)
    dearest = calls.sort("self_size", "node_id", descending=[True, False]).row(0, named=True)
    return (
        f"{size_text(root['total_size'], root['unit'])} altogether; most in one call: "
        f"{compact.shown(dearest['name'])}, {size_text(dearest['self_size'], root['unit'])} itself"
    )


def _is_whole(icicle: pl.DataFrame) -> bool:
    """Is every node as wide as its own part and the nodes below it?"""
    root = icicle.filter(pl.col("depth") == 0)["total_size"].sum()
    return bool(icicle["self_size"].sum() == root)


def kept_nodes(
    nodes: pl.DataFrame, columns: Sequence[str], *, is_whole: bool = False, most_bytes: int = MOST_BYTES
) -> Kept:
    """Which nodes fit into this many bytes of data?  The widest; with a node its callers, which are no narrower.

    ``nodes`` is any icicle with the ``size`` that a node is wide; of its other numbers these ``columns`` are kept.
    """
    order = ["size", "depth", "left"]
    widest = nodes.filter(pl.col("size") > 0).sort(order, descending=[True, False, False])
    drawn, places = split(widest.head(_MOST_NODES), ("left", "size", "depth", *columns))
    drawn = drawn.head(max(compact.within(drawn, places, most_bytes), 1))
    used = places.head(int(drawn["place"].max() or 0) + 1)  # type: ignore[arg-type]  # in order of appearance
    return Kept(nodes=drawn, places=used, is_whole=is_whole and drawn.height == widest.height)


def split(frame: pl.DataFrame, columns: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The nodes with these columns and the row of their ``place``, and the places: each name in the code once."""
    keys = [
        name for name in ("name", "function", "file", "line", "package", "origin") if name in frame.columns
    ]
    raw = frame.select(keys).unique(maintain_order=True).with_row_index("place")
    nodes = frame.join(raw, on=keys, how="left", nulls_equal=True, maintain_order="left")
    return nodes.select(*columns, "place"), pl.DataFrame([_place(row) for row in raw.iter_rows(named=True)])


def _place(row: dict[str, object]) -> dict[str, str]:
    """A place as the data has it: what its name says already is not said again."""
    line = row.get("line")
    name, function = compact.shown(str(row["name"])), compact.shown(str(row["function"]))
    at = compact.where(str(row["file"] or ""), line if isinstance(line, int) else None)
    return {
        "name": name,
        "function": "" if name.split(" ")[-1] == function else function,
        "where": "" if name.startswith(at) else at,
        "group": group_of(str(row["package"] or ""), str(row["origin"] or "")),
    }


def group_of(package: str, origin: str) -> str:
    """What is a node coloured by: its package, or where it has none of its own, its origin."""
    if origin in _KINDS or not package:
        return {"native": "native code", "": OTHERS}.get(origin, origin)
    return compact.shown(package)


def stage_of(icicle: pl.DataFrame, nodes: pl.DataFrame, plot_px: int) -> Stage:
    """How many rows are drawn?  As many as hold a part worth a row of the whole; a click shows what is deeper."""
    whole = int(icicle["right"][0] - icicle["left"][0])
    of_row = nodes.group_by("depth").agg(pl.col("size").sum()).filter(pl.col("size") >= _WORTH_A_ROW * whole)
    n_rows = min(max(int(of_row["depth"].max() or 0) + 1, _FEWEST_ROWS), _MOST_ROWS)  # type: ignore[arg-type]
    return Stage(whole=whole, unit=str(icicle["unit"][0]), width=plot_px, n_rows=n_rows)


def coloured(kept: Kept) -> tuple[pl.DataFrame, alt.Color]:
    """The places with the group that colours them, and the scale of the groups."""
    groups, color = palette(kept.nodes.with_columns(group=kept.places["group"].gather(kept.nodes["place"])))
    return recoloured(kept.places, groups), color


def palette(drawn: pl.DataFrame, *, offset: int = 6) -> tuple[list[str], alt.Color]:
    """Which groups have a colour of their own?  Those that fill most of the picture, by ``group`` and ``size``.

    The root, which is nobody's, has the colour of the others.
    """
    area = drawn.filter(pl.col("depth") > 0).group_by("group").agg(pl.col("size").sum())
    area = area.filter(pl.col("group") != OTHERS)
    groups = area.sort("size", "group", descending=[True, False])["group"].head(len(theme.PACKAGES)).to_list()
    colors = [*theme.PACKAGES[: len(groups)], theme.PACKAGES_REST]
    legend = alt.Legend(title=None, orient="top", columns=8, symbolType="square", offset=offset)
    return groups, alt.Color(
        "group:N", scale=alt.Scale(domain=[*groups, OTHERS], range=colors), legend=legend
    )


def recoloured(places: pl.DataFrame, groups: Sequence[str]) -> pl.DataFrame:
    """The places of all other groups as ``others``."""
    group = pl.when(pl.col("group").is_in(list(groups))).then("group").otherwise(pl.lit(OTHERS))
    return places.with_columns(group=group)


def told(stage: Stage) -> list[dict[str, str]]:
    """What the tooltip of a node says."""
    said = {
        "call": "datum.name",
        "function": "datum.called",
        "at": "datum.at",
        "with all it called": size_expression("datum.size", stage.unit),
        "of the whole": share_expression("datum.size", stage.whole),
        COUNTED.get(stage.unit, "records"): "format(datum.n, ',')",
    }
    return [zooming.tip(said)]


def limits_said(icicle: pl.DataFrame, kept: Kept, stage: Stage) -> str:
    """What is not in the picture, and how to see more of what is?"""
    deepest = int(icicle["depth"].max() or 0) + 1  # type: ignore[arg-type]
    said = ["click: zoom in, double click: the whole"]
    if deepest > stage.n_rows:
        said.append(f"{stage.n_rows} of {deepest} rows are drawn at a time, a click shows deeper ones")
    if not kept.is_whole:
        said.append(f"nodes narrower than {share_text(kept.least, stage.whole)} are left out")
    return " · ".join(said)
