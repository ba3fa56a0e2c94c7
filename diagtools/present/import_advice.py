"""What to do with an import statement, for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from diagtools.analyse.import_advice import ANY_EDIT, NOT_ALLOWED, Advice
from diagtools.analyse.import_edits import Edit
from diagtools.analyse.import_owners import Owner, owner_of
from diagtools.analyse.laziness import Verdict
from diagtools.present.imports import place
from diagtools.present.names import printable, shortened
from diagtools.redact import redact_text

_WIDTH = 100
_INDENT = "  "
_MOST_REMOVED = 6
_OWNED = {
    Owner.PACKAGE: "Installed package: a change to offer its authors; until then see --without.",
    Owner.PYTHON: "Part of Python: leave it, or avoid who imports it.",
}
_NOT_MEASURED = {Verdict.NOT_TESTED.value, NOT_ALLOWED}


def advice_text(advice: Advice, *, most_edits: int | None = None) -> str:
    """Which edits of an import statement save what was measured, and which does its place forbid?

    No line is longer than 100 columns, but for those that are to be pasted: these are never cut.  Of many lines
    that go or stay, those between the first and the last are left out.  A file of an installed package or of Python is
    not the reader's own, and is said to be one.  Edits after the first ``most_edits`` are named only, of Python all.
    """
    where = shortened(place(advice.file), 60) + (f":{advice.line}" if advice.line else "")
    blocks = [[f"{where}  {advice.verdict}", *_wrapped(advice.statement, _INDENT, most=2)]]
    if owned := about_owner(advice.file):
        blocks[0].append(f"{_INDENT}{owned}")
    if advice.verdict in _NOT_MEASURED:
        blocks[0].append(f"{_INDENT}Not measured: whether an edit saves anything here is not known.")
    if advice.first:
        blocks.append(["What holds it:", *_listed(advice.first)])
    is_python = owner_of(advice.file) is Owner.PYTHON
    shown = () if is_python else advice.edits[:most_edits]
    blocks += [_edit(number, edit) for number, edit in enumerate(shown, start=1)]
    if len(shown) < len(advice.edits):
        head = "For Python's own developers" if is_python else "Or"
        blocks.append([f"{head}: {', '.join(edit.kind for edit in advice.edits[len(shown) :])}."])
    if not advice.edits:
        blocks.append([_without_edit(advice)])
    if advice.forbidden:
        reasons = dict.fromkeys(each.reason for each in advice.forbidden)
        kinds = [[each.kind for each in advice.forbidden if each.reason == reason] for reason in reasons]
        refused = [f"{', '.join(each)}: {reason}" for each, reason in zip(kinds, reasons, strict=True)]
        if blocks[-1][-1].endswith("given here:"):
            blocks[-1] += _listed([each.removeprefix(f"{ANY_EDIT}: ") for each in refused])
        else:
            blocks.append(["Not here:", *_listed(refused)])
    return "\n\n".join("\n".join(block) for block in blocks)


def about_owner(file: str) -> str:
    """What can the reader do about a file that is not his own?  Empty where it is, as far as its path says."""
    return _OWNED.get(owner_of(file), "")


def _without_edit(advice: Advice) -> str:
    """What does it mean that there is no edit to give?"""
    which = "this statement" if advice.line else "these statements"
    if advice.verdict == Verdict.FORCED:
        return f"No edit of {which} alone saves anything in this run."
    if advice.verdict == Verdict.BREAKS:
        return f"No edit of {which} alone keeps the program as it is."
    it_saves = "It saves" if advice.line else "Together they save"
    saves = {Verdict.SAVES.value: f"{it_saves}, but no", Verdict.PARTLY.value: f"{it_saves} a part, but no"}
    return f"{saves.get(advice.verdict, 'No')} edit can be given here{':' if advice.forbidden else '.'}"


def _edit(number: int, edit: Edit) -> list[str]:
    head = f"{number}. {edit.kind} (Python {edit.python} and later)"
    return [head, *_wrapped(edit.why, "   "), *_shown(edit.text.split("\n"))]


def _shown(lines: Sequence[str]) -> Iterator[str]:
    """A diff, long runs of removed lines cut in the middle."""
    at = 0
    while at < len(lines):
        end = at
        while end < len(lines) and lines[end].startswith("-"):
            end += 1
        if end - at > _MOST_REMOVED:
            yield from map(_code, lines[at : at + 2])
            yield f"-… {end - at - 3} more lines"
            yield _code(lines[end - 1])
        else:
            yield from map(_code, lines[at:end] or lines[at : at + 1])
        at = max(end, at + 1)


def _code(line: str) -> str:
    """A line as it is pasted: tabs stay, what cannot be shown is escaped; only what is not new is cut."""
    text = "\t".join(map(printable, redact_text(line).split("\t")))
    if not text.startswith("+") and len(text) > _WIDTH:
        return text[: _WIDTH - 1] + "…"
    return text.rstrip() if text.startswith(" ") else text


def _listed(told: Sequence[str]) -> list[str]:
    return [line for said in told for line in _wrapped(said, "  • ")]


def _wrapped(said: str, indent: str, *, most: int = 0) -> list[str]:
    text = printable(redact_text(said))
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=" " * len(indent),
        max_lines=most or None,
        placeholder=" …",
        break_on_hyphens=False,
    )
