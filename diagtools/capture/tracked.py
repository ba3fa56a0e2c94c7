"""What became of the trackers in the processes of a command, as they noted it themselves."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from diagtools.probes import tracker_notes
from diagtools.redact import redact_folder, redact_path, redact_text
from diagtools.values import State, Tool, Tracking, Validity

_PLAIN = {escaped: plain for plain, escaped in tracker_notes.ESCAPES}
_ESCAPED = re.compile(b"|".join(re.escape(escaped) for escaped in _PLAIN))
_MOST_BYTES = 64 << 20
_N_FIELDS = 6
#: Why an instrument that was asked for began nowhere.
UNSEEN = (
    "no Python process of the command loaded the recorder, so none was started, "
    "or only with -I, -E or -S, or with another environment"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One note of one process; the kinds are those of ``probes.tracker_notes``."""

    t_ns: int
    pid: int
    kind: str
    place: str
    text: str


def read_notes(folder: Path, name: str = tracker_notes.NAME) -> tuple[Note, ...]:
    """The whole notes of a run, in their order; none where there is no such file."""
    try:
        with (folder / name).open("rb") as file:
            lines = file.read(_MOST_BYTES).split(b"\n")
    except OSError:
        return ()
    return tuple(note for note in map(_parsed, lines) if note is not None)


def version(notes: Sequence[Note]) -> str:
    """Which tracker was it, in which version?  Empty where none began."""
    return next((note.text for note in notes if note.kind == "begun"), "")


def validity(notes: Sequence[Note], tracking: Tracking) -> tuple[Validity, ...]:
    """How far can the memory of this run be believed, and the capture of its allocations?"""
    tool = version(notes)
    found = list(_doubts(notes, tracking))
    if tool:
        note = f"RSS was observed under {tool}: it includes the tracker's own"
        found.insert(0, Validity(what="memory", state=State.UNDER_TRACKER, note=note))
    return tuple(found)


def _doubts(notes: Sequence[Note], tracking: Tracking) -> Iterator[Validity]:
    for note in (*_untracked(notes, tracking), *_refused(notes, tracking)):
        yield Validity(what="allocations", state=State.SKIPPED, note=note)
    for note in (*_unclosed(notes, tracking), *_disturbed(notes, tracking)):
        yield Validity(what="allocations", state=State.TRUNCATED, note=note)


def _untracked(notes: Sequence[Note], tracking: Tracking) -> Iterator[str]:
    absent = [note for note in notes if note.kind == "absent"]
    failed = [note for note in notes if note.kind == "failed"]
    forked = [note for note in notes if note.kind == "forked"]
    if absent:
        pythons = " and ".join(sorted({f"'{redact_path(note.text)}'" for note in absent}))
        yield f"{_processes(absent)} not tracked: there is no memray in {pythons}"
    if failed:
        yield f"the tracker failed in {len(failed)} of the processes: {redact_text(failed[-1].text)}"
    if forked:
        yield f"{_processes(forked)} not tracked: forked, and forks are not followed"
    if not absent and not failed and not version(notes):
        yield f"{tracking.tool} was asked for and tracked nothing: {UNSEEN}"
    for note in notes:
        if note.kind == "skipped":
            yield f"a snapshot of process {note.pid} was left out: {redact_text(note.text)}"


def _refused(notes: Sequence[Note], tracking: Tracking) -> Iterator[str]:
    """The recording lacks nothing then: it is the program that goes without."""
    for note in notes:
        if note.kind == "second" and tracking.tool is Tool.MEMRAY:
            place = redact_folder(note.place) or "an unknown line"
            yield f"a tracker of the program's own was refused at {place}: this recording is tracking already"


def _unclosed(notes: Sequence[Note], tracking: Tracking) -> Iterator[str]:
    n_begun: dict[int, int] = {}
    for note in notes:
        if note.kind in ("begun", "closed"):
            n_begun[note.pid] = n_begun.get(note.pid, 0) + (1 if note.kind == "begun" else -1)
    n = sum(1 for n_open in n_begun.values() if n_open > 0)
    if not n:
        return
    left = "was" if n == 1 else "were"
    said = (
        f"{n} of {len(n_begun)} captures {left} not closed, for the process was killed or left without a word"
    )
    if tracking.aggregated:
        yield f"{said}: an aggregated one is empty then"
    elif tracking.tool is Tool.MEMRAY:
        yield f"{said}: it holds what was allocated until then"
    else:
        yield f"{said}: there is no snapshot of its end"


def _disturbed(notes: Sequence[Note], tracking: Tracking) -> Iterator[str]:
    for note in notes:
        place = redact_folder(note.place) or "an unknown line"
        if note.kind == "profiler" and note.text == "threading.setprofile":
            yield (
                f"threads of process {note.pid} have no stacks, only sizes, once {place} was their profiler "
                "(threading.setprofile)"
            )
        elif note.kind == "profiler":
            yield (
                f"what the same thread of process {note.pid} allocates after {place} has no stack, only its size: "
                "the program sets that thread's profiler there (sys.setprofile or cProfile) in the place of memray's"
            )
        elif note.kind == "second" and tracking.tool is not Tool.MEMRAY:
            yield f"in process {note.pid} {note.text}: how many frames it keeps is the program's choice"
        elif note.kind == "stopped":
            yield f"in process {note.pid} {note.text}: there is no snapshot after that"
        elif note.kind == "greenlet":
            yield f"process {note.pid} uses greenlets, which memray follows as an experiment only"


def _processes(notes: Sequence[Note]) -> str:
    n = len({note.pid for note in notes})
    return "1 process was" if n == 1 else f"{n} processes were"


def _parsed(line: bytes) -> Note | None:
    body, _, crc = line.rpartition(b"\t")
    fields = line.split(b"\t")
    if len(fields) != _N_FIELDS or crc != b"%08x" % zlib.crc32(body) or not fields[1].isdigit():
        return None
    kind, place, text = (_plain(field) for field in fields[2:5])
    return Note(t_ns=int(fields[0]), pid=int(fields[1]), kind=kind, place=place, text=text)


def _plain(field: bytes) -> str:
    return _ESCAPED.sub(lambda found: _PLAIN[found[0]], field).decode("utf-8", "surrogateescape")
