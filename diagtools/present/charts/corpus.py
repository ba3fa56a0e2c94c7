"""In which folders are the bytes and chunks of a corpus, and which of them did programs write?"""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from diagtools.errors import NoDataError
from diagtools.present import theme
from diagtools.present.charts.bars import ROW_PX, figures, left_edge, names, plot_width, row_y, size_axis
from diagtools.present.names import fitted, printable, wrapped
from diagtools.present.sizes import Step, fitting_step
from diagtools.profile import Unit
from diagtools.units import format_bytes, format_share

_NAME_PX = 260
_VALUE_PX = 82
_OTHERS = "others"
_COLUMNS = (("size", "size"), ("chunks", "chunks"), ("files", "files"), ("generated", "generated"))


def corpus_chart(branches: pl.DataFrame, *, title: str | None = None, width: int = 940) -> alt.LayerChart:
    """In which folders are the bytes and chunks, and which part of them did programs write?

    ``branches`` is CORPUS_TOTALS by folder, rows that sum to the whole (``analyse.corpus_branches``); ``others`` is
    drawn last.  The bar is text in bytes, the hand-written part first.  Raises ``NoDataError`` for an empty corpus.
    """
    if branches.is_empty():
        raise NoDataError("There are no files to draw.", hint="scan a folder that holds text.")
    others = pl.col("key") == _OTHERS
    ranked = branches.sort(others, "size_bytes", "key", descending=[False, True, False])
    step = fitting_step(max(ranked["size_bytes"]), Unit.BYTES)
    data = pl.DataFrame([_row(row, step) for row in ranked.iter_rows(named=True)]).with_row_index("place")
    plot_px = plot_width(width, _NAME_PX, len(_COLUMNS) * _VALUE_PX)
    words = wrapped(title or corpus_title(branches), width - 20, theme.TITLE_SIZE, bold=True)
    beside = [left_edge(_NAME_PX), names(data), *figures(data, _COLUMNS, plot_px, _VALUE_PX)]
    chart = alt.LayerChart(
        layer=[*_bars(data, step), *beside],
        width=plot_px,
        height=ROW_PX * data.height,
        title=alt.TitleParams(
            words,
            subtitle=f"bar: text in {step.name}; a row with … is without the folders that have rows of their own",
        ),
    )
    return theme.dressed(chart)


def corpus_title(branches: pl.DataFrame) -> str:
    """How much of the text is generated, and which folder holds most, in one sentence?"""
    whole = int(branches["size_bytes"].sum())
    generated = int(branches["generated_bytes"].sum())
    part = f"{format_share(generated / whole)} of it generated" if generated else "none of it generated"
    sentence = f"{format_bytes(whole)} of text, {part}" if whole else "No text"
    named = branches.filter(pl.col("key") != _OTHERS).sort("size_bytes", "key", descending=[True, False])
    if named.height < 2 or not whole:
        return sentence
    top = named.row(0, named=True)
    share = format_share(top["size_bytes"] / whole)
    return f"{sentence}; {fitted(top['key'], 380, theme.TITLE_SIZE, bold=True)} holds most, {share}"


def _row(row: dict[str, Any], step: Step) -> dict[str, Any]:
    written = row["size_bytes"] - row["generated_bytes"]
    return {
        "name": printable(row["key"]),
        "label": fitted(row["key"], _NAME_PX, theme.LABEL_SIZE),
        "zero": 0.0,
        "written": round(written / step.factor, 4),
        "end": round(row["size_bytes"] / step.factor, 4),
        "size": format_bytes(row["size_bytes"]),
        "chunks": f"{row['n_chunks']:,}",
        "files": f"{row['n_files']:,}",
        "generated": "—" if row["generated_share"] is None else format_share(row["generated_share"]),
    }


def _bars(data: pl.DataFrame, step: Step) -> list[alt.Chart]:
    top = max(1.0, *data["end"])
    axis = size_axis(top, step.name)
    scale = alt.Scale(domain=[0, top * 1.02], nice=False)
    kinds = [("hand-written", "zero", "written"), ("generated", "written", "end")]
    tooltip = [
        alt.Tooltip("name:N", title="folder"),
        *(alt.Tooltip(f"{field}:N", title=heading) for field, heading in _COLUMNS),
    ]
    color = alt.Scale(domain=[kind for kind, *_ in kinds], range=[theme.KINDS[kind] for kind, *_ in kinds])
    layers: list[alt.Chart] = [
        alt.Chart(data)
        .transform_calculate(kind=f"'{kind}'")
        .mark_bar()
        .encode(
            x=alt.X(f"{begin}:Q", scale=scale, axis=axis),
            x2=f"{end}:Q",
            y=row_y(),
            color=alt.Color("kind:N", scale=color, legend=alt.Legend(symbolType="square", symbolSize=140)),
            tooltip=tooltip,
        )
        for kind, begin, end in kinds
    ]
    return layers
