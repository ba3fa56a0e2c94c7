"""``tests.<pid>.jsonl``: what the processes of a test session wrote down while it ran."""

from __future__ import annotations

import json
import typing
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any

from diagtools.errors import DamagedError
from diagtools.read.artefact import read_artefact
from diagtools.values.suite import EVENTS, FILE_GLOB, FORMAT, Event, ProcessBegun

_MOST_FILES = 1000
_MOST_LINES = 2_000_000
_MOST_TEXT = 4096
_LARGEST = 2**62
_Types = dict[str, tuple[type, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteLog:
    """What one process wrote, in order; its first event says which process it is.

    ``n_damaged`` lines were not whole: the last one of a process that was killed, or any that somebody changed.
    """

    begun: ProcessBegun
    events: tuple[Event, ...]
    n_damaged: int


def read_suite_logs(folder: Path) -> list[SuiteLog]:
    """What did each process of the session write, in the order in which they began?

    A file that does not begin with its process is left out.  Raises ``DamagedError`` for a link out of the folder and
    for a log of a newer format.
    """
    found = []
    for path in sorted(folder.glob(FILE_GLOB))[:_MOST_FILES]:
        log = parse_suite_log(read_artefact(folder, path.name) or b"")
        if log is not None:
            found.append(log)
    return sorted(found, key=lambda log: log.begun.t_ns)


def parse_suite_log(data: bytes) -> SuiteLog | None:
    """What do these lines say?  Null where they do not say of which process they are."""
    lines = [line for line in data.split(b"\n", _MOST_LINES)[:_MOST_LINES] if line.strip()]
    events = [event for event in map(_event, lines) if event is not None]
    if not events or not isinstance(events[0], ProcessBegun):
        return None
    if events[0].format > FORMAT:
        raise DamagedError(
            f"The log of tests is of format {events[0].format}, this version reads {FORMAT}.",
            hint="read it with the version of diagtools that wrote it, or a newer one.",
        )
    return SuiteLog(begun=events[0], events=tuple(events[1:]), n_damaged=len(lines) - len(events))


def _event(line: bytes) -> Event | None:
    """The event of one line; null where it is not whole, or not what its kind promises."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    kind = said.pop("kind", None)
    known = EVENTS.get(kind) if isinstance(kind, str) else None
    if known is None:
        return None
    types = _TYPES[known]
    if said.keys() != types.keys() or not all(_is_sound(said[name], types[name]) for name in types):
        return None
    return known(**{name: _printable(value) for name, value in said.items()})


def _printable(value: Any) -> Any:
    """Half of a surrogate pair (a file name that is no UTF-8) is in no table and on no page."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _is_sound(value: object, types: tuple[type, ...]) -> bool:
    if type(value) not in types:  # not isinstance: true is no number here
        return False
    if isinstance(value, str):
        return len(value) <= _MOST_TEXT
    return not isinstance(value, int) or abs(value) < _LARGEST


def _types(event: type[Event]) -> _Types:
    hints = typing.get_type_hints(event)
    return {field.name: tuple(_each(hints[field.name])) for field in fields(event)}


def _each(hint: type | UnionType) -> Iterator[type]:
    for one in typing.get_args(hint) or (hint,):
        yield NoneType if one is None else one


_TYPES = {event: _types(event) for event in EVENTS.values()}
