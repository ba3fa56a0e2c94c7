"""The verdicts of an experiment as a table, for notebooks and terminals."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

import polars as pl

from diagtools.analyse.amounts import plain
from diagtools.present import tables
from diagtools.present.tables import Column, Table
from diagtools.present.wording import SIGNS, change, measured, signed_share
from diagtools.values import Effect

_NAME_LENGTH = 44


def verdicts_table(effects: Sequence[Effect], *, title: str | None = None) -> Table:
    """What was tried, what came of it, and how sure that is?

    One row an effect; columns that nobody knows are left out, and a metric that all have stands below.  Values are
    medians.  ``between`` is the 95 % interval of the change, or with few pairs their range (then said).
    """
    columns = {
        "verdict": tables.text("verdict"),
        "theory": tables.text("theory", n_characters=_NAME_LENGTH),
        "metric": tables.text("metric"),
        "before": _figure("as it was"),
        "after": _figure("with the change"),
        "change": _figure("change"),
        "between": _figure("between"),
        "n_pairs": tables.count("pairs"),
        "p": _figure("p"),
        "output": tables.text("output"),
    }
    rows = pl.DataFrame(
        [_row(effect) for effect in effects],
        schema={name: pl.Int64 if name == "n_pairs" else pl.String for name in columns},
    )
    known = {
        name: one for name, one in columns.items() if name in _ALWAYS or rows[name].null_count() < rows.height
    }
    if rows["metric"].n_unique() == 1:
        known.pop("metric")
    return Table(rows, known, title=title, note=_note(effects))


_ALWAYS = ("verdict", "theory")


def _figure(heading: str) -> Column:
    return Column(heading=heading, words=str)


def _row(effect: Effect) -> dict[str, object]:
    metric = effect.hypothesis.metric
    same = {True: "same", False: "differs", None: None}[effect.same_output]
    return {
        "verdict": f"{SIGNS[effect.verdict]} {effect.verdict}",
        "theory": effect.hypothesis.name,
        "metric": plain(metric),
        "before": _value(effect, effect.baseline_value, is_bound=effect.baseline_is_bound),
        "after": _value(effect, effect.variant_value, is_bound=effect.variant_is_bound),
        "change": _change(effect),
        "between": spread(effect),
        "n_pairs": effect.n_pairs or None,
        "p": chance(effect.p),
        "output": same,
    }


def _change(effect: Effect) -> str:
    if not effect.applied:
        return "not applied"
    counts = ((effect.n_baseline_killed, effect.n_baseline), (effect.n_variant_killed, effect.n_variant))
    if any(0 < n_killed < n for n_killed, n in counts):
        return " → ".join(f"{n_killed} of {n} killed" for n_killed, n in counts)
    return change(effect)


def _value(effect: Effect, value: float | None, *, is_bound: bool) -> str | None:
    return None if value is None else measured(effect.hypothesis.metric, value, is_bound=is_bound)


def spread(effect: Effect) -> str | None:
    """Between which shares does the change lie?  Null where that is not known, or a single one."""
    low, high = effect.low_share, effect.high_share
    if low is None or high is None or low == high:
        return None
    kind = "" if effect.is_interval else " (range)"
    shown = sorted({signed_share(share): share for share in (low, high)}.items(), key=itemgetter(1))
    return " to ".join(words for words, _ in shown) + kind


def chance(p: float | None) -> str | None:
    """How likely is it by chance?  ``< 0.001``, ``0.004``; null where nobody knows."""
    return None if p is None else "< 0.001" if p < 0.001 else f"{p:.2g}"


def _note(effects: Sequence[Effect]) -> str | None:
    metrics = {plain(effect.hypothesis.metric) for effect in effects}
    said = [f"metric: {metrics.pop()}"] if len(metrics) == 1 else []
    if any(effect.is_interval for effect in effects):
        said.append("between: 95 % interval")
    if any(effect.p is not None for effect in effects):
        said.append("p: corrected for all that was tested together")
    return " · ".join(said) or None
