"""What speaks for each class of growth and against it, in sentences with their numbers?"""

from __future__ import annotations

from diagtools.analyse.growth_curve import Curve
from diagtools.analyse.growth_models import GrowthClass, Model
from diagtools.analyse.growth_verdict import Judgement, Slope, unexplained_bytes
from diagtools.redact import redact_text
from diagtools.units import format_bytes, format_share

_N_JUMPS = 3


def growth_sentence(found: Judgement, curve: Curve) -> str:
    """What is the claim?"""
    model = found.model
    if model is None:
        return f"How memory grows is inconclusive: {found.doubt}."
    rise = format_bytes(model.rise_bytes)
    if found.growth_class is GrowthClass.INCONCLUSIVE:
        slope = f" It comes to {slope_text(found.slope)}." if found.slope else ""
        return f"How memory grows is inconclusive: {found.doubt}.{slope}{_hint(found, curve)}"
    told = {
        GrowthClass.FLAT: f"Memory does not grow with {_things(curve)}: levels lie "
        f"±{format_bytes(unexplained_bytes(model))} around {format_bytes(model.values[-1])}, {_of_how_many(curve)}.",
        GrowthClass.LEAK: f"{_leaks(curve)}: {_leak(found, curve)}.",
        GrowthClass.FEATURE: f"Memory grows with {_followed(model)}: {_slope(found)}, {rise} in all.",
        GrowthClass.STEP: f"Memory grew in {_steps(model)} and is level otherwise: {_jumps(model, curve)}.",
        GrowthClass.OUTLIERS: f"{_few(model, curve)} made memory grow by {rise}, the others hardly: "
        f"{_jumps(model, curve)}.",
        GrowthClass.PLATEAU: f"Memory grew by {rise} and came to a plateau: the later half of "
        f"the {_things(curve)} added {format_bytes(_later_half(model))}.",
        GrowthClass.SPIKE: f"One moment asked for {format_bytes(found.spike_bytes)} more than is usual "
        f"and gave it back{_spike_at(curve)}; what is kept grew by {format_bytes(max(model.rise_bytes, 0))}.",
    }
    return told[found.growth_class]


def evidence_rows(found: Judgement, curve: Curve) -> dict[str, list[object]]:
    """The columns of GROWTH_EVIDENCE, the likeliest class first."""
    is_open = bool(found.shares.get(GrowthClass.INCONCLUSIVE))
    named = [one for one in GrowthClass if one is not GrowthClass.INCONCLUSIVE or is_open]
    classes = sorted(named, key=lambda one: -found.shares.get(one, 0.0))
    models = [found.models.get(one) for one in classes]
    return {
        "growth_class": [str(one) for one in classes],
        "score": [found.shares.get(one, 0.0) for one in classes],
        "unexplained_bytes": [None if model is None else round(unexplained_bytes(model)) for model in models],
        "for": [_for(one, found, curve) for one in classes],
        "against": [_against(one, found, curve) for one in classes],
    }


def slope_text(slope: Slope) -> str:
    """``84.0 ± 2.00 KiB an item``; of a feature in bytes, a KiB of it."""
    unit, n_units = _unit(slope.unit)
    value = format_bytes(slope.bytes_per_unit * n_units)
    half = (slope.high - slope.low) / 2 * n_units
    number, name = value.split(" ")
    error = format_bytes(half)
    same = error.split(" ")[1] == name
    return f"{number} ± {error.split(' ')[0]} {name} {unit}" if same else f"{value} ± {error} {unit}"


def _for(one: GrowthClass, found: Judgement, curve: Curve) -> str:
    if one is GrowthClass.SPIKE:
        if not found.spike_bytes:
            return ""
        return f"{format_bytes(found.spike_bytes)} more than usual was asked for and given back{_spike_at(curve)}"
    model = found.models.get(one)
    if model is None:
        return ""
    near = f"levels (of {curve.levels_from}) lie ±{format_bytes(unexplained_bytes(model))} around it"
    if one is GrowthClass.FLAT:
        return near
    if model.rise_bytes <= 0:
        return ""
    facts = {
        GrowthClass.LEAK: f"{format_bytes(model.rise_bytes)} in even growth{_since(model, curve)}",
        GrowthClass.FEATURE: f"it follows {_followed(model)}",
        GrowthClass.STEP: _jumps(model, curve) if model.jumps else "",
        GrowthClass.OUTLIERS: f"{_few(model, curve)} make it",
        GrowthClass.PLATEAU: f"the later half adds {format_bytes(_later_half(model))} of "
        f"{format_bytes(model.rise_bytes)}",
        GrowthClass.INCONCLUSIVE: "it slows down without an end",
    }
    return f"{facts[one]}; {near}"


