"""The edit for the place of a verified import statement."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from diagtools.analyse.import_advice import Advice, advise, advise_file
from diagtools.analyse.import_owners import Owner, owner_of
from diagtools.errors import DiagtoolsError
from diagtools.investigations.import_verify import Verified
from diagtools.present.import_advice import about_owner, advice_text
from diagtools.present.imports import place
from diagtools.read.import_place import read_import_place
from diagtools.redact import redact_text


def advice_on(one: Verified, *, is_command: bool = False) -> Advice:
    """Which edit makes this statement lazy, or those of its file together; or what forbids each?

    ``is_command``: measured was a whole command, not an import.  Of a file the lines that its source shows as
    statements count.  Raises ``DiagtoolsError`` where there is none, or
    where the file cannot be read.
    """
    suspect, forced = one.suspect, one.result.forced if one.result else ()
    places, failures = [], []
    for line in suspect.lines:
        try:
            places.append(read_import_place(Path(suspect.file), line))
        except DiagtoolsError as error:
            failures.append(error)
    if not places:
        raise failures[0]
    return (
        advise_file(places, one.verdict, forced, is_command=is_command)
        if suspect.is_file
        else advise(places[0], one.verdict, forced, is_command=is_command)
    )


def advice_for(one: Verified, *, most_edits: int | None = None, is_command: bool = False) -> str:
    """The same to read and to paste; says why where there is none."""
    try:
        return advice_text(advice_on(one, is_command=is_command), most_edits=most_edits)
    except DiagtoolsError as error:
        return f"{place(one.suspect.place)}: {_without_source(one.suspect.file) or f'no advice. {error}'}"


def _without_source(file: str) -> str:
    """Why is there nothing to read, and nothing to edit?  Empty where the file should be there."""
    owner = owner_of(file)
    if owner is Owner.NOBODY:
        return "no advice. This is code without a file (`-c`, exec): nothing to edit there."
    return about_owner(file) if owner is Owner.PYTHON else ""


def advice_json(one: Verified, *, is_command: bool = False) -> dict[str, Any] | None:
    """The same for scripts; null where there is none."""
    try:
        advice = advice_on(one, is_command=is_command)
    except DiagtoolsError:
        return None
    return {
        "first": [redact_text(said) for said in advice.first],
        "edits": [
            {
                "kind": edit.kind,
                "python": edit.python,
                "diff": redact_text(edit.text),
                "why": redact_text(edit.why),
            }
            for edit in advice.edits
        ],
        "forbidden": [{"kind": each.kind, "reason": redact_text(each.reason)} for each in advice.forbidden],
    }
