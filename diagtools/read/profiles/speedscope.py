"""Speedscope's JSON: sampled and evented profiles over shared frames, as py-spy, memray and many others write it.

Weights with a fraction become whole nanoseconds, bytes or samples: each is what the rounded running sum grew by, so
that they sum to the rounded sum (``whole_units``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from diagtools.errors import DamagedError, NoDataError, UsageError
from diagtools.profile import Profile, Source, Unit, View
from diagtools.read.profiles import export_json
from diagtools.read.profiles.assemble import Gathered
from diagtools.read.profiles.call_tree import Place
from diagtools.read.profiles.export_file import check_stack, check_sums, content_of
from diagtools.read.profiles.whole_units import RunningWhole
from diagtools.values import State, Validity

#: What each of speedscope's units is in ours.
UNITS = {
    "none": (Unit.SAMPLES, 1),
    "nanoseconds": (Unit.NS, 1),
    "microseconds": (Unit.NS, 10**3),
    "milliseconds": (Unit.NS, 10**6),
    "seconds": (Unit.NS, 10**9),
    "bytes": (Unit.BYTES, 1),
    "kilobytes": (Unit.BYTES, 2**10),
    "megabytes": (Unit.BYTES, 2**20),
    "gigabytes": (Unit.BYTES, 2**30),
}
_SLACK = Decimal("1e-6")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One profile of the file: a thread of it, or another thing counted."""

    name: str
    unit: Unit
    scale: int
    kind: str
    raw: dict[str, Any]


def read_speedscope(path: Path, *, profile: int | str | None = None, view: View | None = None) -> Profile:
    """What does a speedscope file say?

    Without ``profile`` (an index or a name) all of its profiles that count the same as the active one are read as
    threads of one.  Raises ``DamagedError`` for a frame that is closed without having been opened, or never closed.
    """
    data = export_json.parsed(content_of(path), f"'{path.name}'")
    shared = export_json.member(data, "shared", f"'{path.name}'")
    if shared is None:
        raise UsageError(f"'{path.name}' is not a speedscope file.", hint="it has no shared frames.")
    places = _places(export_json.member(shared, "frames", "What it shares"))
    parts = _parts(data, path.name)
    chosen = _chosen(parts, profile, data, path.name)
    gathered = Gathered()
    doubts = [doubt for part in chosen for doubt in _add(gathered, part, places, len(chosen))]
    unit = chosen[0].unit
    view = view or _marked(data, chosen)
    is_marked = view is not None or unit is not Unit.BYTES
    return check_sums(gathered).profile(
        name=path.name,
        source=Source.SPEEDSCOPE,
        view=view or (View.PEAK if unit is Unit.BYTES else View.CPU),
        unit=unit,
        validity=(
            *doubts,
            *_left_out(parts, chosen, profile),
            *(() if is_marked else (_UNMARKED,)),
            *_of_exporter(data, unit),
        ),
    )


_UNMARKED = Validity(
    what="view",
    state=State.SKIPPED,
    note="the file does not say which allocations it holds: taken as those of the peak; pass view= to say so",
)
#: What we call ourselves in a file that we write; the names of its profiles are views then.
EXPORTER = "diagtools"
_STACKLESS = Validity(
    what="allocations",
    state=State.SKIPPED,
    note="memray leaves out here what was allocated outside any Python code; its csv has it",
)


def _marked(data: Any, chosen: Sequence[_Part]) -> View | None:
    is_view = data.get("exporter") == EXPORTER and chosen[0].name in list(View)
    return View(chosen[0].name) if is_view else None


def _of_exporter(data: Any, unit: Unit) -> tuple[Validity, ...]:
    is_memray = str(data.get("exporter")).startswith("memray")
    return (_STACKLESS,) if is_memray and unit is Unit.BYTES else ()


def _places(frames: Any) -> list[Place]:
    places = []
    for frame in export_json.listed(frames, "The frames"):
        line = export_json.member(frame, "line", "A frame")
        file = export_json.member(frame, "file", "A frame")
        places.append(
            (
                export_json.text(frame.get("name"), "The name of a frame"),
                "" if file is None else export_json.text(file, "The file of a frame"),
                0 if line is None else export_json.whole(line, "The line of a frame", below=1 << 31),
            )
        )
    return places


def _parts(data: Any, name: str) -> list[_Part]:
    parts = []
    for raw in export_json.listed(export_json.member(data, "profiles", f"'{name}'"), "The profiles"):
        unit = export_json.member(raw, "unit", "A profile")
        if not isinstance(unit, str) or unit not in UNITS:
            raise DamagedError(
                f"A profile of '{name}' counts {str(unit)[:40]!r}, which is no unit of speedscope."
            )
        parts.append(
            _Part(
                name=export_json.text(raw.get("name"), "The name of a profile"),
                unit=UNITS[unit][0],
                scale=UNITS[unit][1],
                kind=export_json.text(raw.get("type"), "The type of a profile"),
                raw=raw,
            )
        )
    if not parts:
        raise NoDataError(f"'{name}' holds no profile.", hint="record for longer.")
    return parts


