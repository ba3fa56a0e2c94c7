"""Which class of growth is it, or why can nobody say?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from diagtools.analyse.growth_choice import Weighed, weighed
from diagtools.analyse.growth_curve import Curve
from diagtools.analyse.growth_models import MIB, GrowthClass, Model
from diagtools.analyse.least_squares import Column, fitted, wandering, weight_error
from diagtools.units import format_bytes

FEWEST = 20  #: items, or stretches of time: fewer fit several classes
_SMALLEST_BYTES = 1.0 * MIB
_SMALLEST_SHARE = 0.002  #: of what was held: less is no growth that anybody need look into
_ABOVE_NOISE = 4.0
_SURE = 0.5
_SURE_OF_A_LEAK = 0.9  #: a leak sends people searching: it takes more
_LEAST_EXPLAINED = 0.8
_MOST_UNEVEN = 0.5  #: standard deviation of what an item adds, by its mean
_SPIKE_ABOVE_NOISE = 8.0
_USUAL = 0.85  #: of the items ask for no more than what is usual
_STANDS_OUT = 0.5  #: of what is usual
_WARM_UP_MOST = 0.5  #: of all growth, with nothing after it
_T_95 = 1.96

_EVEN = (GrowthClass.LEAK, GrowthClass.FEATURE)
_LIKE_A_FEATURE = (GrowthClass.LEAK, GrowthClass.OUTLIERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """Bytes a unit (an item, a second, or a unit of a feature) with their 95 % interval."""

    bytes_per_unit: float
    low: float
    high: float
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The class, ``doubt`` where it is inconclusive, and what led there.

    ``shares`` of the belief sum to 1 (all 0 where there were too few items, and no ``model``).  ``model`` is the
    best fit of the levels, ``spike_bytes`` the most that was asked for and given back beyond what is usual.
    """

    growth_class: GrowthClass
    doubt: str
    shares: Mapping[GrowthClass, float]
    models: Mapping[GrowthClass, Model]
    model: Model | None = None
    spike_bytes: float = 0.0
    slope: Slope | None = None


def judged(curve: Curve) -> Judgement:
    """Which class of growth does this curve show?"""
    if curve.n_items < FEWEST or len(curve.levels) < FEWEST:
        return _too_few(curve)
    found = _without_small(weighed(curve.levels, curve.positions, curve.features), curve)
    model = found.models[found.best]
    spike_bytes = _spike_bytes(curve)
    spike = _spike_share(spike_bytes, model)
    doubt = "" if spike > _SURE else _doubt(found, curve)
    judged_class = GrowthClass.SPIKE if spike > _SURE else found.best
    return Judgement(
        growth_class=GrowthClass.INCONCLUSIVE if doubt else judged_class,
        doubt=doubt,
        shares={one: share * (1 - spike) for one, share in found.shares.items()} | {GrowthClass.SPIKE: spike},
        models=found.models,
        model=model,
        spike_bytes=spike_bytes,
        slope=_slope(model, curve) if model.growth_class in _EVEN and spike <= _SURE else None,
    )


def unexplained_bytes(model: Model) -> float:
    """How far does a level lie from this model, usually (root mean square)?"""
    return sqrt(model.sse / len(model.values))


def _too_few(curve: Curve) -> Judgement:
    what = "items" if curve.unit == "item" else "stretches of time"
    doubt = f"only {curve.n_items} {what} were measured, and fewer than {FEWEST} fit several classes"
    return Judgement(
        growth_class=GrowthClass.INCONCLUSIVE,
        doubt=doubt,
        shares=dict.fromkeys((one for one in GrowthClass if one is not GrowthClass.INCONCLUSIVE), 0.0),
        models={},
    )


def _without_small(found: Weighed, curve: Curve) -> Weighed:
    """The same, where growth within the noise, or too small to matter, counts as none."""
    least = max(_SMALLEST_BYTES, _SMALLEST_SHARE * max(curve.levels))
    small = [
        one
        for one, model in found.models.items()
        if one is not GrowthClass.FLAT
        and model.rise_bytes < max(least, _ABOVE_NOISE * unexplained_bytes(model))
    ]
    shares = dict(found.shares)
    for one in small:
        shares[GrowthClass.FLAT] += shares[one]
        shares[one] = 0.0
    return Weighed(models=found.models, shares=shares)


