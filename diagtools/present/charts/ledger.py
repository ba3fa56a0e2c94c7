"""What does the memory of a process consist of?  A waterfall that ends exactly at its RSS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

import altair as alt
import polars as pl

from diagtools.analyse.ledger import Component, Source, highest
from diagtools.present import theme
from diagtools.present.charts.bars import ROW_PX, figures, names, plot_width, row_y, size_axis
from diagtools.present.charts.memory import MIB
from diagtools.present.names import fitted, wrapped
from diagtools.present.wording import count
from diagtools.units import format_bytes, format_share

_NAME_PX = 190
_VALUE_PX = 88
_FIGURES = (("value", ""), ("share", ""))
_SMALL = 0.004  # of the RSS: less is one row together
_RSS = "RSS"
_FILES, _PYTHON, _C, _OTHER = "files and stacks", "Python", "C library", "other allocators"
_UNKNOWN = "not told apart"
_REST = "small parts"

_GROUPS: Final = MappingProxyType(
    {
        _FILES: (
            Component.FILE_CODE,
            Component.FILE_DATA,
            Component.FILE_UNWRITTEN,
            Component.COPIED,
            Component.SHARED,
            Component.STACKS,
        ),
        _PYTHON: (Component.PYTHON_USED, Component.PYTHON_RETAINED, Component.PYTHON_SLACK),
        _C: (Component.C_USED, Component.C_FREE, Component.C_HEAP, Component.C_MMAPPED),
        _OTHER: (Component.POOL_USED, Component.POOL_KEPT, Component.POLARS, Component.OTHER),
        _UNKNOWN: (Component.ANONYMOUS, Component.UNEXPLAINED),
    }
)
_COLORS: Final = MappingProxyType(
    {
        _FILES: theme.ITEM,
        _PYTHON: theme.MEMORY,
        _C: theme.FAILED,
        _OTHER: theme.COUNTED,
        _UNKNOWN: theme.DEATH,
        _REST: theme.PALE,
        _RSS: theme.BLACK,
    }
)
_GROUP_OF: Final = MappingProxyType({each: group for group, parts in _GROUPS.items() for each in parts})
_MEANING: Final = MappingProxyType(
    {
        Component.FILE_CODE: "code and constants of programs and libraries",
        Component.FILE_DATA: "pages of other files that the kernel can drop",
        Component.FILE_UNWRITTEN: "pages of other files that have to be written first",
        Component.COPIED: "pages of files that the process has changed for itself",
        Component.SHARED: "memory that other processes may map too",
        Component.STACKS: "stacks of threads",
        Component.PYTHON_USED: "blocks of Python's allocator in use",
        Component.PYTHON_RETAINED: "free blocks in pools in use",
        Component.PYTHON_SLACK: "free pools, and what the allocator needs itself",
        Component.C_USED: "blocks of malloc in use",
        Component.C_FREE: "free in malloc's heaps, and still there",
        Component.C_HEAP: "malloc's heap, in use or free",
        Component.C_MMAPPED: "large blocks of malloc, as far as they were touched",
        Component.POOL_USED: "what pyarrow's pool has handed out",
        Component.POOL_KEPT: "what the process keeps for pyarrow's pool beside that",
        Component.POLARS: "mapped the way polars' allocator does, in use or free",
        Component.OTHER: "mapped the way allocators do, in use or free",
        Component.ANONYMOUS: "private memory: of Python, of C, of other allocators",
        Component.UNEXPLAINED: "private memory that nothing known here claims",
    }
)


def waterfall(ledger: pl.DataFrame, *, title: str | None = None, width: int = 900) -> alt.LayerChart:
    """Of what does the RSS consist?  Each bar begins where the one above it ends; the last is the RSS.

    ``ledger`` is LEDGER; of several snapshots the one that held most is drawn.  What is very small is one bar together.
    Raises ``NoDataError`` where there is no snapshot.
    """
    one = highest(ledger)
    rss = int(one["bytes"].sum())
    data = pl.DataFrame(list(_rows(one, rss)), infer_schema_length=None).with_row_index("place")
    plot_px = plot_width(width, _NAME_PX, len(_FIGURES) * _VALUE_PX)
    told = names(data, field="name", tooltip=_tooltip())
    layers = [_links(data, rss), _bars(data, rss), told, *figures(data, _FIGURES, plot_px, _VALUE_PX)]
    chart = alt.LayerChart(
        layer=layers,
        width=plot_px,
        height=ROW_PX * data.height,
        title=alt.TitleParams(
            wrapped(title or waterfall_title(one), width - 20, theme.TITLE_SIZE, bold=True),
            subtitle=wrapped(_subtitle(one), width - 20, theme.SUBTITLE_SIZE),
        ),
    )
    return theme.dressed(chart)


def waterfall_title(ledger: pl.DataFrame) -> str:
    """How much is held, and what is the largest part of it, in one sentence?"""
    rss = int(ledger["bytes"].sum())
    top = ledger.sort("bytes", descending=True, maintain_order=True).row(0, named=True)
    share = format_share(top["bytes"] / rss) if rss else "0 %"
    return f"Of {format_bytes(rss)} RSS, {format_bytes(top['bytes'])} is {top['component']}: {share}"


def _subtitle(ledger: pl.DataFrame) -> str:
    first = ledger.row(0, named=True)
    label = f" “{fitted(first['label'], 300, theme.SUBTITLE_SIZE)}”" if first["label"] else ""
    when = f", {first['t_s']:,.1f} s after the start" if first["t_s"] is not None else ""
    bound = " · ≤: at most" if (ledger["source"] == Source.BOUND).any() else ""
    return f"process {first['pid']}, {first['moment']}{label}{when} · each bar begins where the one above ends{bound}"


def _rows(one: pl.DataFrame, rss: int) -> Iterator[dict[str, object]]:
    """The bars from the top down; the small ones together stand before what is not explained."""
    small = (pl.col("bytes") < _SMALL * rss) & (pl.col("component") != Component.UNEXPLAINED)
    last = pl.col("component") == Component.UNEXPLAINED
    rest = one.filter(small)
    bars = [_part(row, rss) for row in one.filter(~small & ~last).iter_rows(named=True)]
    if rest.height:
        names = ", ".join(rest["component"])
        bars.append(_bar(count(rest.height, "small part"), _REST, int(rest["bytes"].sum()), rss, names))
    bars += [_part(row, rss) for row in one.filter(last).iter_rows(named=True)]
    at = 0
    for bar in [*bars, _bar(_RSS, _RSS, rss, rss, "what the process holds")]:
        begin = 0 if bar["name"] == _RSS else at
        at = begin + bar.pop("size")
        yield {**bar, "begin_mib": round(begin / MIB, 4), "end_mib": round(at / MIB, 4)}


def _part(row: Mapping[str, Any], rss: int) -> dict[str, Any]:
    component, bound = Component(row["component"]), row["bound_bytes"]
    bar = _bar(str(component), _GROUP_OF[component], row["bytes"], rss, _MEANING[component])
    if row["source"] == Source.BOUND:
        bar["value"] = f"≤ {bar['value']}"
    if bound is None:
        return {**bar, "bound": "by how much is not known"}
    return {**bar, "bound": f"by up to {format_bytes(bound)}"} if bound else bar


def _bar(name: str, group: str, size: int, rss: int, meaning: str) -> dict[str, Any]:
    return {
        "name": name,
        "group": group,
        "size": size,
        "value": format_bytes(size),
        "share": format_share(size / rss) if rss else "",
        "meaning": meaning,
        "bound": "no",
    }


def _x(field: str, rss: int) -> alt.X:
    top = max(rss, 1) / MIB
    return alt.X(
        f"{field}:Q", scale=alt.Scale(domain=[0, top * 1.01], nice=False), axis=size_axis(top, "MiB")
    )


def _bars(data: pl.DataFrame, rss: int) -> alt.Chart:
    groups = [group for group in _COLORS if group in set(data["group"])]
    color = alt.Color(
        "group:N",
        scale=alt.Scale(domain=groups, range=[_COLORS[group] for group in groups]),
        legend=alt.Legend(
            values=[group for group in groups if group not in (_REST, _RSS)],
            symbolType="square",
            symbolSize=140,
        ),
    )
    chart: alt.Chart = (
        alt.Chart(data)
        .mark_bar(minBandSize=2)
        .encode(x=_x("begin_mib", rss), x2="end_mib:Q", y=row_y(), color=color, tooltip=_tooltip())
    )
    return chart


def _links(data: pl.DataFrame, rss: int) -> alt.Chart:
    """A thin line at the end of each bar, so that one too small to be seen has its place."""
    chart: alt.Chart = (
        alt.Chart(data)
        .mark_tick(thickness=1, color=theme.GREY, size=ROW_PX)
        .encode(x=_x("end_mib", rss), y=row_y())
    )
    return chart


def _tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("name:N", title="part"),
        alt.Tooltip("value:N", title="size"),
        alt.Tooltip("share:N", title="share of the RSS"),
        alt.Tooltip("meaning:N", title="what it is"),
        alt.Tooltip("bound:N", title="may be wrong"),
    ]
