"""What does one more cost?  One parameter at several values: how a metric follows it, and what a unit of it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

import polars as pl

from diagtools.analyse.pair_changes import is_number
from diagtools.analyse.sweep_classes import SweepClass, classified, interval
from diagtools.analyse.sweep_models import Curve, Curves, curves
from diagtools.analyse.sweep_story import Story, number
from diagtools.errors import NoDataError
from diagtools.frames.experiments import SWEEP, SWEEP_CURVE
from diagtools.values import Outcome, State, Validity

_DRAWN = 64  #: points of a curve


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What a unit of the parameter costs, and whether that stays so.

    ``cost`` is in units of the metric a unit of the parameter, over the whole sweep, with its 95 % interval
    ``low``..``high`` (null where nothing tells the noise); ``first_cost`` is that between the two lowest values,
    ``last_cost`` between the two highest.  ``exponents`` are those of the curves that are as good as the best.
    ``points`` is SWEEP with the fit, ``curve`` SWEEP_CURVE.
    """

    sweep_class: SweepClass
    sentence: str
    metric: str
    unit: str
    units: str
    cost: float | None = None
    low: float | None = None
    high: float | None = None
    first_cost: float | None = None
    last_cost: float | None = None
    exponents: tuple[float, float] | None = None
    points: pl.DataFrame = field(compare=False, repr=False)
    curve: pl.DataFrame = field(compare=False, repr=False)
    validity: tuple[Validity, ...] = ()


def sweep_runs(pairs: pl.DataFrame, values: Mapping[str, float], *, metric: str) -> pl.DataFrame:
    """Which run of an experiment measured what, at which value of the parameter?

    ``pairs`` is PAIRS, ``values`` the parameter of each variant.  SWEEP without a fit, by value; failed runs are
    left out.  Raises ``NoDataError`` where none of these variants has the metric.
    """
    mine = pairs.filter(
        (pl.col("metric") == metric)
        & pl.col("variant").is_in(list(values))
        & (pl.col("outcome") != Outcome.FAILED)
    )
    if mine.is_empty():
        raise NoDataError(
            f"No run of the sweep has the metric {metric!r}.",
            hint=f"measured were: {', '.join(sorted(set(pairs['metric']))) or 'none'}.",
        )
    found = mine.select(
        value=pl.col("variant").replace_strict(dict(values), return_dtype=pl.Float64),
        run="run",
        is_killed=pl.col("outcome") == Outcome.KILLED,
        metric_value="value",
        fitted=pl.lit(None, pl.Float64),
    )
    return SWEEP.check(found.sort("value", "run"))


def sweep(points: pl.DataFrame, *, metric: str, unit: str = "unit", units: str = "") -> Sweep:
    """How does the metric follow the parameter, and what does one more unit of it cost?

    ``points`` is SWEEP, one row a run.  Runs that were killed are not fitted: what they reached is a lower bound.
    Noise is taken from runs at the same value where there are any, else from what the curve leaves.
    Raises ``NoDataError`` where fewer than two values of the parameter were measured.
    """
    known = points.filter(~pl.col("is_killed") & is_number("metric_value") & is_number("value"))
    values, measured = known["value"].to_list(), known["metric_value"].to_list()
    distinct = sorted(set(values))
    if len(distinct) < 2:
        raise NoDataError(
            f"{metric} was measured at {len(distinct)} value of the parameter; a cost takes two.",
            hint="sweep at least four values, such as 100,200,400,800.",
        )
    levels = tuple(median(y for x, y in zip(values, measured, strict=True) if x == one) for one in distinct)
    found = curves(values, measured)
    told = classified(found, values, measured, metric)
    within = interval(found, told.curve, values)
    story = Story(
        metric=metric,
        unit=unit,
        units=units or f"{unit}s",
        values=tuple(distinct),
        levels=levels,
        level=median(measured),
        within=within,
    )
    doubts = _doubts(points, known)
    return Sweep(
        sweep_class=told.sweep_class,
        sentence=" ".join([story.sentence(told), *(f"{one.note}." for one in doubts)]),
        metric=metric,
        unit=unit,
        units=units or f"{unit}s",
        cost=told.curve.cost(distinct[0], distinct[-1]),
        low=None if within is None else within.low,
        high=None if within is None else within.high,
        first_cost=(levels[1] - levels[0]) / (distinct[1] - distinct[0]),
        last_cost=(levels[-1] - levels[-2]) / (distinct[-1] - distinct[-2]),
        exponents=_exponents(found),
        points=_with_fit(points, told.drawn, distinct),
        curve=_between(distinct[0], distinct[-1], told.drawn),
        validity=doubts,
    )


def _exponents(found: Curves) -> tuple[float, float] | None:
    known = [curve.exponent for curve in found.as_good if curve.exponent is not None]
    return (min(known), max(known)) if known and found.tells else None


def _doubts(points: pl.DataFrame, known: pl.DataFrame) -> tuple[Validity, ...]:
    found = []
    killed = points.filter("is_killed")
    if killed.height:
        lowest = number(killed["value"].min())
        note = f"{_runs(killed.height)} killed, at {lowest} and above: the fit is of the others"
        found.append(Validity(what="sweep", state=State.CLAMPED, note=note))
    n_missing = points.height - killed.height - known.height
    if n_missing:
        note = f"{_runs(n_missing)} left out: the metric is not known of them"
        found.append(Validity(what="sweep", state=State.SKIPPED, note=note))
    return tuple(found)


def _with_fit(points: pl.DataFrame, curve: Curve, values: list[float]) -> pl.DataFrame:
    """The fit beside every run it is of; beyond them it would be a prediction."""
    at = {value: curve.at(value) for value in values}
    fitted = pl.col("value").replace_strict(at, default=None, return_dtype=pl.Float64)
    return SWEEP.check(points.with_columns(fitted=fitted).sort("value", "run"))


def _between(low: float, high: float, curve: Curve) -> pl.DataFrame:
    values = [low + (high - low) * at / (_DRAWN - 1) for at in range(_DRAWN)]
    return SWEEP_CURVE.from_columns({"value": list(values), "fitted": [curve.at(value) for value in values]})


def _runs(n: int) -> str:
    return f"{n} run was" if n == 1 else f"{n} runs were"
