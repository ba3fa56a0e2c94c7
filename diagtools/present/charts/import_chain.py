"""Who pulled a module in: which statement led to which, from the program down to it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import altair as alt
import polars as pl

from diagtools.analyse.import_graph import NO_LINE
from diagtools.analyse.imports import PROGRAM
from diagtools.errors import NoDataError
from diagtools.present import theme
from diagtools.present.imports import place
from diagtools.present.names import fitted, from_left, printable, wrapped
from diagtools.units import format_bytes

_BOX_PX = 28
_GAP_PX = 30  # between two boxes, for the statement's place
_STEP_PX = 64  #: right of the one before, where there is room
_STEM_PX = 18  # from a box's left edge to the arrow that leaves it
_HEAD_PX = 7
_LEAST_BOX_PX = 420
_MOST_BOX_PX = 560
_SIZE_PX = 86
_PAD_PX = 10
_SMALL = 11
_TITLE_NAME_PX = 420
_FILL = "#CFE3F1"
_LAST_FILL = "#F2C879"
_LAST_EDGE = "#8A5A00"
_PROGRAM_NAME = "the program"
#: Statements that stand in no file, and what is said instead.
_NO_FILES = MappingProxyType(
    {"<statement>": "the measured statement", NO_LINE: "C code, without a line of Python"}
)


def import_chain_chart(
    chain: pl.DataFrame, imports: pl.DataFrame, *, title: str | None = None, width: int = 980
) -> alt.LayerChart:
    """Who pulled this module in, statement by statement?

    ``chain`` is IMPORT_EDGES in order, from the program to the module; ``imports`` is the IMPORTS of the same program.
    A box a module, filled by its share of the memory of all imports; an arrow a statement, with its place.  Dashed is
    an arrow along which the module was not loaded: another one had been there before.  Raises ``NoDataError`` for an
    empty chain.
    """
    if chain.is_empty():
        raise NoDataError(
            "There is no chain of imports to draw.", hint="`cost.imports` lists what was imported."
        )
    sheet = _Sheet.of(chain, imports, width - 28)
    chart = alt.LayerChart(
        layer=[*_arrows(sheet), *_boxes(sheet)],
        width=sheet.width,
        height=sheet.height,
        title=alt.TitleParams(
            wrapped(title or import_chain_title(chain, imports), width - 20, theme.TITLE_SIZE, bold=True),
            subtitle=_subtitle(chain),
        ),
    )
    return theme.dressed(chart)


def import_chain_title(chain: pl.DataFrame, imports: pl.DataFrame) -> str:
    """What does the module bring, and how far from the program was it imported, in one sentence?"""
    module, n = chain["imported"][-1], chain.height
    name = fitted(module, _TITLE_NAME_PX, theme.TITLE_SIZE, bold=True)
    size = _sizes(imports).get(module)
    held = f" and all it imports hold {format_bytes(size)};" if size is not None and size > 0 else ":"
    way = "directly" if n == 1 else f"through {n} import statements"
    return f"{name}{held} the program reaches it {way}"


def _subtitle(chain: pl.DataFrame) -> list[str]:
    lines = [
        "the number in a box, and how far it is filled: anonymous memory of the module with all it imported"
    ]
    if not chain["first"].all():
        lines.append(
            "dashed: the statement leads there too, but the module had been loaded for another one before"
        )
    return lines


def _sizes(imports: pl.DataFrame) -> dict[str, int]:
    """The memory of each module with all it imported; of one that was tried again, the dearest try."""
    return dict(imports.sort("total_anon_bytes").select("module", "total_anon_bytes").iter_rows())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Box:
    """One module of the chain and the place of its box in pixels."""

    name: str
    size_bytes: int | None
    left: float
    top: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """The measures of the picture: boxes that go down like stairs, statements between them."""

    boxes: Sequence[_Box]
    statements: Sequence[dict[str, Any]]
    whole_bytes: int
    width: int
    box_px: float
    step_px: float

    @classmethod
    def of(cls, chain: pl.DataFrame, imports: pl.DataFrame, width: int) -> _Sheet:
        sizes = _sizes(imports)
        names = [chain["importer"][0], *chain["imported"]]
        step = min(_STEP_PX, (width - min(_LEAST_BOX_PX, width / 2)) / chain.height)
        boxes = [
            _Box(
                name=_PROGRAM_NAME if name == PROGRAM else printable(name),
                size_bytes=sizes.get(name),
                left=number * step,
                top=number * (_BOX_PX + _GAP_PX),
            )
            for number, name in enumerate(names)
        ]
        return cls(
            boxes=boxes,
            statements=chain.rows(named=True),
            whole_bytes=max([1, *(box.size_bytes or 0 for box in boxes)]),
            width=width,
            box_px=min(_MOST_BOX_PX, width - boxes[-1].left),
            step_px=step,
        )

    @property
    def height(self) -> float:
        """Down to the edge of the last box."""
        return self.boxes[-1].top + _BOX_PX

    def x(self, field: str) -> alt.X:
        """Pixels from the left."""
        return alt.X(f"{field}:Q", scale=alt.Scale(domain=[0, self.width], nice=False), axis=None)

    def y(self, field: str) -> alt.Y:
        """Pixels from the top."""
        return alt.Y(f"{field}:Q", scale=alt.Scale(domain=[self.height, 0], nice=False), axis=None)


def _boxes(sheet: _Sheet) -> list[alt.Chart]:
    rows = [_box(sheet, number) for number in range(len(sheet.boxes))]
    base = alt.Chart(pl.DataFrame(rows, infer_schema_length=None))
    y, bottom = sheet.y("top"), "bottom:Q"
    edge = alt.Stroke("edge:N", scale=None)
    tooltip = [alt.Tooltip("module:N", title="module"), alt.Tooltip("size:N", title="memory with all")]
    outline = base.mark_rect(fillOpacity=0, strokeWidth=1.2).encode(
        x=sheet.x("left"), x2="right:Q", y=y, y2=bottom, stroke=edge, tooltip=tooltip
    )
    return [
        base.mark_rect(color=theme.WHITE).encode(x=sheet.x("left"), x2="right:Q", y=y, y2=bottom),
        base.mark_rect().encode(
            x=sheet.x("left"), x2="filled:Q", y=y, y2=bottom, color=alt.Color("fill:N", scale=None)
        ),
        outline,
        base.mark_text(align="left", baseline="middle", dx=_PAD_PX, fontSize=13, fontWeight="bold").encode(
            x=sheet.x("left"), y=sheet.y("middle"), text="label:N", tooltip=tooltip
        ),
        base.mark_text(align="right", baseline="middle", dx=-_PAD_PX).encode(
            x=sheet.x("right"), y=sheet.y("middle"), text="size:N"
        ),
    ]


def _box(sheet: _Sheet, number: int) -> dict[str, Any]:
    box, is_last = sheet.boxes[number], number == len(sheet.boxes) - 1
    share = max(box.size_bytes or 0, 0) / sheet.whole_bytes
    return {
        "module": box.name,
        "label": fitted(box.name, sheet.box_px - _SIZE_PX - 2 * _PAD_PX, 13, bold=True),
        "size": "not measured" if box.size_bytes is None else format_bytes(box.size_bytes),
        "left": round(box.left, 1),
        "right": round(box.left + sheet.box_px, 1),
        "filled": round(box.left + share * sheet.box_px, 1),
        "top": box.top,
        "middle": box.top + _BOX_PX / 2,
        "bottom": box.top + _BOX_PX,
        "fill": _LAST_FILL if is_last else _FILL,
        "edge": _LAST_EDGE if is_last else theme.BASELINE_BAR,
    }


def _arrows(sheet: _Sheet) -> list[alt.Chart]:
    """From each box down and into the next, with the statement's place beside it."""
    rows = [_arrow(sheet, number) for number in range(len(sheet.statements))]
    base = alt.Chart(pl.DataFrame(rows, infer_schema_length=None))
    dash = alt.StrokeDash(
        "dash:N", scale=alt.Scale(domain=["solid", "dashed"], range=[[1, 0], [4, 3]]), legend=None
    )
    lines = base.mark_rule(color=theme.GREY, strokeWidth=1.5)
    return [
        lines.encode(x=sheet.x("stem"), y=sheet.y("from"), y2="to:Q", strokeDash=dash),
        base.mark_point(shape="triangle-down", filled=True, size=70, color=theme.GREY, opacity=1).encode(
            x=sheet.x("stem"), y=sheet.y("head")
        ),
        base.mark_text(align="left", baseline="middle", dx=12, fontSize=_SMALL, color=theme.GREY).encode(
            x=sheet.x("stem"),
            y=sheet.y("middle"),
            text="label:N",
            tooltip=alt.Tooltip("place:N", title="statement"),
        ),
    ]


def _arrow(sheet: _Sheet, number: int) -> dict[str, Any]:
    row, one, other = sheet.statements[number], sheet.boxes[number], sheet.boxes[number + 1]
    stem = other.left + _STEM_PX
    where = _statement(row)
    return {
        "stem": round(stem, 1),
        "from": one.top + _BOX_PX,
        "to": other.top - _HEAD_PX,
        "head": other.top - _HEAD_PX / 2,
        "middle": (one.top + _BOX_PX + other.top) / 2 - 1,
        "place": where,
        "label": from_left(where, sheet.width - stem - 20, _SMALL),
        "dash": "solid" if row["first"] else "dashed",
    }


def _statement(row: dict[str, Any]) -> str:
    """Where the statement stands; some stand in no file."""
    return _NO_FILES.get(row["file"]) or f"{place(row['file'])}:{row['line']}"
