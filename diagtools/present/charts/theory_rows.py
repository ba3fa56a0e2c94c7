"""The words of one row of the chart of theories, and the room they take."""

from __future__ import annotations

import altair as alt

from diagtools.present import theme
from diagtools.present.charts.placing import at_px, text_at
from diagtools.present.names import fitted, wrapped
from diagtools.present.wording import measured, signed_change
from diagtools.values import Effect

THEORY_PX = 205
LANE_PX = 92
VALUE_PX = 160
VERDICT_PX = 225
BAR_PX = 15
_LINE_PX = 14
_SMALL = 11
_MOST_LINES = 6


def row_px(effect: Effect) -> int:
    """How high is the row of this theory, so that all its words have room?"""
    left = 17 * len(_theory(effect)) + _LINE_PX * len(_tried(effect))
    right = 17 + _LINE_PX * len(_reason(effect))
    return 22 + max(left, right, 2 * BAR_PX + 16)


def lane_y(top: float, lane: int) -> float:
    """Where in a row is the middle of this bar: as it was (0), with the change (1)?"""
    return top + 20 + lane * (BAR_PX + 9)


def _theory(effect: Effect) -> list[str]:
    return wrapped(effect.hypothesis.name, THEORY_PX - 14, theme.LABEL_SIZE + 1, bold=True)[:3]


def _tried(effect: Effect) -> list[str]:
    tried = effect.hypothesis.mend or effect.hypothesis.change
    return wrapped(f"tried: {tried}", THEORY_PX - 14, _SMALL)[:3]


def _reason(effect: Effect) -> list[str]:
    lines = wrapped(effect.reason, VERDICT_PX - 8, _SMALL)
    if len(lines) > _MOST_LINES:
        lines = [
            *lines[: _MOST_LINES - 1],
            fitted(" ".join(lines[_MOST_LINES - 1 :]), VERDICT_PX - 8, _SMALL),
        ]
    return lines


def texts(effect: Effect, top: float, plot_px: float) -> list[alt.Chart]:
    """The words of one row: theory, what each bar is, its value, the verdict and why."""
    left, verdict_x = -THEORY_PX - LANE_PX, plot_px + VALUE_PX
    charts = []
    y = top + 20
    for line in _theory(effect):
        charts.append(text_at(left, y, line, size=theme.LABEL_SIZE + 1, bold=True))
        y += _LINE_PX + 2
    for line in _tried(effect):
        charts.append(text_at(left, y, line, color=theme.GREY, size=_SMALL))
        y += _LINE_PX
    for lane, (name, value, killed) in enumerate(_values(effect)):
        y = lane_y(top, lane)
        charts.append(text_at(-LANE_PX + 4, y, name, color=theme.GREY, size=_SMALL))
        charts.append(text_at(plot_px + 12, y, value, color=theme.DEATH_INK if killed else theme.BLACK))
    ink, shape = theme.VERDICTS_INK[effect.verdict], theme.VERDICT_SHAPES[effect.verdict]
    sign = at_px(verdict_x + 5, top + 20).mark_point(
        shape=shape, size=90, stroke=ink, strokeWidth=2.5, opacity=1
    )
    charts += [sign, text_at(verdict_x + 16, top + 20, str(effect.verdict), color=ink, size=14, bold=True)]
    for number, line in enumerate(_reason(effect)):
        charts.append(text_at(verdict_x, top + 37 + number * _LINE_PX, line, color=theme.GREY, size=_SMALL))
    return charts


def _values(effect: Effect) -> list[tuple[str, str, bool]]:
    metric = effect.hypothesis.metric
    before = measured(metric, effect.baseline_value, is_bound=effect.baseline_is_bound)
    after = measured(metric, effect.variant_value, is_bound=effect.variant_is_bound)
    if not effect.n_variant_killed and effect.change_share is not None:
        after = f"{after} ({signed_change(effect)})"
    return [
        (
            "as it was",
            _killed(effect.n_baseline_killed, effect.n_baseline) + before,
            effect.n_baseline_killed > 0,
        ),
        (
            "with the change",
            _killed(effect.n_variant_killed, effect.n_variant) + after,
            effect.n_variant_killed > 0,
        ),
    ]


def _killed(n_killed: int, n: int) -> str:
    if not n_killed:
        return ""
    return "killed, " if n_killed == n else f"{n_killed} of {n} killed, "
