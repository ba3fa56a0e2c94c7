"""Reads memray captures into a stored profile, in a process of its own: damage can make memray end it by a signal.

Started by ``memray_capture``; reads one request as JSON from stdin, writes Parquet and one answer as JSON.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl

from diagtools.errors import DiagtoolsError, NoDataError
from diagtools.profile import Profile, Source, Unit, View
from diagtools.read.profiles.assemble import Gathered
from diagtools.read.profiles.capture_evidence import Evidence, examine
from diagtools.read.profiles.memray_records import Found, Wanted, gather
from diagtools.read.profiles.stored import write_profile
from diagtools.units import format_share
from diagtools.values import State, Validity

_SAID_LIMIT = 1 << 16


def main() -> None:
    """Answers the one request on stdin."""
    _bound()
    gc.disable()  # nothing here makes cycles, and there are millions of objects to look through
    request = json.load(sys.stdin)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)  # memray writes there what it cannot read
        try:
            profile = _profile(request, said)
            write_profile(profile, Path(request["out"]), origin=request["origin"])
            answer: dict[str, Any] = {}
        except DiagtoolsError as error:
            answer = {"error": {"kind": error.kind, "message": error.message, "hint": error.hint}}
    print(json.dumps(answer))


def _bound() -> None:
    """Damage can make memray ask for any amount of memory: it may have as much as there is in the machine."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    resource.setrlimit(resource.RLIMIT_DATA, (machine, machine))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _profile(request: Mapping[str, Any], said: BinaryIO) -> Profile:
    view = View(request["view"])
    gathered = Gathered()
    found: list[Found] = []
    validity: list[Validity] = []
    for path, pid in request["captures"]:
        evidence = examine(Path(path))
        zero_ms = request["zero_ms"] if request["zero_ms"] is not None else evidence.begin_ms
        wanted = Wanted(
            path=Path(path),
            view=view,
            pid=pid,
            zero_ms=zero_ms,
            is_native=evidence.is_native and request["native"],
        )
        one = gather(wanted, gathered, over_time=request["over_time"])
        found.append(one)
        validity += [
            *one.validity,
            *_doubts(Path(path).name, evidence, one.n_records, _said_since(said), request["known"]),
        ]
    if not gathered.sizes and view is View.PEAK:
        raise NoDataError(
            f"No allocations in '{request['name']}': its process ended before it asked for memory.",
            hint="record a command that runs longer.",
        )
    lifetimes = [one.lifetimes for one in found if one.lifetimes is not None]
    return gathered.profile(
        name=request["name"],
        source=Source.MEMRAY,
        view=view,
        unit=Unit.BYTES,
        lifetimes=pl.concat(lifetimes) if lifetimes else None,
        tracked=pl.concat([one.tracked for one in found]),
        validity=(*dict.fromkeys([*validity, *_several(view, request["captures"])]),),
    )


def _doubts(
    name: str, evidence: Evidence, n_read: int, said: str, known: Mapping[str, str]
) -> list[Validity]:
    """What speaks against the figures of one capture?"""
    notes = [evidence.broken] if evidence.broken else []
    if known.get(name, evidence.sha256) != evidence.sha256:
        notes.append("its bytes are not those that were closed")
    if evidence.n_records and n_read != evidence.n_records:
        share = format_share(min(n_read / evidence.n_records, 1.0))
        notes.append(
            f"memray read {n_read:,} of its {evidence.n_records:,} records ({share}): the rest is missing"
        )
    elif "ERROR" in said:
        notes.append(f"memray could read its first {n_read:,} records and no further")
    if not evidence.is_closed:
        notes.append(
            "its process was ended while it was tracked: it holds what was written until then"
            + ("" if name in known else ", and no mark of its own tells whether that is as it was written")
        )
    return [Validity(what=name, state=State.TRUNCATED, note="; ".join(notes))] if notes else []


def _several(view: View, captures: Sequence[object]) -> list[Validity]:
    if len(captures) < 2 or view is not View.PEAK:
        return []
    note = f"{len(captures)} processes, each at its own peak, which need not be at the same time"
    return [Validity(what="allocations", state=State.UNATTRIBUTED, note=note)]


def _said_since(said: BinaryIO) -> str:
    said.seek(0)
    text = said.read(_SAID_LIMIT).decode("utf-8", "replace")
    said.seek(0)
    said.truncate()
    return text


if __name__ == "__main__":
    main()
