"""An axis for any metric: which unit suits it, how far it reaches, and where its ticks are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from diagtools.analyse.amounts import plain

_LOWEST_SHARE = 0.6  #: of the highest value: what stays above it is drawn from there, not from zero
_HEADROOM = 0.07
_N_TICKS = 6
_SMALLEST = 1e-12  #: less is drawn as nothing: no axis has ticks there


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The vertical axis of a metric: ``per`` of its own units make one of the axis."""

    title: str
    per: float
    low: float
    high: float
    is_binary: bool

    @classmethod
    def of(cls, metric: str, values: Sequence[float]) -> Scale:
        """The scale on which these values of the metric are drawn; at least one of them."""
        per, unit = _unit(metric, max(map(abs, values)))
        low, high = min(values) / per, max(values) / per
        spread = (high - low) or abs(high)
        room = _HEADROOM * (spread if spread > _SMALLEST else 1.0)
        is_far_from_zero = low > _LOWEST_SHARE * high
        start = low - room if is_far_from_zero or low < 0 else 0.0
        title = f"{plain(metric)}, {unit}" if unit else plain(metric)
        return cls(title=title, per=per, low=start, high=high + room, is_binary=unit in ("KiB", "MiB"))

    def y(self, field: str) -> alt.Y:
        """The axis, for a field whose values were divided by ``per``."""
        axis = alt.Axis(
            title=self.title, values=self.ticks(), format=self._format(), domain=False, ticks=False
        )
        return alt.Y(f"{field}:Q", scale=alt.Scale(domain=[self.low, self.high], nice=False), axis=axis)

    def ticks(self) -> list[float]:
        """Multiples of a power of two for sizes, else of 1, 2 or 5 times a power of ten."""
        step = self._step()
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(at * step, 12) for at in range(first, last + 1)]

    def _step(self) -> float:
        rough = (self.high - self.low) / _N_TICKS
        if self.is_binary:
            return 2.0 ** math.ceil(math.log2(rough))
        power = 10.0 ** math.floor(math.log10(rough))
        return next(power * times for times in (1, 2, 5, 10) if power * times >= rough * 0.999)

    def _format(self) -> str:
        return ",.0f" if self._step() >= 1 else ".3~f" if self._step() >= 0.001 else "~g"


def _unit(metric: str, highest: float) -> tuple[float, str]:
    if metric.endswith("_bytes"):
        return (1024.0, "KiB") if highest < 2**20 else (float(2**20), "MiB")
    if metric.endswith("_s"):
        return 1.0, "s"
    return (0.01, "%") if metric.endswith("share") else (1.0, "")
