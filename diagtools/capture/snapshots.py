"""What the processes of a command are asked to take snapshots of, and whether they did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from diagtools.redact import redact_text
from diagtools.values import Limit, Snapshots, State, Validity

if TYPE_CHECKING:
    from diagtools.capture.tracked import Note


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


def validity(folder: Path, wanted: Mapping[str, str]) -> tuple[Validity, ...]:
    """Which snapshots are missing, and why?  ``wanted`` has the instruments as its keys."""
    from diagtools.capture.tracked import read_notes  # here: the target waits for what this imports
    from diagtools.probes import moments

    notes = read_notes(folder, moments.NOTES)
    missing = [
        Validity(what=name, state=State.SKIPPED, note=note)
        for name in wanted
        for note in _missing(notes, name)
    ]
    return (*missing, *_observed(notes, wanted))


def _observed(notes: tuple[Note, ...], wanted: Mapping[str, str]) -> Iterator[Validity]:
    """What the snapshots themselves change in what is measured."""
    if "holders" in wanted and any(note.kind == "begun" and note.text == "holders" for note in notes):
        note = "RSS was observed with snapshots of objects: it includes what they took, and what that left behind"
        yield Validity(what="memory", state=State.UNDER_TRACKER, note=note)
        if "ledger" in wanted:
            note = "taken beside snapshots of objects, whose memory is in it: --ledger alone shows the program's own"
            yield Validity(what="ledger", state=State.UNDER_TRACKER, note=note)


def _missing(notes: tuple[Note, ...], name: str) -> Iterator[str]:
    from diagtools.capture.tracked import UNSEEN

    said = [note for note in notes if note.text.partition(":")[0].partition(",")[0] == name]
    if not said:
        yield f"no snapshot was taken: {UNSEEN}"
    for note in said:
        if note.kind in ("failed", "skipped"):
            yield f"in process {note.pid} {redact_text(note.text)}"
