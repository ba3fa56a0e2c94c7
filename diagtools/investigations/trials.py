"""One run of an experiment: how it is called, how it ended, and its rows among the pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from diagtools.analyse.metrics import Metric
from diagtools.investigations.measures import measures
from diagtools.run import Run
from diagtools.units import format_bytes, format_seconds
from diagtools.values import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One run of an experiment: which round, in which place of that round, of which variant.

    ``conditions`` are those of the machine just before, by the name of their metric.
    """

    pair: int
    order: int
    variant: str
    run: Run
    conditions: dict[str, float]


def run_name(variant: str, number: int) -> str:
    """What is the folder of a variant's run called?  ``number`` counts the rounds from 0."""
    plain = "".join(letter if letter.isalnum() or letter in "._+=" else "-" for letter in variant)
    return f"{plain[:60]}-{number + 1}"


def outcome(run: Run, usual_status: int = 0) -> Outcome:
    """How did this run end, of a command that usually ends with this status?"""
    if run.exit_status == usual_status:
        return Outcome.FINISHED
    return Outcome.KILLED if run.death is not None else Outcome.FAILED


def rows_of(trial: Trial, metrics: Sequence[Metric], usual_status: int) -> list[dict[str, object]]:
    """Its rows of PAIRS: what it measured, and in what state the machine was."""
    run = trial.run
    values = {**measures(run, metrics), **trial.conditions}
    values["read_bytes"] = run.system["read_bytes"].max() if not run.system.is_empty() else None  # type: ignore[assignment]
    common = {
        "pair": trial.pair,
        "order": trial.order,
        "variant": trial.variant,
        "outcome": str(outcome(run, usual_status)),
        "run": run.path.name,
        "item_in_flight": run.item_in_flight,
    }
    return [
        {**common, "metric": name, "value": None if value is None else float(value)}
        for name, value in values.items()
    ]


def in_words(trial: Trial) -> str:
    """How it ended, in a few words, for whoever waits."""
    run = trial.run
    peak = "no peak" if run.peak_rss_bytes is None else f"peak {format_bytes(run.peak_rss_bytes)}"
    duration = "" if run.duration_s is None else f", {format_seconds(run.duration_s)}"
    where = f" in {run.item_in_flight}" if run.death is not None and run.item_in_flight else ""
    return f"{outcome(run)}{where}, {peak}{duration}"
