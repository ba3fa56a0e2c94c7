"""Why were no items recorded, where some were asked for?  Standard library only: ``diagtools record`` says it too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from diagtools import mark
from diagtools.errors import DamagedError
from diagtools.probes.calls import EVENT_PREFIX
from diagtools.read.artefact import read_artefact
from diagtools.read.marker_log import Marker, parse_log
from diagtools.read.marker_slots import read_slots
from diagtools.redact import redact_text
from diagtools.values import State, Validity

_BEGUN = b"\titem\tbegin\t"  # of a line: names and texts hold no tab


def no_items(folder: Path, asked: Mapping[str, str]) -> Validity | None:
    """Which sentence says that items were asked for and none recorded, and why as far as that is known?

    ``asked`` is the manifest's ``items``.  Null where nothing was asked for, where there are items, and where the log
    cannot be read (``read_markers`` says that).
    """
    if not asked:
        return None
    try:
        log = read_artefact(folder, mark.LOG_NAME) or b""
    except DamagedError:
        return None
    if _BEGUN in log or any(marker.kind == "item" for marker in read_slots(folder).markers):
        return None
    kinds = {"calls": "no call", "opened_under": "no such file opened for reading"}
    unseen = " and ".join(words for kind, words in kinds.items() if kind in asked)
    reasons = "; ".join(_reasons(parse_log(log).markers, unseen))
    note = f"{_asked(asked)} were asked for and none was recorded: {reasons}"
    return Validity(what="items", state=State.SKIPPED, note=note)


def _asked(asked: Mapping[str, str]) -> str:
    kinds = {"calls": "calls of {}", "opened_under": "files opened under '{}'"}
    return " and ".join(words.format(asked[kind]) for kind, words in kinds.items() if kind in asked)


def _reasons(markers: Sequence[Marker], unseen: str) -> Iterator[str]:
    booted = {marker.pid: marker for marker in markers if marker.kind == "boot" and marker.status}
    failed = {pid: marker.error or "" for pid, marker in booted.items() if marker.status == "failed"}
    if not booted:
        yield (
            "no Python process of the command loaded the recorder, "
            "so none was started, or only with -I, -E or -S, or with another environment"
        )
    if failed:
        yield f"it could not start in {_processes(len(failed))}: {_line([*failed.values()][-1])}"
    said = _said(markers)
    n_ran = len(booted) - len(failed)
    for text, n in said.items():
        yield _line(text) + (f" in {n} of {_processes(n_ran)}" if n < n_ran else "")
    if n_ran and not said:
        yield f"{_processes(n_ran)} loaded the recorder, and {unseen} was seen"


def _said(markers: Sequence[Marker]) -> Counter[str]:
    """What did the probes themselves say, each in how many processes?"""
    events = {(m.pid, m.name) for m in markers if m.kind == "event" and m.name.startswith(EVENT_PREFIX)}
    return Counter(sorted(name.removeprefix(EVENT_PREFIX) for _, name in events))


def _processes(n: int) -> str:
    return f"{n} Python process{'' if n == 1 else 'es'}"


def _line(text: str) -> str:
    return redact_text(" ".join(text.split()))
