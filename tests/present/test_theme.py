"""One look, told apart by people who see colours differently."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations

import altair as alt
import pytest

from diagtools.present import theme


def luminance(color: str) -> float:
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    "ink",
    [
        theme.BLACK,
        theme.GREY,
        theme.DEATH_INK,
        theme.COUNTED_INK,
        *theme.RUNS_INK,
        *theme.VERDICTS_INK.values(),
    ],
)
def test_text_can_be_read_on_white(ink: str) -> None:
    assert 1.05 / (luminance(ink) + 0.05) >= 4.5


def test_runs_are_told_apart_without_colour_or_by_it() -> None:
    looks = list(zip(theme.RUNS, theme.RUN_DASHES, strict=True))
    for (color, dash), (other_color, other_dash) in combinations(looks, 2):
        assert dash != other_dash or abs(luminance(color) - luminance(other_color)) > 0.1


def test_verdicts_have_a_colour_and_a_shape_each() -> None:
    assert len(set(theme.VERDICTS_INK.values())) == len(set(theme.VERDICT_SHAPES.values())) == 3


def test_dressing_changes_the_copy_and_nothing_else() -> None:
    plain = alt.Chart().mark_point()
    dressed = theme.dressed(plain)
    assert "config" not in plain.to_dict() or "font" not in plain.to_dict()["config"]
    assert dressed.to_dict()["config"]["font"] == theme.FONT


def test_importing_the_charts_changes_nothing_in_altair() -> None:
    code = (
        "import altair as alt; before = (alt.renderers.active, alt.theme.active, alt.data_transformers.active)\n"
        "import diagtools.present.charts.timeline, diagtools.present.charts.effects, diagtools.present.renderer\n"
        "assert before == (alt.renderers.active, alt.theme.active, alt.data_transformers.active)"
    )
    assert subprocess.run([sys.executable, "-W", "error", "-c", code], check=False).returncode == 0