def _against(one: GrowthClass, found: Judgement, curve: Curve) -> str:
    best = found.model
    if best is None:
        return found.doubt
    if one is GrowthClass.SPIKE:
        return _against_a_spike(found, best)
    model = found.models.get(one)
    if model is None:
        return _missing(one, curve)
    if one is best.growth_class:
        return found.doubt if found.growth_class is GrowthClass.INCONCLUSIVE else ""
    if one is GrowthClass.FLAT:
        return f"memory grew by {format_bytes(best.rise_bytes)}"
    if not found.shares.get(one) and best.growth_class is GrowthClass.FLAT:
        return f"what it would explain, {format_bytes(max(model.rise_bytes, 0))}, is noise or too little to matter"
    mine, others = unexplained_bytes(model), unexplained_bytes(best)
    if mine > others:
        return f"it leaves ±{format_bytes(mine)} unexplained, {best.growth_class} ±{format_bytes(others)}"
    return (
        f"it takes {model.n_parameters} numbers to fit what {best.growth_class} fits with {best.n_parameters}"
    )


def _against_a_spike(found: Judgement, best: Model) -> str:
    if found.growth_class is GrowthClass.SPIKE:
        return f"{format_bytes(best.rise_bytes)} were kept" if best.rise_bytes > 0 else ""
    if not found.spike_bytes:
        return "no item asked for much more than is usual and gave it back"
    return f"what was kept grew by {format_bytes(best.rise_bytes)}"


def _missing(one: GrowthClass, curve: Curve) -> str:
    if one is GrowthClass.FEATURE:
        return "no feature that varies is known" if curve.unit == "item" else "time has no features"
    return "no single item adds so much"


def _leaks(curve: Curve) -> str:
    if curve.unit == "item":
        return "Memory leaks"
    return "Memory grows evenly with time, as a leak does and work that keeps its results does too"


def _leak(found: Judgement, curve: Curve) -> str:
    model = found.model
    if model is None or found.slope is None:
        return "it grows evenly"
    whatever = ", whatever the input's size" if curve.features and model.feature is None else ""
    return (
        f"{slope_text(found.slope)}{whatever}, {format_bytes(model.rise_bytes)} in all{_since(model, curve)}"
    )


def _since(model: Model, curve: Curve) -> str:
    """Since when, where it is not the beginning?"""
    begins = next(
        (at for at, value in zip(curve.positions, model.values, strict=True) if value > model.values[0])
    )
    if begins <= curve.positions[2]:
        return ""
    return f", since item {begins:.0f}" if curve.unit == "item" else f", since {begins:.1f} s"


def _followed(model: Model) -> str:
    """Which values does it follow?  ``the largest size_bytes so far``."""
    return f"the largest {model.feature} so far" if model.of_maximum else f"the sum of {model.feature}"


def _slope(found: Judgement) -> str:
    return slope_text(found.slope) if found.slope else "evenly"


def _unit(unit: str) -> tuple[str, int]:
    if unit == "item":
        return "an item", 1
    if unit == "s":
        return "a second", 1
    return (f"a KiB of {unit}", 1024) if unit.endswith("_bytes") else (f"a unit of {unit}", 1)


def _things(curve: Curve) -> str:
    return "items" if curve.unit == "item" else "time"


def _of_how_many(curve: Curve) -> str:
    return f"after {curve.n_items:,} items" if curve.unit == "item" else f"until {curve.positions[-1]:.1f} s"


def _steps(model: Model) -> str:
    return "one step" if len(model.jumps) == 1 else f"{len(model.jumps)} steps"


def _few(model: Model, curve: Curve) -> str:
    what = "items" if curve.unit == "item" else "moments"
    share = format_share(len(model.jumps) / len(curve.levels))
    return f"{len(model.jumps)} {what} ({share})"


def _jumps(model: Model, curve: Curve) -> str:
    """The largest jumps and where they are."""
    sizes = [(model.values[at] - model.values[at - 1], at) for at in model.jumps]
    largest = sorted(sizes, reverse=True)[:_N_JUMPS]
    return ", ".join(f"{format_bytes(size)} {_place(curve, at)}" for size, at in largest)


def _place(curve: Curve, at: int) -> str:
    if curve.unit != "item":
        return f"after {curve.positions[at]:.1f} s"
    return f"at item {curve.positions[at]:.0f} ({redact_text(curve.names[at])!r})"


def _later_half(model: Model) -> float:
    return model.values[-1] - model.values[len(model.values) // 2]


def _spike_at(curve: Curve) -> str:
    highest = max(range(len(curve.asked)), key=lambda at: curve.asked[at] or 0.0)
    return f" {_place(curve, highest)}"


def _hint(found: Judgement, curve: Curve) -> str:
    """What would tell?"""
    if curve.unit == "item" and not curve.features and found.slope:
        return " Hint: mark.item(name, size_bytes=…) tells growth with the input from a leak."
    return ""
