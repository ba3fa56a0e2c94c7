"""A sweep in words: what a unit costs, and where."""

from __future__ import annotations

from dataclasses import dataclass

from diagtools.analyse.amounts import amount, plain
from diagtools.analyse.sweep_classes import Classified, Interval, SweepClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What is said of a sweep, and in which units."""

    metric: str
    unit: str
    units: str
    values: tuple[float, ...]  #: of the parameter, each once, in order
    levels: tuple[float, ...]  #: of the metric at each, the median of its runs
    level: float
    within: Interval | None

    def sentence(self, found: Classified) -> str:
        """What does a unit cost, and does that stay so?"""
        span = f"from {number(self.values[0])} to {number(self.values[-1])} {self.units}"
        name = plain(self.metric)
        if found.sweep_class is SweepClass.INCONCLUSIVE:
            return f"What a {self.unit} costs of {name} {span} is not clear: {found.why}."
        if found.sweep_class is SweepClass.FLAT:
            most = (
                "" if self.within is None else f": a {self.unit} costs at most {self._cost(self.within.most)}"
            )
            return f"{_capital(name)} stays at {amount(self.metric, self.level)} {span}{most}."
        usual = found.curve.cost(self.values[0], self.values[-1])
        if found.sweep_class is SweepClass.LINEAR:
            verb = "costs" if usual > 0 else "changes by"
            return f"Each {self.unit} {verb} {self._cost(usual)} of {name}{self._between()}, evenly {span}."
        return f"{_capital(name)} {self._bend(found, usual)}: {self._ends()}."

    def _between(self) -> str:
        if self.within is None:
            return ""
        return f" ({self._cost(self.within.low)} to {self._cost(self.within.high)})"

    def _bend(self, found: Classified, usual: float) -> str:
        if found.sweep_class is SweepClass.SATURATES and found.curve.level is not None:
            return f"saturates near {amount(self.metric, found.curve.level)}"
        return f"{'grows' if usual > 0 else 'falls'} {found.sweep_class}ly"

    def _ends(self) -> str:
        """What a unit cost at either end of the sweep, as it was measured there."""
        (first, second), (before, last) = self.values[:2], self.values[-2:]
        start = self._cost((self.levels[1] - self.levels[0]) / (second - first))
        end = self._cost((self.levels[-1] - self.levels[-2]) / (last - before))
        return (
            f"a {self.unit} costs {start} between {number(first)} and {number(second)} {self.units}, "
            f"{end} between {number(before)} and {number(last)}"
        )

    def _cost(self, value: float) -> str:
        """What a unit costs; fractions of a byte too."""
        if self.metric.endswith("_bytes") and abs(value) < 10:
            return f"{value:.2g} B".replace("-", "−")
        return amount(self.metric, value)


def number(value: object) -> str:
    """How is a value of the parameter written?  ``1,600``, ``0.05``."""
    return f"{value:,.6g}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
