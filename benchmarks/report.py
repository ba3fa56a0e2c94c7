"""What is written: ``results.json`` with every raw value, and ``README.md`` computed from the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from benchmarks.results import Goal, Headline, Outcome, Series, headline_of
from benchmarks.spread import known, ratios

FORMAT = 1
_NUMBERS = re.compile(r'\[\s+([^][{}"]*?)\s+\]')  # arrays of numbers, which then stand on one line


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One benchmark that was run; ``failure`` is set where it could not be."""

    name: str
    question: str
    method: str
    outcome: Outcome
    seconds: float
    machine: dict[str, float]
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One run of the benchmarks."""

    date: str
    revision: str
    size: str
    machine: dict[str, str | int]
    versions: dict[str, str]
    sections: tuple[Section, ...]


def write(report: Report, folder: Path) -> None:
    """Writes both files; what stood there before is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"format": FORMAT, **asdict(report)}
    text = _NUMBERS.sub(lambda match: f"[{' '.join(match[1].split())}]", json.dumps(content, indent=1))
    (folder / "results.json").write_text(text + "\n", encoding="utf-8")
    (folder / "README.md").write_text(as_markdown(report), encoding="utf-8")


def as_markdown(report: Report) -> str:
    """The report for readers."""
    return (
        "\n".join(line for part in (_head(report), _goals(report), _sections(report)) for line in part) + "\n"
    )


def as_text(goals: Sequence[Goal]) -> str:
    """The goals for a terminal, a line each."""
    return "\n".join(
        f"  {_MET[goal.is_met]:8} {goal.what}: {_of_goal(goal)} (wanted {goal.wanted})" for goal in goals
    )


_MET = {True: "met", False: "MISSED", None: "not had"}


def _head(report: Report) -> Iterator[str]:
    machine = report.machine
    kind = "virtual machine, " if machine["virtual"] else ""
    yield "# diagtools beside its peers"
    yield ""
    yield "Written by `make bench` (`python -m benchmarks`), never by hand; every raw value is in `results.json`."
    yield "All sides run in one go and in turn, so that whatever else the machine does hits all alike: trust the"
    yield "ratios more than the absolute times."
    if report.size != "full":
        yield f"This run was *{report.size}*: too few rounds to be quoted."
    yield ""
    yield f"- {report.date}, revision {report.revision}"
    yield (
        f"- {machine['processor']}, {kind}{machine['cpus']} CPUs, {float(machine['memory_bytes']) / 2**30:.0f} GiB, "
        f"{machine['system']}, {machine['python']}"
    )
    yield f"- {', '.join(f'{name} {version}' for name, version in report.versions.items())}"
    yield ""


def _goals(report: Report) -> Iterator[str]:
    yield "## What was to be reached"
    yield ""
    yield "| Goal | Wanted | Measured | |"
    yield "|---|---|---|---|"
    for section in report.sections:
        for goal in section.outcome.goals:
            yield f"| {goal.what} | {goal.wanted} | {_of_goal(goal)} | {_MET[goal.is_met]} |"
        if section.failure:
            yield f"| {section.name} | | {section.failure} | failed |"
    yield ""


def _sections(report: Report) -> Iterator[str]:
    for section in report.sections:
        yield f"## {section.name}: {section.question}"
        yield ""
        yield section.method
        yield ""
        yield from _table(section.outcome.series)
        for estimate in section.outcome.estimates:
            interval = f"{estimate.low:.2f} to {estimate.high:.2f} {estimate.unit}"
            yield f"{estimate.what}: **{estimate.value:.2f} {estimate.unit}** ({interval}; {estimate.method})."
            yield ""
        yield from (f"- {note}" for note in section.outcome.notes)
        busy, stolen = section.machine["busy_share"], section.machine["stolen_share"]
        yield f"- {section.seconds:.0f} s; the machine was {busy:.0%} busy, {stolen:.1%} stolen by its host."
        yield ""


def _table(series: Sequence[Series]) -> Iterator[str]:
    if not series:
        return
    yield "| Measure | Side | Value | Range | n | times the first side |"
    yield "|---|---|---:|---:|---:|---:|"
    references: dict[str, Series] = {}
    for each in series:
        reference = references.setdefault(each.measure, each)
        label = each.measure if reference is each else ""
        yield f"| {' | '.join([label, each.side, *_cells(each), _times(each, reference)])} |"
    yield ""
    yield f"{_legend(series)}  The range is over the rounds; in brackets that of the ratios, round by round."
    yield ""


def _legend(series: Sequence[Series]) -> str:
    said = {
        Headline.MEDIAN: "Values are medians",
        Headline.MINIMUM: "the lowest where it says so",
        Headline.TOTAL: "sums where something is counted",
    }
    used = [text for headline, text in said.items() if any(each.headline is headline for each in series)]
    text = ", ".join(used)
    return f"{text[:1].upper()}{text[1:]}."


def _cells(series: Series) -> Iterator[str]:
    values = known(series.values)
    value = headline_of(series)
    if value is None:
        yield from ("—", "—", "0")
        return
    suffix = {Headline.MEDIAN: "", Headline.MINIMUM: " (lowest)", Headline.TOTAL: f" (of {len(values):,})"}
    is_count = max(values) > 1 and series.headline is Headline.TOTAL
    yield f"{number(value)} {series.unit}".rstrip() + ("" if is_count else suffix[series.headline])
    is_yes_or_no = series.headline is Headline.TOTAL and not is_count
    yield "" if is_yes_or_no else f"{number(min(values))} – {number(max(values))}"
    yield f"{len(values):,}"


def _times(series: Series, reference: Series) -> str:
    found = ratios(series.values, reference.values)
    if series is reference or series.headline is Headline.TOTAL or not found or not series.unit:
        return ""
    if series.headline is Headline.MINIMUM:
        lowest, base = headline_of(series), headline_of(reference)
        return f"{number(lowest / base)} ×" if lowest is not None and base else ""
    return f"{number(median(found))} × ({number(min(found))} – {number(max(found))})"


def _of_goal(goal: Goal) -> str:
    return "—" if goal.value is None else f"{number(goal.value)} {goal.unit}".rstrip()


def number(value: float) -> str:
    """Three digits that count; whole numbers whole."""
    if value == round(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    digits = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return f"{value:.{digits + 1}f}" if abs(value) < 1 else f"{value:.{digits}f}"
