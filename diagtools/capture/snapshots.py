"""What the processes of a command are asked to take snapshots of, and whether they did."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from diagtools.probes import hooks, moments
from diagtools.redact import redact_text
from diagtools.values import Limit, Snapshots, State, Validity

if TYPE_CHECKING:
    from diagtools.capture.tracked import Note

#: What stands among the words of an instrument in a process that was asked while it ran (``capture.inside``).
ASKED = "asked"
_UNANSWERED = "the process did not come to answer: it executed no Python code of its main thread, or it ended"
_MOST_SAID = 3  # notes and processes by name, of each instrument


def asked(wanted: Snapshots, limit: Limit | None) -> dict[str, str]:
    """What stands in ``DIAGTOOLS_LEDGER`` and ``DIAGTOOLS_HOLDERS`` (see ``probes.moments``), by instrument?"""
    words = ["signal"]
    if wanted.every_s is not None:
        words.append(f"every_s={wanted.every_s:g}")
    if limit is not None and limit.counts_rss:
        words.append(f"cap={limit.memory_bytes}")
    found = {}
    if wanted.ledger:
        found["ledger"] = " ".join(["ledger", *words, *(["trim"] if wanted.trim else [])])
    if wanted.holders:
        found["holders"] = " ".join(["holders", *words])
    return found


def described(wanted: Snapshots) -> dict[str, str]:
    """The same for ``run.json``."""
    return {name: words.partition(" ")[2] for name, words in asked(wanted, None).items()}


def ask(folder: Path) -> None:
    """Have every process of the run that answers take a snapshot now."""
    for pid in _answering(folder):
        with contextlib.suppress(OSError):
            os.kill(pid, hooks.snapshot_signal())


def how_to_ask(folder: Path) -> str:
    """How does one get a snapshot at any moment?  Empty as long as no process of the run would answer."""
    for pid in _answering(folder):
        kill = f"kill -RTMIN+{hooks.SIGNAL_OFFSET}"
        return f"process {pid}: {kill} {pid} takes a snapshot ({kill} {os.getpid()}: of each process of the command)"
    return ""


def _answering(folder: Path) -> Iterator[int]:
    """Those that began to take snapshots and still catch the signal: of all others it would be the end."""
    for pid in dict.fromkeys(note.pid for note in _notes(folder) if note.kind == "begun"):
        with contextlib.suppress(OSError, ValueError):
            status = Path(f"/proc/{pid}/status").read_text(errors="replace")
            caught = int(status.partition("SigCgt:")[2].split(maxsplit=1)[0], 16)
            if caught >> (hooks.snapshot_signal() - 1) & 1:
                yield pid


def validity(folder: Path, wanted: Mapping[str, str]) -> tuple[Validity, ...]:
    """Which snapshots are missing, and why?  ``wanted`` is what was ``asked`` for."""
    notes = _notes(folder)
    missing = [
        Validity(what=name, state=State.SKIPPED, note=note)
        for name, words in wanted.items()
        for note in _missing(notes, name, words)
    ]
    return (*missing, *_observed(notes))


def _notes(folder: Path) -> tuple[Note, ...]:
    from diagtools.capture.tracked import read_notes  # here: the target waits for what this imports

    return read_notes(folder, moments.NOTES)


def _instrument(note: Note) -> str:
    return note.text.partition(":")[0].partition(",")[0]


def _observed(notes: tuple[Note, ...]) -> Iterator[Validity]:
    """What the snapshots themselves change in what is measured."""
    taken = [note for note in notes if note.kind == "taken"]
    of_objects = [note for note in taken if _instrument(note) == "holders"]
    if of_objects:
        note = "RSS was observed with snapshots of objects: it includes what they took, and what that left behind"
        yield Validity(what="memory", state=State.UNDER_TRACKER, note=note)
    if any(_is_after(note, of_objects, notes) for note in taken if _instrument(note) == "ledger"):
        note = "taken after snapshots of objects, what they left is in it: --ledger alone shows the program's own"
        yield Validity(what="ledger", state=State.UNDER_TRACKER, note=note)


def _is_after(ledger: Note, of_objects: list[Note], notes: tuple[Note, ...]) -> bool:
    """Had this process one of its objects before, or one that may have been forked to make it?"""
    began_ns = min((note.t_ns for note in notes if note.pid == ledger.pid), default=0)
    return any(one.t_ns < (ledger.t_ns if one.pid == ledger.pid else began_ns) for one in of_objects)


def _missing(notes: tuple[Note, ...], name: str, words: str) -> Iterator[str]:
    from diagtools.capture.tracked import UNSEEN

    said = [note for note in notes if _instrument(note) == name]
    if not said:
        yield f"no snapshot was taken: {_UNANSWERED if ASKED in words.split() else UNSEEN}"
    left_out = [note for note in said if note.kind in ("failed", "skipped")]
    for note in left_out[:_MOST_SAID]:
        yield f"in process {note.pid} {redact_text(note.text)}"
    if more := {note.pid for note in left_out[_MOST_SAID:]}:
        yield f"some were left out in {_counted(more)} more"
    explained = {note.pid for note in said if note.kind in ("failed", "skipped", "taken")}
    if silent := [pid for pid in dict.fromkeys(note.pid for note in said) if pid not in explained]:
        yield f"{_named(silent)} ended before a snapshot was due, or could write none: {_when(words)}"


def _when(words: str) -> str:
    said = "without markers they are taken at the exit alone, and a signal or os._exit skips it"
    is_periodic = "every_s=" in words
    return (
        f"{said}; {'a shorter --snapshot-every' if is_periodic else '--snapshot-every 5'} takes some before"
    )


def _named(pids: list[int]) -> str:
    if len(pids) == 1:
        return f"process {pids[0]}"
    first = ", ".join(map(str, pids[:_MOST_SAID]))
    more = len(pids) - _MOST_SAID
    return f"{len(pids)} processes ({first}{f' and {more} more' if more > 0 else ''})"


def _counted(pids: set[int]) -> str:
    return "1 process" if len(pids) == 1 else f"{len(pids)} processes"
