"""What is the zero of a recording's time, and who was recorded?  Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from diagtools.errors import DiagtoolsError, NotARunError
from diagtools.probes import records
from diagtools.read.artefact import read_artefact

#: The files of one recording, oldest records first: the decimated history, the segment that waits, the current one.
HISTORY, WAITING, CURRENT = "timeline.0.bin", "timeline.1.bin", "timeline.bin"
FILES = (HISTORY, WAITING, CURRENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The HEADER record: ``start_ns`` (CLOCK_MONOTONIC) is the zero of every frame, ``wall_ns`` the time then."""

    start_ns: int
    wall_ns: int | None
    root_pid: int | None
    hz: float | None
    recorder_pid: int | None = None


def header_of(record: bytes) -> Header | None:
    """What does this whole record say, if it is a HEADER?  Raises ``NotARunError`` for a newer layout."""
    found = records.unpack(record)
    if found.kind != records.HEADER:
        return None
    version, _, wall_ns, millihertz, recorder_pid = found.payload
    if version > records.VERSION:
        raise NotARunError(
            f"The recording is of layout {version}; this version of diagtools reads up to {records.VERSION}.",
            hint="read it with the diagtools that recorded it, or a newer one.",
        )
    return Header(
        start_ns=found.t_ns,
        wall_ns=wall_ns,
        root_pid=found.pid,
        hz=millihertz / 1000,
        recorder_pid=recorder_pid or None,
    )


def read_header(folder: Path) -> Header | None:
    """What does the first record of any of the recording's files say?  ``None`` where none is whole."""
    for name in FILES:
        try:
            first = read_artefact(folder, name, max_bytes=records.SIZE)
        except DiagtoolsError:
            continue
        if first is not None and records.is_whole(first):
            header = header_of(first)
            if header is not None:
                return header
    return None
