"""What became of the changes of an experiment in the processes of a command, as they noted it themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from diagtools.capture.tracked import UNSEEN, Note, read_notes
from diagtools.probes import snippets
from diagtools.redact import redact_folder, redact_path, redact_text
from diagtools.values import Applied, Changes

_LONGEST = 200


def described(changes: Changes) -> dict[str, str]:
    """The same for ``run.json``, a line each: what is to be found applied, or not."""
    found = {f"without {name}": name for name in changes.without}
    found |= {f"lazy {redact_path(place)}": redact_path(place) for place in changes.lazy}
    if changes.overlay:
        pins = ", ".join(f"{name} {version}" for name, version in changes.overlay.brings)
        found[f"with {pins}"] = ",".join(changes.overlay.modules)
    found |= {
        f"patch {number}": redact_text(patch.name)[:_LONGEST] for number, patch in enumerate(changes.patches)
    }
    return found


def applied(
    asked: Mapping[str, str], folder: Path, *, made_lazy: Sequence[str], is_seen: bool
) -> tuple[Applied, ...]:
    """Which of the changes came to anything?  In the order in which they were asked for.

    ``asked`` is what ``described`` gave, ``made_lazy`` are the places at which an import was made lazy
    (``FILE:LINE``), ``is_seen`` tells whether any Python process of the command loaded the recorder.
    """
    notes = read_notes(folder, snippets.NOTES)
    found = []
    for change, what in asked.items():
        doubts = iter(_doubts(change, what, notes, made_lazy))
        why = UNSEEN if not is_seen and not notes else next(doubts, "")
        found.append(Applied(change=_named(change, what), is_applied=not why, why=redact_text(why)))
    return tuple(found)


def _named(change: str, what: str) -> str:
    return what if change.startswith("patch ") else change


def _doubts(change: str, what: str, notes: Sequence[Note], made_lazy: Sequence[str]) -> Iterator[str]:
    kind, _, rest = change.partition(" ")
    if kind == "without":
        yield from _not_blocked(what, notes)
    elif kind == "lazy":
        yield from _not_lazy(what, made_lazy)
    elif kind == "with":
        yield from _not_brought(what, notes)
    elif kind == "patch":
        mine = [(note.kind, note.text.partition(" ")[2]) for note in notes if _number(note) == rest]
        broken = [note.text for note in notes if note.kind == "failed" and not _number(note)]
        yield from broken
        yield from _not_patched(mine)


def _number(note: Note) -> str:
    """Of the snippet that a note is about; empty where it is about none."""
    first = note.text.partition(" ")[0]
    return first if first.isdecimal() else ""


def _not_blocked(package: str, notes: Sequence[Note]) -> Iterator[str]:
    asked_for = [note.text for note in notes if note.kind == "blocked"]
    if not any(name == package or name.startswith(f"{package}.") for name in asked_for):
        yield f"nothing asked for {package}"


def _not_lazy(place: str, made_lazy: Sequence[str]) -> Iterator[str]:
    if place not in {redact_path(each) for each in made_lazy}:
        yield "the statement was not reached: its file is executed as a program, by a loader of its own, or not at all"


def _not_brought(modules: str, notes: Sequence[Note]) -> Iterator[str]:
    shadowed = [note.text.partition(" ")[::2] for note in notes if note.kind == "shadowed"]
    for module, file in shadowed:
        yield f"{module} came from {redact_folder(file) or 'elsewhere'}, ahead of the overlay on the path"
    if not any(note.kind == "brought" for note in notes):
        yield f"none of its modules was imported ({modules.replace(',', ', ')})"


def _not_patched(notes: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The text of each note is without the number."""
    of = {kind: list(dict.fromkeys(text for each, text in notes if each == kind)) for kind in dict(notes)}
    yield from of.get("failed", [])
    yield from (f"raised in {text}" for text in of.get("raised", []))
    done, called, optional = _done(of), of.get("called", []), of.get("optional", [])
    for target in of.get("waiting", []):
        module = target.partition(":")[0]
        if target not in done and not (target == module and "ran" in of):
            yield f"{module} was never imported"
    if "ran" not in of:
        yield (
            "its process ended while it ran" if "began" in of else "its process ended before it could be run"
        )
    for target in of.get("counted", []):
        if target not in called and target not in optional:
            yield f"{target} was never called"
    if optional and not {*optional} & ({*called} | ({*done} - {*of.get("counted", [])})):
        yield f"none of these was called: {', '.join(optional)}"


def _done(of: Mapping[str, list[str]]) -> set[str]:
    return {*of.get("replaced", []), *of.get("counted", [])}
