"""Sizes of a profile in its unit, bytes, nanoseconds or samples: as text, and as what Vega computes in a chart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from diagtools.profile import Unit
from diagtools.units import format_bytes, format_seconds

_LEAST = 999.5  #: of a unit: what rounds to 1,000 is said in the next
_DIGITS: Final = ((99.95, 0), (9.995, 1), (0.0, 2))


@dataclass(frozen=True, slots=True)
class Step:
    """One of the names of a unit: ``MiB`` is 2²⁰ bytes."""

    name: str
    factor: int


#: From the largest to the unit itself.
STEPS: Final = {
    Unit.BYTES: (
        Step("TiB", 2**40),
        Step("GiB", 2**30),
        Step("MiB", 2**20),
        Step("KiB", 2**10),
        Step("B", 1),
    ),
    Unit.NS: (Step("s", 10**9), Step("ms", 10**6), Step("µs", 10**3), Step("ns", 1)),
    Unit.SAMPLES: (Step("samples", 1),),
}
_MINUTE_NS = 99_950_000_000


def size_text(size: int | float, unit: str) -> str:
    """How does a person read this size?  ``1.95 GiB``, ``12.3 ms``, ``1,204 samples``; three significant digits."""
    if unit == Unit.BYTES:
        return format_bytes(size)
    if unit == Unit.SAMPLES:
        number = f"{size:,.0f}".replace("-", "−")
        return f"{number} sample" if abs(size) == 1 else f"{number} samples"
    if abs(size) >= _MINUTE_NS:
        return ("−" if size < 0 else "") + format_seconds(abs(size) / 10**9)
    step = fitting_step(size, unit)
    sign, value = ("−" if size < 0 else ""), abs(size) / step.factor
    digits = 0 if step.factor == 1 else next(n for least, n in _DIGITS if value >= least)
    return f"{sign}{value:.{digits}f} {step.name}"


def signed_text(size: int, unit: str) -> str:
    """A change of a size, with its sign: ``+3.00 MiB``, ``−12 samples``, ``±0 B``."""
    sign = "+" if size > 0 else "±" if size == 0 else ""
    return sign + size_text(size, unit)


def fitting_step(size: int | float, unit: str) -> Step:
    """Which name of the unit suits a size, so that at most three digits stand before the point?"""
    steps = STEPS[Unit(unit)]
    return next((step for step in steps if abs(size) >= step.factor * _LEAST / 1000), steps[-1])


def size_expression(value: str, unit: str) -> str:
    """The Vega expression that writes the size ``value``, itself an expression, as ``size_text`` does.

    Minutes stay seconds.
    """
    if unit == Unit.SAMPLES:
        return f"(format({value}, ',.0f') + (abs({value}) == 1 ? ' sample' : ' samples'))"
    *steps, smallest = STEPS[Unit(unit)]
    last = f"format({value}, ',.0f') + ' {smallest.name}'"
    for step in reversed(steps):
        least = step.factor * _LEAST / (1024 if unit == Unit.BYTES else 1000)
        last = f"abs({value}) >= {least:.0f} ? {_digits(value, step)} + ' {step.name}' : {last}"
    return f"({last})"


def _digits(value: str, step: Step) -> str:
    scaled = f"({value}) / {step.factor}"
    return f"format({scaled}, abs({scaled}) >= 99.95 ? ',.0f' : abs({scaled}) >= 9.995 ? '.1f' : '.2f')"


def step_expression(value: str, unit: str, attribute: str) -> str:
    """The Vega expression of what ``fitting_step`` says for the size ``value``: its ``factor`` or its ``name``."""
    *steps, smallest = STEPS[Unit(unit)]
    literal = {step: repr(getattr(step, attribute)) for step in (*steps, smallest)}
    cases = "".join(f"{value} >= {step.factor} ? {literal[step]} : " for step in steps)
    return f"({cases}{literal[smallest]})"


def share_text(size: int, whole: int) -> str:
    """Which part of the whole is this size?  ``16 %``, ``0.012 %``."""
    percent = 100 * size / max(whole, 1)
    return (
        f"{percent:.0f} %"
        if percent >= 9.95 or not percent
        else f"{float(f'{percent:.2g}'):f}".rstrip("0").rstrip(".") + " %"
    )


def share_expression(value: str, whole: int | str) -> str:
    """The Vega expression of which part of ``whole`` the expression ``value`` is: ``16 %``, ``0.012 %``."""
    return f"replace(format({value} / max({whole}, 1), '.2~p'), '%', ' %')"


def signed_expression(value: str, unit: str) -> str:
    """The Vega expression that writes a change as ``signed_text`` does."""
    return f"(({value}) > 0 ? '+' : ({value}) == 0 ? '±' : '') + {size_expression(value, unit)}"