def _spike_bytes(curve: Curve) -> float:
    """The most that was asked for and given back, beyond what is usual; 0 where it hardly stands out."""
    known = sorted(asked for asked in curve.asked if asked is not None)
    if not known:
        return 0.0
    usual = known[int(_USUAL * len(known))]
    beyond = known[-1] - usual
    return beyond if beyond > _STANDS_OUT * usual else 0.0


def _spike_share(spike_bytes: float, model: Model) -> float:
    """How much of what made the peak was given back?  0 where it is within the noise."""
    if spike_bytes < max(_SMALLEST_BYTES, _SPIKE_ABOVE_NOISE * unexplained_bytes(model)):
        return 0.0
    return spike_bytes / (spike_bytes + max(model.rise_bytes, 0.0))


def _doubt(found: Weighed, curve: Curve) -> str:
    """Why can nobody say which class it is?  Empty where one can."""
    best = found.best
    model = found.models[best]
    if best is GrowthClass.FLAT:
        return _warm_up(curve, found)
    if best is GrowthClass.INCONCLUSIVE:
        return "it grows ever more slowly and does not stop: more items would show a leak or a plateau"
    second = sorted(found.shares, key=lambda one: found.shares[one])[-2]
    if found.shares[best] < (_SURE_OF_A_LEAK if best is GrowthClass.LEAK else _SURE):
        return f"{best} and {second} fit it about as well"
    flat = found.models[GrowthClass.FLAT]
    if 1 - model.sse / flat.sse < _LEAST_EXPLAINED:
        return f"no shape fits: {best} comes nearest and leaves ±{format_bytes(unexplained_bytes(model))}"
    if curve.unit == "item" and not curve.features and best in _LIKE_A_FEATURE:
        how = "evenly" if best is GrowthClass.LEAK else "in a few items"
        return (
            f"it grows {how}, and no feature that varies is known: growth with the input could look the same"
        )
    return _doubt_of_a_leak(model, curve) if best is GrowthClass.LEAK else ""


def _doubt_of_a_leak(model: Model, curve: Curve) -> str:
    """Is it no leak, although it grows most like one?  A leak adds about the same with each item."""
    residuals = [level - value for level, value in zip(curve.levels, model.values, strict=True)]
    per_point = model.rise_bytes / (len(curve.levels) - 1)
    if sqrt(wandering(residuals)) > _MOST_UNEVEN * per_point:
        return "each item adds a very different amount, and nothing that is known of them tells why"
    return ""


def _warm_up(curve: Curve, found: Weighed) -> str:
    rest = max(found.models[GrowthClass.FLAT].values[0] - curve.levels[0], 0.0)
    first = curve.warm_up_bytes
    noise = unexplained_bytes(found.models[GrowthClass.FLAT])
    if first < max(_SMALLEST_BYTES, _SMALLEST_SHARE * max(curve.levels), _ABOVE_NOISE * noise):
        return ""
    if first < _WARM_UP_MOST * (first + rest) or curve.unit != "item":
        return ""
    return (
        f"the first item added {format_bytes(first)}, the others nothing: a warm-up looks so, and a step too"
    )


def _slope(model: Model, curve: Curve) -> Slope | None:
    """What does the growth come to a unit, on average over what was seen?"""
    is_leak = model.growth_class is GrowthClass.LEAK
    columns = [curve.positions] if is_leak else _followed(model, curve)
    fit = fitted(columns, curve.levels)
    if 0 not in fit.used:
        return None
    error = _T_95 * weight_error(fit, 0, fit.residuals(columns, curve.levels))
    return Slope(
        bytes_per_unit=fit.weights[0],
        low=max(fit.weights[0] - error, 0.0),
        high=fit.weights[0] + error,
        unit=curve.unit if is_leak else str(model.feature),
    )


def _followed(model: Model, curve: Curve) -> list[Column]:
    followed = curve.features[str(model.feature)]
    first = followed.largest if model.of_maximum else followed.total
    return [first] if model.n_parameters == 2 else [first, curve.positions]
