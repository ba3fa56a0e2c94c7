"""What the runs of a test suite say, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from diagtools.analyse.metrics import PEAK
from diagtools.investigations.model_suite_costs import FolderCost, SuiteCost
from diagtools.present.wording import count, measured, signed_share
from diagtools.units import format_bytes, format_seconds
from diagtools.values import Finding

_NOT_TOLD = "What each test cost is not known: pytest --diag did not run."
_NOTABLE = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class WayFigures:
    """The medians over the runs of one way; null where nothing was measured, lower bounds where one was killed."""

    time_s: float | None
    peak_bytes: float | None
    is_killed: bool = False


def ran_told(cost: SuiteCost | None) -> list[Finding]:
    """How many tests ran, how they ended, and which of them held most?"""
    if cost is None:
        return [Finding(sentence=_NOT_TOLD)]
    ended = [count(cost.n_ran, "test") + " ran"]
    ended += (
        [f"{cost.n_skipped:,} {'was' if cost.n_skipped == 1 else 'were'} skipped"] if cost.n_skipped else []
    )
    ended += [f"{cost.n_failed:,} failed"] if cost.n_failed else []
    highest = f"; the highest was {cost.highest}" if cost.highest else ""
    return [Finding(sentence=f"{', '.join(ended)}{highest}.", value=cost.n_ran, unit="tests")]


def folders_of_one_told(cost: SuiteCost | None) -> list[Finding]:
    """What does a file of each folder take in one run, and what its first test?"""
    folders = cost.folders if cost else ()
    return [_folder_told(one) for one in folders if one.file_s is not None]


def _folder_told(folder: FolderCost) -> Finding:
    first = "" if folder.first_s is None else f", its first test {format_seconds(folder.first_s)}"
    later = "" if folder.later_s is None else f", each later one {format_seconds(folder.later_s)}"
    asked = "" if folder.demand_bytes is None else f"; one test needed {format_bytes(folder.demand_bytes)}"
    file_s = folder.file_s or 0.0
    sentence = f"{folder.name}: a file takes {format_seconds(file_s)}{first}{later}{asked}."
    return Finding(sentence=sentence, value=file_s, unit="s")


def change_told(name: str, was: WayFigures, now: WayFigures, ran: str) -> Finding:
    """What does this way change, in one sentence?  ``ran`` says which tests did not run; empty where all did."""
    said = [_one_change("time", "duration_s", was.time_s, now.time_s, is_bound=now.is_killed)]
    said += [_one_change("peak", PEAK, was.peak_bytes, now.peak_bytes, is_bound=now.is_killed)]
    return Finding(
        sentence=f"{name}: {', '.join(said)}{ran}.", value=share_of(was.time_s, now.time_s), unit="share"
    )


def _one_change(what: str, metric: str, was: float | None, now: float | None, *, is_bound: bool) -> str:
    share = share_of(was, now)
    if share is None:
        return f"{what} not known"
    return f"{what} {signed_share(share)} ({measured(metric, was)} to {measured(metric, now, is_bound=is_bound)})"


def share_of(was: float | None, now: float | None) -> float | None:
    """By which share did it change?  Null where either is not known, or it was nothing."""
    return now / was - 1 if was and now is not None else None


def peak_told(
    name: str, first: str, was: WayFigures, now: WayFigures, costs: Mapping[str, Sequence[SuiteCost]]
) -> list[Finding]:
    """Where is the peak of a way that hardly lowers it?  No sentence for a way that does."""
    share = share_of(was.peak_bytes, now.peak_bytes)
    if share is None or share <= -_NOTABLE:
        return []
    then, here = _highest(costs[first]), _highest(costs[name])
    where = f" It is highest in {here}" if here else ""
    where += (
        f", {first} it was {then}." if then and here and then != here else ", as it was." if where else ""
    )
    sentence = f"{name} does not lower the peak by much ({signed_share(share)})."
    return [Finding(sentence=sentence + where, value=share, unit="share")]


def _highest(costs: Sequence[SuiteCost]) -> str | None:
    return next((one.highest for one in costs), None)


def folders_told(costs: Mapping[str, Sequence[SuiteCost]]) -> list[Finding]:
    """What does a file of each folder take in each way, a sentence a folder?"""
    names = dict.fromkeys(one.name for made in costs.values() for cost in made for one in cost.folders)
    return [
        Finding(sentence=f"A file of {name} tests: {', '.join(_in_each(name, costs))}.") for name in names
    ]


def _in_each(name: str, costs: Mapping[str, Sequence[SuiteCost]]) -> Iterator[str]:
    for way, made in costs.items():
        seconds = file_s(name, made)
        if made:
            yield f"none runs {way}" if seconds is None else f"{format_seconds(seconds)} {way}"


def file_s(name: str, costs: Sequence[SuiteCost]) -> float | None:
    """The median over runs of what a file of this folder takes; null where none of its tests ran."""
    folders = [folder for cost in costs if (folder := cost.folder(name)) is not None]
    seconds = [one.file_s for one in folders if one.file_s is not None]
    return median(seconds) if seconds else None
