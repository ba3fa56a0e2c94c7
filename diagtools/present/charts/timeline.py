"""How did the program's memory run, in which phases and items, and what ended it?"""

from __future__ import annotations

from dataclasses import dataclass, field

import altair as alt
import polars as pl

from diagtools.present import theme
from diagtools.present.charts import memory
from diagtools.present.charts.items import item_strip
from diagtools.present.charts.phases import phase_starts, phase_strip
from diagtools.present.charts.placing import ONE_ROW, Align, Canvas, Label, drawn
from diagtools.present.charts.story import Story
from diagtools.present.names import file_name, fitted, wrapped
from diagtools.present.wording import where_it_ended
from diagtools.units import format_bytes
from diagtools.values import Death

_HEIGHT = 290
_NAME_PX = 220
_SHORTEST_S = 1e-3


def timeline_chart(
    tree: pl.DataFrame,
    *,
    phases: pl.DataFrame | None = None,
    items: pl.DataFrame | None = None,
    limit_bytes: int | None = None,
    death: Death | None = None,
    item_in_flight: str | None = None,
    title: str | None = None,
    width: int = 900,
) -> alt.VConcatChart:
    """How did the memory of the process tree run, and where did it end?

    ``tree`` is a TREE, ``phases`` PHASES, ``items`` ITEMS.  The curve is reduced to the smallest and the largest
    sample of each pixel, so its peak is the recorded one.  ``width`` is that of the whole picture.  Without
    ``title`` the chart says itself what it shows.  Raises ``NoDataError`` for a tree without samples.
    """
    story = Story.of(tree, items=items, limit_bytes=limit_bytes, death=death, item_in_flight=item_in_flight)
    panel = _panel(story, phases, width)
    strip = phase_strip(phases, panel) if phases is not None else None
    below = item_strip(items, panel) if items is not None else None
    starts = phase_starts(phases, panel, labels=below is None) if phases is not None else []
    panels = [strip, _main(story, panel, starts, is_last=below is None), below]
    words = alt.TitleParams(
        wrapped(title or story.title(), width - 20, theme.TITLE_SIZE, bold=True),
        subtitle=wrapped(story.subtitle(), width - 20, theme.SUBTITLE_SIZE),
    )
    return theme.dressed(alt.vconcat(*(part for part in panels if part is not None), spacing=6, title=words))


def _panel(story: Story, phases: pl.DataFrame | None, width: int) -> memory.Panel:
    ends = phases["end_s"].drop_nulls().to_list() if phases is not None else []
    used = story.tree["used_bytes"].drop_nulls().to_list()
    return memory.Panel(
        width=width - memory.AXIS_PX - 24,
        height=_HEIGHT,
        end_s=max([story.end_s, _SHORTEST_S, *ends]),
        peak_bytes=max([story.peak.rss_bytes, *used]),
        limit_bytes=story.limit_bytes,
    )


def _main(story: Story, panel: memory.Panel, starts: list[alt.Chart], *, is_last: bool) -> alt.LayerChart:
    rows = memory.points(story.tree, panel.width)
    base = alt.Chart(pl.DataFrame(rows)).encode(x=panel.x(labels=is_last), y=panel.y())
    tooltip = [
        alt.Tooltip("t_s:Q", title="time, s", format=",.2f"),
        alt.Tooltip("mib:Q", title="memory, MiB", format=",.1f"),
    ]
    curve = [
        base.mark_area(color=theme.MEMORY, opacity=0.14),
        base.mark_line(color=theme.MEMORY, strokeWidth=1.8, strokeJoin="round"),
    ]
    hover = base.mark_point(opacity=0, size=120).encode(tooltip=tooltip)
    marked = [
        _death(story, panel),
        _before(story, panel),
        _peak(story, panel),
        _counted(story, panel, is_last=is_last),
    ]
    canvas = Canvas(frame=panel.frame, points=[*memory.pixels(panel, rows), *memory.limit_points(panel)])
    placed = canvas.place([*memory.limit_label(panel), *(label for one in marked for label in one.labels)])
    marks = [mark for one in marked for mark in one.marks]
    layers = [*starts, *curve, *memory.limit_rule(panel), *marks, *drawn(placed), hover]
    return alt.LayerChart(layer=layers, width=panel.width, height=panel.height)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marked:
    """Something marked in the panel and the label that goes with it; empty where there is nothing to mark."""

    marks: list[alt.Chart] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)


