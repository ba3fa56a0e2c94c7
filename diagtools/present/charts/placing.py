"""Where can labels stand so that none covers another, a line, or the edge of the picture?

A greedy choice among fixed positions around each label's point, most important label first: with at most a
dozen labels in a chart that is as good as an optimiser, and it is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import dist
from typing import Literal

import altair as alt
import polars as pl

from diagtools.present import theme
from diagtools.present.names import text_px

Align = Literal["left", "center", "right"]

#: The data of a mark whose place is given in pixels.
ONE_ROW = pl.DataFrame({"mark": [0]})

LINE_HEIGHT = 1.25
_GAP = 7.0
_DISTANCES = (1.0, 2.2, 4.0, 6.4, 9.0, 12.0, 16.0, 21.0)  #: in gaps from the point, the nearest first
_LEADER_FROM = 12.0
_PER_OVERLAP = 1000.0
_PER_EDGE = 20  #: overlaps: what is cut off cannot be read at all
_PER_POINT = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle in pixels; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        """Do the two share a point?"""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom

    def holds(self, x: float, y: float) -> bool:
        """Is the point inside?"""
        return self.left <= x <= self.right and self.top <= y <= self.bottom

    def outside(self, frame: Box) -> bool:
        """Does any part stick out of the frame?"""
        across = self.left < frame.left or self.right > frame.right
        return across or self.top < frame.top or self.bottom > frame.bottom


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """Lines of text that belong to a point, given in pixels (``x``, ``y``).

    ``at`` restricts the positions.  An ``optional`` label stands next to its point, or is left out where it would
    cover another.  A ``leader`` is a thin line to the point where the label
    had to stand away from it.
    """

    lines: tuple[str, ...]
    x: float
    y: float
    color: str = theme.BLACK
    size: float = theme.LABEL_SIZE
    bold: bool = False
    optional: bool = False
    leader: bool = False
    at: tuple[tuple[Align, int], ...] = ()

    @property
    def width(self) -> float:
        """The width of the widest line."""
        return max(text_px(line, self.size, bold=self.bold) for line in self.lines)

    @property
    def height(self) -> float:
        """The height of all lines."""
        return len(self.lines) * self.size * LINE_HEIGHT


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A label and where it stands."""

    label: Label
    align: Align
    box: Box


#: Right and above first, as people read; −1 is above the point, 0 beside it, 1 below.
_AROUND: tuple[tuple[Align, int], ...] = (
    ("left", -1),
    ("right", -1),
    ("center", -1),
    ("left", 0),
    ("right", 0),
    ("left", 1),
    ("right", 1),
    ("center", 1),
)


@dataclass(slots=True)
class Canvas:
    """The pixels of one panel: its size, what is drawn there, and the labels placed so far."""

    frame: Box
    points: Sequence[tuple[float, float]] = ()
    boxes: list[Box] = field(default_factory=list)

    def place(self, labels: Iterable[Label]) -> list[Placed]:
        """Where does each label stand?  Earlier labels choose first."""
        return [placed for label in labels if (placed := self._placed(label)) is not None]

    def _placed(self, label: Label) -> Placed | None:
        distances = _DISTANCES[:1] if label.optional else _DISTANCES
        spots = product(distances, label.at or _AROUND)
        choices = [
            Placed(label=label, align=align, box=_box(label, align, side, far * _GAP))
            for far, (align, side) in spots
        ]
        costs = [self._cost(choice.box) + rank / 100 for rank, choice in enumerate(choices)]
        cost = min(costs)
        if label.optional and cost >= _PER_OVERLAP:
            return None
        best = choices[costs.index(cost)]
        self.boxes.append(best.box)
        return best

    def _cost(self, box: Box) -> float:
        overlaps = sum(box.overlaps(other) for other in self.boxes) + _PER_EDGE * box.outside(self.frame)
        covered = sum(box.holds(x, y) for x, y in self.points)
        return _PER_OVERLAP * overlaps + _PER_POINT * min(covered, 40)


def _box(label: Label, align: Align, side: int, gap: float) -> Box:
    left = {"left": label.x, "right": label.x - label.width, "center": label.x - label.width / 2}[align]
    if side == 0:
        left += {"left": gap, "right": -gap, "center": 0.0}[align]
    middle = label.y + side * (label.height / 2 + gap)
    top = middle - label.height / 2
    return Box(left=left, top=top, right=left + label.width, bottom=top + label.height)


def at_px(x: float, y: float) -> alt.Chart:
    """A chart of one mark at a point given in pixels."""
    chart: alt.Chart = alt.Chart(ONE_ROW).encode(x=alt.value(round(x, 1)), y=alt.value(round(y, 1)))
    return chart


def text_at(
    x: float,
    y: float,
    text: str,
    *,
    color: str = theme.BLACK,
    size: float = theme.LABEL_SIZE,
    bold: bool = False,
) -> alt.Chart:
    """A line of text whose left end is at a point given in pixels."""
    chart: alt.Chart = at_px(x, y).mark_text(
        text=text,
        align="left",
        baseline="middle",
        color=color,
        fontSize=size,
        fontWeight="bold" if bold else "normal",
    )
    return chart


def drawn(placed: Iterable[Placed]) -> list[alt.Chart]:
    """The labels as marks, each over a white halo that keeps it readable across lines."""
    found = list(placed)
    lines = [mark for one in found for index in range(len(one.label.lines)) for mark in _line(one, index)]
    return [*(_leader(one) for one in found if one.label.leader and _distance(one) > _LEADER_FROM), *lines]


def _nearest(placed: Placed) -> tuple[float, float]:
    label, box = placed.label, placed.box
    return min(max(label.x, box.left), box.right), min(max(label.y, box.top), box.bottom)


def _distance(placed: Placed) -> float:
    return dist((placed.label.x, placed.label.y), _nearest(placed))


def _leader(placed: Placed) -> alt.Chart:
    x, y = _nearest(placed)
    line: alt.Chart = at_px(placed.label.x, placed.label.y).mark_rule(
        color=placed.label.color, strokeWidth=0.8
    )
    return line.encode(x2=alt.value(round(x, 1)), y2=alt.value(round(y, 1)))


def _line(placed: Placed, index: int) -> tuple[alt.Chart, alt.Chart]:
    label, box = placed.label, placed.box
    x = {"left": box.left, "right": box.right, "center": (box.left + box.right) / 2}[placed.align]
    y = box.top + (index + 0.5) * label.size * LINE_HEIGHT
    base = at_px(x, y)
    halo = _text(base, placed, index, stroke=theme.WHITE)
    return halo, _text(base, placed, index, stroke=None)


def _text(base: alt.Chart, placed: Placed, index: int, *, stroke: str | None) -> alt.Chart:
    label = placed.label
    chart: alt.Chart = base.mark_text(
        text=label.lines[index],
        align=placed.align,
        baseline="middle",
        fontSize=label.size,
        fontWeight="bold" if label.bold else "normal",
        color=stroke or label.color,
    )
    if stroke is not None:
        chart.mark.stroke = stroke
        chart.mark.strokeWidth = 3
        chart.mark.strokeJoin = "round"
    return chart
