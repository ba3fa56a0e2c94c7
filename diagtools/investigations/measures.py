"""The figures of one run by which an experiment compares it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from diagtools.analyse.metrics import Metric, cpu_s, kept_bytes, per_item_bytes, printed_names, printed_number
from diagtools.errors import NoDataError
from diagtools.run import Run

_ALWAYS = ("peak_rss_bytes", "final_rss_bytes", "duration_s")


def measures(run: Run, metrics: Sequence[Metric]) -> dict[str, float | None]:
    """What did this run measure, by name?  Peak, final memory and duration stand there always."""
    found: dict[str, float | None] = {name: _attribute(run, name) for name in _ALWAYS}
    for metric in metrics:
        name, value = _value(run, metric)
        found[name] = value
    return found


def name_of(run: Run, metric: Metric) -> str:
    """What is this metric called in the results?  A printed number tells its unit itself."""
    return _value(run, metric)[0]


def must_be_measured(run: Run, metrics: Sequence[Metric]) -> None:
    """Raises ``NoDataError`` for a metric that this run of the command as it is does not have."""
    for metric in metrics:
        if _value(run, metric)[1] is None:
            raise NoDataError(f"This run has no {metric.name}: {_missing(metric)}.", hint=_hint(run, metric))


def _value(run: Run, metric: Metric) -> tuple[str, float | None]:
    if metric.kind == "printed":
        found = printed_number(_lines(run), metric.of)
        return (metric.name + found[0], found[1]) if found else (metric.name, None)
    if metric.kind == "kept":
        known = run.undisturbed
        return metric.name, kept_bytes(known.timeline, known.markers, run.phases, metric.of)
    if metric.kind == "per item":
        return metric.name, per_item_bytes(run.items)
    return metric.name, cpu_s(run.timeline, run.events) if metric.name == "cpu_s" else _attribute(
        run, metric.name
    )


def _attribute(run: Run, name: str) -> float | None:
    value = getattr(run, name)
    return None if value is None else float(value)


def _lines(run: Run) -> list[str]:
    return run.logs["line"].to_list()


_MISSING: Mapping[str, str] = {
    "printed": "it printed no number under that name",
    "kept": "no phase of that name ended",
    "per item": "fewer than four items ended",
    "always": "nothing was sampled",
}


def _missing(metric: Metric) -> str:
    return _MISSING[metric.kind]


def _hint(run: Run, metric: Metric) -> str:
    if metric.kind == "printed":
        names = printed_names(_lines(run))
        return f"it printed {', '.join(names)}." if names else "have it print a line such as 'rows = 3'."
    if metric.kind == "kept":
        names = run.phases["phase"].unique(maintain_order=True).to_list()
        return (
            f"its phases are {', '.join(names)}." if names else "mark one: with diagtools.mark.phase('load'):"
        )
    if metric.kind == "always":
        return "it ended before the first look: let it take 20 ms and more."
    return "mark its items: with diagtools.mark.item(name):, or --items-calls MOD:FUNC."