def _death(story: Story, panel: memory.Panel) -> _Marked:
    """Where and how the run died."""
    if story.death is None:
        return _Marked()
    x, y = panel.x_px(story.last.t_s), panel.y_px(story.last.rss_bytes)
    lines: tuple[str, ...] = (where_it_ended(story.death, story.size_at_death, None),)
    if story.item_in_flight:
        lines = (*lines, f"in {fitted(file_name(story.item_in_flight), 300, 13, bold=True)}")
    around: tuple[tuple[Align, int], ...] = (("right", -1), ("right", 0), ("right", 1))
    label = Label(lines=lines, x=x + 8, y=y, color=theme.DEATH_INK, size=13, bold=True, at=around)
    return _Marked(marks=memory.cross(x, y), labels=[label])


def _before(story: Story, panel: memory.Panel) -> _Marked:
    """What was there when the item in flight at the death began, and how long it ran."""
    point = story.before_the_end()
    if story.death is None or point is None or story.item_in_flight is None:
        return _Marked()
    x, y, end = panel.x_px(point.t_s), panel.y_px(point.rss_bytes), panel.x_px(story.last.t_s)
    name = fitted(file_name(story.item_in_flight), _NAME_PX, theme.LABEL_SIZE)
    around: tuple[tuple[Align, int], ...] = (("right", -1), ("right", 1), ("left", 1))
    label = Label(lines=(f"{format_bytes(point.rss_bytes)} when {name} began",), x=x, y=y, at=around)
    shade = alt.Chart(ONE_ROW).mark_rect(color=theme.DEATH, opacity=0.08)
    span = shade.encode(x=alt.value(round(x, 1)), x2=alt.value(round(end, 1)))
    return _Marked(marks=[span, memory.dot(x, y)], labels=[label])


def _peak(story: Story, panel: memory.Panel) -> _Marked:
    """The highest point, unless that is where the run died."""
    if story.death is not None and story.peak.rss_bytes <= story.last.rss_bytes * 1.02:
        return _Marked()
    x, y = panel.x_px(story.peak.t_s), panel.y_px(story.peak.rss_bytes)
    name = story.item_at(story.peak.t_s)
    where = f" in {fitted(file_name(name), _NAME_PX, theme.LABEL_SIZE)}" if name else ""
    label = Label(lines=(f"peak {story.in_words(story.peak.rss_bytes)}{where}",), x=x, y=y)
    return _Marked(marks=[memory.dot(x, y)], labels=[label])


def _counted(story: Story, panel: memory.Panel, *, is_last: bool) -> _Marked:
    """What the limit compares, as a second line, where it lies visibly below the RSS."""
    if panel.limit_bytes is None or not story.counts_apart:
        return _Marked()
    rows = memory.points(story.tree.drop_nulls("used_bytes"), panel.width // 2, "used_bytes")
    line = alt.Chart(pl.DataFrame(rows)).mark_line(color=theme.COUNTED, strokeWidth=1.8, strokeDash=[5, 3])
    middle = rows[len(rows) // 2]
    label = Label(
        lines=("what the limit compares", "(shared memory counted once)"),
        x=panel.x_px(middle["t_s"]),
        y=panel.y_px(middle["mib"] * memory.MIB),
        color=theme.COUNTED_INK,
        size=11,
    )
    return _Marked(marks=[line.encode(x=panel.x(labels=is_last), y=panel.y())], labels=[label])