def _chosen(parts: Sequence[_Part], asked: int | str | None, data: Any, name: str) -> list[_Part]:
    if asked is None:
        active = data.get("activeProfileIndex")
        at = active if type(active) is int and 0 <= active < len(parts) else 0
        return [part for part in parts if part.unit is parts[at].unit]
    found = [part for at, part in enumerate(parts) if asked in (at, part.name)]
    if not found:
        names = ", ".join(repr(part.name) for part in parts[:10])
        raise UsageError(f"'{name}' has no profile {asked!r}.", hint=f"it has {names}.")
    return found[:1]


def _left_out(parts: Sequence[_Part], chosen: Sequence[_Part], asked: object) -> tuple[Validity, ...]:
    if asked is not None or len(parts) == len(chosen):
        return ()
    others = ", ".join(sorted({str(part.unit) for part in parts if part not in chosen}))
    note = f"{len(parts) - len(chosen)} of {len(parts)} count {others}: pass profile= to read one"
    return (Validity(what="profiles", state=State.SKIPPED, note=note),)


def _add(gathered: Gathered, part: _Part, places: Sequence[Place], n_parts: int) -> tuple[Validity, ...]:
    """Adds one profile's weights; says where they do not sum to the range that it states."""
    thread = part.name if n_parts > 1 else ""
    whole = RunningWhole(part.scale)
    if part.kind == "sampled":
        weighed = _sampled(gathered, part, places)
    elif part.kind == "evented":
        weighed = _evented(gathered, part, places)
    else:
        raise DamagedError(f"The profile {part.name!r} is {part.kind[:40]!r}, neither sampled nor evented.")
    for stack_id, weight in weighed:
        size = whole.add(weight)
        if size or part.kind == "sampled":
            gathered.add_to(stack_id, size, n=1, thread=thread)
    return _against_range(part, whole.total) if part.kind == "sampled" else ()


def _sampled(gathered: Gathered, part: _Part, places: Sequence[Place]) -> Iterator[tuple[int, Decimal]]:
    what = f"The samples of {part.name!r}"
    samples = export_json.listed(part.raw.get("samples"), what)
    weights = export_json.listed(part.raw.get("weights"), f"The weights of {part.name!r}")
    export_json.same_length(f"Samples and weights of {part.name!r}", samples, weights)
    for sample, weight in zip(samples, weights, strict=True):
        stack = [places[index] for index in export_json.wholes(sample, what, below=len(places))]
        yield check_stack(gathered.tree.add(stack)), _number(weight)


def _evented(gathered: Gathered, part: _Part, places: Sequence[Place]) -> Iterator[tuple[int, Decimal]]:
    what = f"An event of {part.name!r}"
    opened: list[tuple[int, int]] = []  # frame and stack
    before = _number(part.raw.get("startValue"))
    for event in export_json.listed(part.raw.get("events"), f"The events of {part.name!r}"):
        at = _number(export_json.member(event, "at", what))
        frame = export_json.whole(event.get("frame"), what, below=len(places))
        if at < before:
            raise DamagedError(f"{what} at {at} lies before the one at {before}.")
        if opened:
            yield opened[-1][1], at - before
        before = at
        if event.get("type") == "O":
            stack = gathered.tree.child(opened[-1][1] if opened else -1, places[frame])
            opened.append((frame, check_stack(stack)))
        elif event.get("type") != "C" or not opened or opened.pop()[0] != frame:
            raise DamagedError(f"{what} at {at} closes a frame that is not the innermost open one.")
    if opened:
        raise DamagedError(
            f"{len(opened)} frames of {part.name!r} are opened and never closed: it was cut off."
        )


def _against_range(part: _Part, total: int) -> tuple[Validity, ...]:
    start, end = part.raw.get("startValue"), part.raw.get("endValue")
    if start is None or end is None:
        return ()
    stated = (_number(end) - _number(start)) * part.scale
    if abs(stated - total) <= max(Decimal(1), stated * _SLACK):
        return ()
    note = f"{part.name[:40]!r} states {stated:.0f} {part.unit}, its samples sum to {total}"
    return (Validity(what="weights", state=State.TRUNCATED, note=note),)


def _number(value: Any) -> Decimal:
    if type(value) is int:
        return Decimal(value)
    if isinstance(value, Decimal):
        return value
    raise DamagedError("A weight or a time is not a number.")
