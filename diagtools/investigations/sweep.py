"""One parameter of a command takes several values: what does a unit cost, and how does that grow?"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl

from diagtools.analyse import sweep as fits
from diagtools.analyse.amounts import amount, plain
from diagtools.capture.folder import store, unused
from diagtools.errors import UsageError
from diagtools.investigations.case import Case
from diagtools.investigations.command import as_target
from diagtools.investigations.experiment import BASELINE, Experiment, Variant
from diagtools.investigations.parameters import whole
from diagtools.investigations.progress import Progress
from diagtools.present.charts.sweep import sweep_chart
from diagtools.present.tables import Column, Table
from diagtools.present.text import sentences
from diagtools.redact import redact_argv, redact_text
from diagtools.values import Finding, Target

_LEAST_VALUES = 3
_REPEAT = 2
_SET_BY = "The environment variable {0} took the values: there is no {1} in the command."


class SweepCase(Case):
    """The runs of one command with each value of a parameter, in turn.

    ``over`` is ``NAME=V,V,…`` (numbers): ``{NAME}`` in the command takes them, else the environment variable of that
    name does.  The first of ``metrics`` is what the summary is about.
    Raises ``UsageError`` for fewer than three values, or values that are no numbers.
    """

    def __init__(
        self,
        command: Target | Sequence[str] | str,
        over: str,
        *,
        metrics: Sequence[str] = ("peak",),
        limit: str | None = None,
        in_fresh_folder: bool = False,
        folder: Path | None = None,
    ) -> None:
        target = as_target(command, limit)
        self.name, self.values = _values(over)
        self.is_in_command = any(f"{{{self.name}}}" in word for word in target.argv)
        super().__init__(
            question=f"What does one more {self.name} cost `{shlex.join(redact_argv(target.argv))}`?"
        )
        others = [f"{self.name}={text}" for text in self.values[1:]]
        self._value_of = dict(zip([BASELINE, *others], map(float, self.values), strict=True))
        self.experiment = Experiment(
            baseline=_with(target, self.name, self.values[0]),
            variants=[
                Variant(name=name, change=name, target=_with(target, self.name, text))
                for name, text in zip(others, self.values[1:], strict=True)
            ],
            metrics=metrics,
            folder=folder or unused(store() / f"sweep-{self.name}"),
            in_fresh_folder=in_fresh_folder,
        )

    def run(self, repeat: int = _REPEAT) -> SweepCase:
        """Runs each value ``repeat`` times, in another order each time.  Raises as ``Experiment.run`` does."""
        self.experiment.run(rounds=whole("repeat", repeat), progress=Progress())
        return self

    def fits(self) -> list[fits.Sweep]:
        """How each metric follows the parameter."""
        one, many = _units(self.name)
        names = dict.fromkeys(hypothesis.metric for hypothesis in self.experiment.hypotheses)
        runs = {name: fits.sweep_runs(self.experiment.pairs, self._value_of, metric=name) for name in names}
        return [fits.sweep(points, metric=name, unit=one, units=many) for name, points in runs.items()]

    def findings(self) -> list[Finding]:
        """What a unit costs by each metric, and whether that stays so; which values could not be run."""
        failed = [
            Finding(sentence=f"{name} was not measured: {redact_text(why)}")
            for name, why in self.experiment.cannot_run.items()
        ]
        set_by = (
            [] if self.is_in_command else [Finding(sentence=_SET_BY.format(self.name, f"{{{self.name}}}"))]
        )
        return [*(Finding(sentence=one.sentence, value=one.cost) for one in self.fits()), *failed, *set_by]

    def table(self) -> Table:
        """What was measured at each value: the median of its runs, by each metric."""
        frames = [
            one.points.group_by("value", maintain_order=True).agg(
                pl.col("metric_value").median().alias(one.metric)
            )
            for one in self.fits()
        ]
        joined = frames[0]
        for other in frames[1:]:
            joined = joined.join(other, on="value", how="left")
        shown = {
            name: Column(heading=plain(name), words=partial(amount, name)) for name in joined.columns[1:]
        }
        number = Column(heading=self.name, words=lambda value: f"{value:,.6g}")
        return Table(joined.sort("value"), {"value": number, **shown}, n=joined.height)

    def chart(self, metric: int = 0) -> alt.TopLevelMixin:
        """The runs and the fit, of the first metric or another."""
        return sweep_chart(self.fits()[metric])

    def as_text(self) -> str:
        """The sentences, for a terminal."""
        return "\n".join([*self.table().lines(), "", sentences(self.findings())])

    def as_json(self) -> dict[str, Any]:
        """What ``diagtools sweep --json`` prints."""
        return {
            **super().as_json(),
            "parameter": self.name,
            "sweeps": [
                {
                    "metric": one.metric,
                    "class": str(one.sweep_class),
                    "cost": one.cost,
                    "low": one.low,
                    "high": one.high,
                    "sentence": one.sentence,
                    "points": one.points.select("value", "metric_value", "is_killed").to_dicts(),
                }
                for one in self.fits()
            ],
        }


def sweep(
    command: Target | Sequence[str] | str,
    over: str,
    *,
    metrics: Sequence[str] = ("peak",),
    repeat: int = _REPEAT,
    limit: str | None = None,
    in_fresh_folder: bool = False,
) -> SweepCase:
    """What does one more unit of a parameter cost?  ``sweep("python app.py --n {n}", "n=1,2,4,8")``."""
    case = SweepCase(command, over, metrics=metrics, limit=limit, in_fresh_folder=in_fresh_folder)
    return case.run(repeat)


def _units(name: str) -> tuple[str, str]:
    """What is one more called, and several?  A name that is a plural is one: ``requests``."""
    return (
        (name[:-1], name) if len(name) > 2 and name.endswith("s") else (f"unit of {name}", f"units of {name}")
    )


def _values(over: str) -> tuple[str, list[str]]:
    name, sign, text = over.partition("=")
    values = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not sign or not name.isidentifier() or len(values) < _LEAST_VALUES or not all(map(_is_number, values)):
        raise UsageError(
            f"{over!r} is no sweep: it takes a name and three numbers or more.",
            hint="--over n=100,200,400,800",
        )
    return name, values


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False


def _with(target: Target, name: str, value: str) -> Target:
    place = f"{{{name}}}"
    if any(place in word for word in target.argv):
        return dataclasses.replace(target, argv=tuple(word.replace(place, value) for word in target.argv))
    return dataclasses.replace(target, env={**target.env, name: value})
