"""How much does each way of loading a model take: while it loads, by batch, and in two processes?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl

from diagtools.analyse.model_figures import Figure
from diagtools.analyse.model_story import Span, Spreads
from diagtools.errors import NoDataError
from diagtools.present import theme
from diagtools.present.charts.bars import ROW_PX, figures, names, plot_width, row_y, size_axis
from diagtools.present.charts.memory import MIB, memory_ticks, tick_format
from diagtools.present.names import fitted, text_px, wrapped
from diagtools.units import format_bytes

_WIDTH = 900
_FIGURE_PX = 88
_NAME_PX = 300  # at most
_HEIGHT = 300
_OWN, _FILES, _GONE = "its own", "pages of files", "gone after the first answer"
_PRIVATE, _SHARED = "of one process alone", "shared by both"
_FORKED, _APART = "forked after the load", "each loaded for itself"
_DURING, _KEPT = "during the batch", "kept after it"
_HEADROOM = 1.03


def loading_chart(spreads: pl.DataFrame, *, title: str, width: int = _WIDTH) -> alt.LayerChart:
    """What did each way of loading hold once it had answered, and how much more before?

    ``spreads`` is MODEL_SPREADS.  A bar a way, the least peak first: the process's own memory, pages of files, and what
    was gone once it had answered; the black line is the range of the peak over the rounds.  Raises ``NoDataError``
    where nothing was measured.
    """
    known = Spreads(spreads)
    rows = [
        row for place, span in enumerate(known.ranked(Figure.PEAK_BYTES)) for row in _held(known, span, place)
    ]
    colors = {_OWN: theme.MEMORY, _FILES: theme.ITEM, _GONE: theme.PALE}
    peaks = [
        {"place": row["place"], "low": row["low"], "high": row["high"]}
        for row in rows
        if row["part"] == _GONE
    ]
    subtitle = "memory (RSS) of fresh processes, medians; the black line is the range of the peak"
    return _bars(
        rows,
        colors,
        peaks,
        title=title,
        subtitle=subtitle,
        columns=(("total", "peak"), ("copies", "copies")),
        width=width,
    )


def sharing_chart(spreads: pl.DataFrame, *, title: str, width: int = _WIDTH) -> alt.LayerChart:
    """What do two processes take together, of their own and shared, forked after the load and before it?

    ``spreads`` is MODEL_SPREADS.  Two bars a way; each page is counted once.  Raises ``NoDataError`` where no two
    processes were looked at.
    """
    known = Spreads(spreads)
    rows: list[dict[str, Any]] = []
    place = 0
    for way in [span.way for span in known.ranked(Figure.APART_TOGETHER_BYTES)]:
        for label, together, private in (
            (_APART, Figure.APART_TOGETHER_BYTES, Figure.APART_PRIVATE_BYTES),
            (_FORKED, Figure.FORK_TOGETHER_BYTES, Figure.FORK_PRIVATE_BYTES),
        ):
            both, own = known.get(way, together), known.get(way, private)
            if both is not None and own is not None:
                rows += _together(f"{way}, {label}", both, own, place)
                place += 1
    colors = {_PRIVATE: theme.MEMORY, _SHARED: theme.ITEM}
    ranges = [
        {"place": row["place"], "low": row["low"], "high": row["high"]}
        for row in rows
        if row["part"] == _SHARED
    ]
    subtitle = "memory of two processes that both hold the model and have run it, each page counted once"
    return _bars(
        rows, colors, ranges, title=title, subtitle=subtitle, columns=(("total", "together"),), width=width
    )


def batches_chart(batches: pl.DataFrame, *, title: str, width: int = _WIDTH) -> alt.LayerChart:
    """How far does memory rise within a batch, and what of it stays?

    ``batches`` is MODEL_BATCHES.  Per way a line of what the batch asked for, and a dashed one of what was still there
    after it.  Raises ``NoDataError`` where no batch was run.
    """
    if batches.is_empty():
        raise NoDataError(
            "There are no batches to draw.", hint="name an infer that takes a number of inputs."
        )
    rows = _batch_rows(batches)
    top = max(max(row["mib"], row["high"]) for row in rows) * 1.05 or 1.0
    axis = alt.Axis(
        title="memory above a single input, MiB",
        values=memory_ticks(top),
        format=tick_format(top),
        domain=False,
        ticks=False,
    )
    scale = alt.Scale(domain=[0, top], nice=False)
    x, color = _batch_x(batches), _batch_color(batches)
    base = alt.Chart(pl.DataFrame(rows)).encode(x=x, y=alt.Y("mib:Q", scale=scale, axis=axis), color=color)
    subtitle = (
        "dots: the highest within the batch, medians with their range; rings: what was still there after it"
    )
    layers = _batch_layers(base, low=alt.Y("low:Q", scale=scale, axis=axis))
    return theme.dressed(
        alt.LayerChart(layer=layers, width=width - 90, height=_HEIGHT, title=_title(title, subtitle, width))
    )


def _batch_rows(batches: pl.DataFrame) -> list[dict[str, Any]]:
    return [
        {
            "way": row["way"],
            "inputs": row["n_inputs"],
            "mib": max(0, row[column]) / MIB,
            "what": what,
            "low": row["low_bytes"] / MIB,
            "high": row["high_bytes"] / MIB,
        }
        for row in batches.iter_rows(named=True)
        for what, column in ((_DURING, "activation_bytes"), (_KEPT, "kept_bytes"))
    ]


def _batch_x(batches: pl.DataFrame) -> alt.X:
    ticks = sorted(set(batches["n_inputs"]))
    axis = alt.Axis(title="inputs in one batch", values=ticks, format="d", grid=False)
    return alt.X("inputs:Q", scale=alt.Scale(zero=True, nice=False), axis=axis)


def _batch_color(batches: pl.DataFrame) -> alt.Color:
    ways = batches["way"].unique(maintain_order=True).to_list()
    inks = [theme.RUNS[place % len(theme.RUNS)] for place in range(len(ways))]
    legend = alt.Legend(symbolStrokeWidth=3, symbolType="stroke")
    return alt.Color("way:N", scale=alt.Scale(domain=ways, range=inks), legend=legend)


def _batch_layers(base: alt.Chart, *, low: alt.Y) -> list[alt.Chart]:
    """Lines, the range of what a batch asked for, and its dots and rings."""
    scale = alt.Scale(domain=[_DURING, _KEPT], range=[[1, 0], [5, 4]])
    tooltip = ["way:N", "what:N", "inputs:Q", alt.Tooltip("mib:Q", title="MiB", format=",.1f")]
    during = base.transform_filter(alt.datum.what == _DURING)
    kept = base.transform_filter(alt.datum.what == _KEPT)
    return [
        base.mark_line(strokeWidth=2.5).encode(strokeDash=alt.StrokeDash("what:N", scale=scale, legend=None)),
        during.mark_rule(strokeWidth=2).encode(y=low, y2="high:Q"),
        during.mark_point(filled=True, size=45, opacity=1).encode(tooltip=tooltip),
        kept.mark_point(filled=False, size=150, opacity=1, strokeWidth=1.5).encode(tooltip=tooltip),
    ]


# --- the rows ----------------------------------------------------------------------------------------


def _held(known: Spreads, peak: Span, place: int) -> list[dict[str, Any]]:
    """Own, of files, gone: what is not known of a way is not drawn."""
    way = peak.way
    parts = [known.get(way, figure) for figure in (Figure.ANON_BYTES, Figure.FILE_BYTES)]
    own, files = (0.0 if part is None else part.value for part in parts)
    ends = {_OWN: own, _FILES: own + files, _GONE: max(peak.value, own + files)}
    copies = known.get(way, Figure.COPIES)
    words = {"total": format_bytes(peak.value), "copies": "—" if copies is None else f"{copies.value:.1f}"}
    return _stacked(way, ends, peak, place, words)


def _together(label: str, both: Span, own: Span, place: int) -> list[dict[str, Any]]:
    ends = {_PRIVATE: min(own.value, both.value), _SHARED: both.value}
    return _stacked(label, ends, both, place, {"total": format_bytes(both.value)})


def _stacked(
    name: str, ends: dict[str, float], span: Span, place: int, words: dict[str, str]
) -> list[dict[str, Any]]:
    rows, begin = [], 0.0
    for part, end in ends.items():
        rows.append(
            {
                "place": place,
                "name": name,
                "part": part,
                "begin": begin / MIB,
                "end": end / MIB,
                "size": format_bytes(end - begin),
                "low": span.low / MIB,
                "high": span.high / MIB,
                **words,
            }
        )
        begin = end
    return rows


def _bars(
    rows: list[dict[str, Any]],
    colors: dict[str, str],
    ranges: list[dict[str, Any]],
    *,
    title: str,
    subtitle: str,
    columns: Sequence[tuple[str, str]],
    width: int,
) -> alt.LayerChart:
    """Stacked bars with names on the left, figures on the right, and a range at each end."""
    if not rows:
        raise NoDataError(
            "There is nothing to draw: nothing was measured.", hint="diagtools investigate model-loading"
        )
    top = max(max(row["end"], row["high"]) for row in rows) * _HEADROOM
    name_px = int(min(_NAME_PX, max(text_px(row["name"], theme.LABEL_SIZE) for row in rows) + 12))
    for row in rows:
        row["label"] = fitted(row["name"], name_px, theme.LABEL_SIZE)
    plot_px = plot_width(width, name_px, _FIGURE_PX * len(columns))
    n_rows = len({row["place"] for row in rows})
    data = pl.DataFrame(rows)
    firsts = data.unique("place", keep="first", maintain_order=True)
    scale = alt.Scale(domain=[0, top], nice=False)
    axis = size_axis(top, "memory, MiB")
    tooltip = [alt.Tooltip("name:N", title="way"), alt.Tooltip("part:N"), alt.Tooltip("size:N")]
    bars = (
        alt.Chart(data)
        .mark_bar()
        .encode(
            x=alt.X("begin:Q", scale=scale, axis=axis),
            x2="end:Q",
            y=row_y(),
            color=alt.Color("part:N", scale=alt.Scale(domain=list(colors), range=list(colors.values()))),
            tooltip=tooltip,
        )
    )
    line = (
        alt.Chart(pl.DataFrame(ranges))
        .mark_rule(color=theme.BLACK, strokeWidth=2)
        .encode(x=alt.X("low:Q", scale=scale, axis=axis), x2="high:Q", y=row_y())
    )
    layers = [bars, line, names(firsts), *figures(firsts, columns, plot_px, _FIGURE_PX)]
    return theme.dressed(
        alt.LayerChart(
            layer=layers, width=plot_px, height=n_rows * ROW_PX, title=_title(title, subtitle, width)
        )
    )


def _title(title: str, subtitle: str, width: int) -> alt.TitleParams:
    words = wrapped(title, width - 20, theme.TITLE_SIZE, bold=True)
    return alt.TitleParams(words, subtitle=subtitle)
