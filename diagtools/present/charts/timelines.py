"""How does the memory of several runs compare over time?  Their curves over each other, with the limit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import chain

import altair as alt
import polars as pl

from diagtools.analyse.tree import FINAL_S
from diagtools.errors import NoDataError
from diagtools.present import theme
from diagtools.present.charts import memory
from diagtools.present.charts.placing import Align, Canvas, Label, drawn
from diagtools.present.names import fitted, wrapped
from diagtools.present.wording import count, of_limit
from diagtools.units import format_bytes

_HEIGHT = 340
_NAME_PX = 200

_AT_END: tuple[tuple[Align, int], ...] = (
    ("left", 0),
    ("right", -1),
    ("right", 1),
    ("center", -1),
    ("left", -1),
    ("left", 1),
)


def timelines_chart(
    trees: Mapping[str, pl.DataFrame],
    *,
    limit_bytes: int | None = None,
    killed: Collection[str] = (),
    title: str | None = None,
    width: int = 900,
) -> alt.LayerChart:
    """Which change flattened the curve, and which kept the run alive?

    ``trees`` holds a TREE a run by its name, the program as it was first; ``killed`` names the runs that were
    killed: their curves end in a cross.  The curve of a run that ended by itself ends where it held its final RSS
    last: what it gave back while its interpreter was torn down is left out.  Each curve is labelled at its end.
    Raises ``NoDataError`` where there is no run, or one without samples.
    """
    if not trees:
        raise NoDataError("There are no runs to draw.", hint="pass at least one run's tree.")
    recorded = {name: memory.samples(tree) for name, tree in trees.items()}
    found = {name: tree if name in killed else _in_use(tree) for name, tree in recorded.items()}
    panel = memory.Panel(
        width=width - memory.AXIS_PX - 24,
        height=_HEIGHT,
        end_s=max(1e-3, *(tree["t_s"].item(-1) for tree in found.values())),
        peak_bytes=max(_peak(tree) for tree in found.values()),
        limit_bytes=limit_bytes,
    )
    rows = {name: memory.points(tree, panel.width // 2) for name, tree in found.items()}
    labels = [
        _label(name, rows[name][-1], _peak(tree), panel, killed, n)
        for n, (name, tree) in enumerate(found.items())
    ]
    obstacles = [spot for line in rows.values() for spot in memory.pixels(panel, line)]
    canvas = Canvas(frame=panel.frame, points=[*obstacles, *memory.limit_points(panel)])
    placed = canvas.place([*memory.limit_label(panel), *labels])
    words = wrapped(
        title or timelines_title(found, limit_bytes=limit_bytes, killed=killed),
        width - 20,
        theme.TITLE_SIZE,
        bold=True,
    )
    layers = [*_lines(rows, panel), *memory.limit_rule(panel), *_ends(rows, panel, killed), *drawn(placed)]
    chart = alt.LayerChart(
        layer=layers,
        width=panel.width,
        height=panel.height,
        title=alt.TitleParams(words, subtitle=_subtitle(recorded, killed)),
    )
    return theme.dressed(chart)


def timelines_title(
    trees: Mapping[str, pl.DataFrame], *, limit_bytes: int | None, killed: Collection[str]
) -> str:
    """How many of the runs were killed, and which of the others needed least?"""
    alive = {name: _peak(tree) for name, tree in trees.items() if name not in killed}
    n_killed = len(trees) - len(alive)
    if not alive:
        return {1: "The run was killed", 2: "Both runs were killed"}.get(
            n_killed, f"All {n_killed} runs were killed"
        )
    name, peak = min(alive.items(), key=lambda pair: pair[1])
    lowest = f"lowest peak: {name}, {of_limit(peak, limit_bytes)}"
    if not n_killed:
        return f"{lowest[0].upper()}{lowest[1:]}"
    return f"{n_killed} of {len(trees)} runs killed; {lowest}"


def _subtitle(trees: Mapping[str, pl.DataFrame], killed: Collection[str]) -> str:
    n_samples = sum(tree.height for tree in trees.values())
    crosses = " · × killed" if any(name in killed for name in trees) else ""
    return f"memory of the process tree, one curve a run · {count(n_samples, 'sample')}{crosses}"


def _in_use(tree: pl.DataFrame) -> pl.DataFrame:
    """The samples up to the last one at the highest level of the end."""
    end = tree.filter(pl.col("t_s") >= pl.col("t_s").max() - FINAL_S)
    highest = end.filter(pl.col("rss_bytes") == pl.col("rss_bytes").max())
    return tree.filter(pl.col("t_s") <= highest["t_s"].item(-1))


def _lines(rows: Mapping[str, list[dict[str, float]]], panel: memory.Panel) -> list[alt.Chart]:
    lines: list[alt.Chart] = []
    for number, points in reversed(list(enumerate(rows.values()))):  # the first one lies on top
        base = alt.Chart(pl.DataFrame(points)).encode(x=panel.x(labels=True), y=panel.y())
        tooltip = [
            alt.Tooltip("t_s:Q", title="time, s", format=",.2f"),
            alt.Tooltip("mib:Q", title="memory, MiB", format=",.1f"),
        ]
        lines.append(
            base.mark_line(
                color=theme.RUNS[number % len(theme.RUNS)],
                strokeDash=list(theme.RUN_DASHES[number % len(theme.RUN_DASHES)]),
                strokeWidth=2.2 if not number else 1.8,
                strokeJoin="round",
            )
        )
        lines.append(base.mark_point(opacity=0, size=60).encode(tooltip=tooltip))
    return lines


def _ends(
    rows: Mapping[str, list[dict[str, float]]], panel: memory.Panel, killed: Collection[str]
) -> list[alt.Chart]:
    marks = []
    for number, (name, points) in reversed(list(enumerate(rows.items()))):
        x, y = panel.x_px(points[-1]["t_s"]), panel.y_px(points[-1]["mib"] * memory.MIB)
        color = theme.RUNS[number % len(theme.RUNS)]
        marks.append(memory.cross(x, y, color) if name in killed else [memory.dot(x, y, color)])
    return list(chain.from_iterable(marks))


def _label(
    name: str, end: dict[str, float], peak: int, panel: memory.Panel, killed: Collection[str], number: int
) -> Label:
    shown = fitted(name, _NAME_PX, theme.LABEL_SIZE, bold=True)
    fate = (
        f"killed at {format_bytes(end['mib'] * memory.MIB)}"
        if name in killed
        else f"peak {format_bytes(peak)}"
    )
    return Label(
        lines=(f"{shown}: {fate}",),
        x=panel.x_px(end["t_s"]),
        y=panel.y_px(end["mib"] * memory.MIB),
        color=theme.RUNS_INK[number % len(theme.RUNS_INK)],
        bold=True,
        at=_AT_END,
        leader=True,
    )


def _peak(tree: pl.DataFrame) -> int:
    peak = tree["rss_bytes"].max()
    return peak if isinstance(peak, int) else 0
