"""One look for every chart: colours by role, fonts, sizes.

The hues are those of Okabe and Ito (2008), which people with any common colour blindness tell apart; the text
variants (``*_INK``) are darkened to a contrast of at least 4.5 on white.  Shape and words always say the same
as the colour.  Nothing is registered with Altair: ``dressed`` returns a new chart.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final, TypeVar

import altair as alt

from diagtools.values import Verdict

BLACK: Final = "#1A1A1A"
GREY: Final = "#5F6368"
PALE: Final = "#C4C8CC"
GRID: Final = "#E8EAED"
WHITE: Final = "#FFFFFF"

_ORANGE = "#E69F00"
_SKY = "#56B4E9"
_GREEN = "#009E73"
_BLUE = "#0072B2"
_VERMILLION = "#D55E00"
_PURPLE = "#CC79A7"

MEMORY: Final = _BLUE
COUNTED: Final = _PURPLE  #: what a limit compares, where it is not the RSS
COUNTED_INK: Final = "#8A3D68"
LIMIT: Final = _VERMILLION
DEATH: Final = _VERMILLION
DEATH_INK: Final = "#A84300"
ITEM: Final = "#8AA9BF"
FAILED: Final = _ORANGE
DEMAND: Final = _BLUE
KEPT: Final = BLACK
BASELINE: Final = BLACK
BASELINE_BAR: Final = "#9AA0A6"
VARIANT: Final = _BLUE

#: One pale tint after the other for phases, told apart by their labels.
PHASES: Final = ("#D6E4F0", "#F3E3C3", "#D5EBDF", "#EEDBE8")

#: A pale tint for each of the packages that take most, and one for all others.
PACKAGES: Final = ("#9CC4E4", "#F2C879", "#9FD5BF", "#E6BCD4", "#C3B5E3", "#F3B49B", "#CBD58A")
PACKAGES_REST: Final = "#D9DCE0"

#: Kinds of files and what else is coloured by kind; anything else is grey.
KINDS: Final = MappingProxyType({"generated": _ORANGE, "hand-written": _BLUE, "unreadable": PALE})

#: Runs drawn over each other, in this order: dark and dashed differently, so that grey print keeps them apart.
RUNS: Final = (BLACK, _BLUE, _GREEN, _ORANGE, _PURPLE, _SKY, GREY)
RUNS_INK: Final = (BLACK, "#005A8C", "#00694D", "#8A5A00", "#8A3D68", "#1F6F9E", GREY)
RUN_DASHES: Final = ((1, 0), (1, 0), (6, 3), (2, 2), (8, 3, 2, 3), (4, 2), (1, 3))

VERDICTS_INK: Final = MappingProxyType(
    {Verdict.CONFIRMED: "#00694D", Verdict.REFUTED: DEATH_INK, Verdict.INCONCLUSIVE: GREY}
)

#: Liberation Sans and Arial have the same widths, so that labels placed by measure fit wherever they are drawn.
FONT: Final = "Liberation Sans, Arial, Helvetica, sans-serif"
TITLE_SIZE: Final = 17
SUBTITLE_SIZE: Final = 13
LABEL_SIZE: Final = 12
CROSS: Final = "M-1,-1L1,1M1,-1L-1,1"  #: the mark of a kill; a closed shape would hide the line's end

#: A shape for each verdict.  Signs such as ✔ are not in the font: they would change the look of the whole line.
VERDICT_SHAPES: Final = MappingProxyType(
    {Verdict.CONFIRMED: "M-1,0.1L-0.3,0.8L1,-0.8", Verdict.REFUTED: CROSS, Verdict.INCONCLUSIVE: "circle"}
)

_Chart = TypeVar("_Chart", bound=alt.TopLevelMixin)


def dressed(chart: _Chart) -> _Chart:
    """The same chart in the look of this project."""
    look: _Chart = chart.configure(
        background=WHITE,  # a dark page shows charts as white cards: the palette is chosen for white
        font=FONT,
        padding=12,
        axis=alt.AxisConfig(
            labelColor=GREY,
            labelFontSize=LABEL_SIZE,
            titleColor=GREY,
            titleFontSize=LABEL_SIZE,
            titleFontWeight="normal",
            titlePadding=8,
            gridColor=GRID,
            domainColor=PALE,
            tickColor=PALE,
        ),
        legend=alt.LegendConfig(
            orient="top",
            labelColor=BLACK,
            labelFontSize=LABEL_SIZE,
            labelLimit=0,
            symbolStrokeWidth=0,
            title=None,
            offset=6,
        ),
        title=alt.TitleConfig(
            anchor="start",
            color=BLACK,
            fontSize=TITLE_SIZE,
            fontWeight="bold",
            subtitleColor=GREY,
            subtitleFontSize=SUBTITLE_SIZE,
            subtitlePadding=4,
            offset=10,
            limit=0,
        ),
        text=alt.MarkConfig(color=BLACK, fontSize=LABEL_SIZE),
        view=alt.ViewConfig(stroke=None),
    )
    return look
