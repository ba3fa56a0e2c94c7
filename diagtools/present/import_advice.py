"""What to do with an import statement, for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from diagtools.analyse.import_advice import Advice
from diagtools.analyse.import_edits import Edit
from diagtools.present.imports import place
from diagtools.present.names import printable, shortened
from diagtools.redact import redact_text

_WIDTH = 100
_INDENT = "  "
_MOST_REMOVED = 6
_INSTALLED = {"site-packages", "dist-packages"}


def advice_text(advice: Advice, *, most_edits: int | None = None) -> str:
    """Which edits of an import statement save what was measured, and which does its place forbid?

    No line is longer than 100 columns, but for those that are to be pasted: these are never cut.  Of many lines
    that go or stay, those between the first and the last are left out.  The file of an installed package is not the
    reader's own, and is said to be one.  Edits after the first ``most_edits`` are named only.
    """
    where = shortened(place(advice.file), 60) + (f":{advice.line}" if advice.line else "")
    blocks = [[f"{where}  {advice.verdict}", *_wrapped(advice.statement, _INDENT, most=2)]]
    if _INSTALLED & set(PurePath(advice.file).parts):
        blocks[0].append(
            f"{_INDENT}Installed package: an edit to offer its authors; until then see --without."
        )
    if advice.first:
        blocks.append(["First:", *(line for said in advice.first for line in _wrapped(said, "  • "))])
    shown = advice.edits[:most_edits]
    blocks += [_edit(number, edit) for number, edit in enumerate(shown, start=1)]
    if len(shown) < len(advice.edits):
        blocks.append([f"Or: {', '.join(edit.kind for edit in advice.edits[len(shown) :])}."])
    if not advice.edits:
        which = "this statement" if advice.line else "these statements"
        blocks.append([f"No edit of {which} alone saves anything."])
    if advice.forbidden:
        reasons = dict.fromkeys(each.reason for each in advice.forbidden)
        kinds = [[each.kind for each in advice.forbidden if each.reason == reason] for reason in reasons]
        refused = [f"{', '.join(each)}: {reason}" for each, reason in zip(kinds, reasons, strict=True)]
        blocks.append(["Not here:", *(line for said in refused for line in _wrapped(said, "  • "))])
    return "\n\n".join("\n".join(block) for block in blocks)


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
