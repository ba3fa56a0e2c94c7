"""Folded stacks: a line a stack, ``outermost;…;innermost count``, as py-spy, austin, Fil and many scripts write it.

The format has neither a count of its lines nor a checksum: a line that is cut is noticed, lines that are missing are
not (but in a file of austin, which says at its end that it is whole).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from diagtools.errors import DamagedError, NoDataError, UsageError
from diagtools.profile import Profile, Source, Unit, View
from diagtools.read.profiles.assemble import Gathered
from diagtools.read.profiles.call_tree import Place
from diagtools.read.profiles.export_file import LARGEST, check_stack, check_sums, content_of
from diagtools.read.profiles.folded_frames import place_of
from diagtools.values import State, Validity

_FIL_FRAME = re.compile(r":\d{1,9} \([^()]*\)(?:;| \d+$)")
_PYSPY_FRAME = re.compile(r" \([^()]*:\d{1,9}\)(?:;| \d+$)")
_AUSTIN_THREAD = re.compile(r"P(\d{1,9});T([^;]*)(?:;|$)")
_PYSPY_THREAD = re.compile(r"thread \(([^;]*)\)(?:: ([^;]*))?(?:;|$)")
_PYSPY_PROCESS = re.compile(r"process (\d{1,9}):(?:\"[^\"]*\"|[^;]*)(?:;|$)")
_COUNT = re.compile(r"\d{1,19}")
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_COMMENT = re.compile(r"#(?: [\w-]+:|.*[^\d]$|$)")
_FREED = re.compile(r" -(\d{1,19})$")
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d*)?")
_AUSTIN_MODES = {
    "wall": (Unit.NS, 1000, View.CPU),
    "cpu": (Unit.NS, 1000, View.CPU),
    "memory": (Unit.BYTES, 1, View.ALLOCATED),
}


@dataclass(slots=True)
class _Text:
    """A file of folded stacks: its lines, what its header says, and what is odd about its end."""

    name: str
    lines: list[str]
    header: dict[str, str] = field(default_factory=dict)
    torn: str = ""
    is_guess: bool = False  # is what it counts?
    doubts: list[Validity] = field(default_factory=list)

    @property
    def is_of_austins_memory(self) -> bool:
        """Does it hold by how much the memory of a process changed from one sample to the next?"""
        return "austin" in self.header and self.header.get("mode") == "memory"


def read_folded(path: Path, *, unit: Unit | str | None = None, view: View | None = None) -> Profile:
    """What do these folded stacks say?

    The counts are bytes where the tool says so (Fil, austin's memory mode), nanoseconds where they are austin's times,
    and samples otherwise; ``unit`` overrides that.  Raises ``DamagedError`` for a line without a whole count.
    """
    text = _text(path)
    told_unit, scale, told_view = _meaning(text)
    chosen = Unit(unit) if unit is not None else told_unit
    gathered = Gathered()
    scale = scale if chosen is told_unit else 1
    for stack, size, pid, thread in _stacks(text):
        if size * scale > LARGEST:
            raise DamagedError(f"'{text.name}' counts {size}: more than any program used.")
        n = size if chosen is Unit.SAMPLES else 1
        gathered.add_to(check_stack(gathered.tree.add(stack)), size * scale, n=n, pid=pid, thread=thread)
    if text.is_guess and unit is None:
        note = "the file does not say what they count: taken as samples; --unit bytes (or unit=) where it is memory"
        text.doubts.append(Validity(what="counts", state=State.SKIPPED, note=note))
    if not gathered.sizes:
        raise NoDataError(f"'{text.name}' holds no stack.", hint="record for longer.")
    return check_sums(gathered).profile(
        name=path.name,
        source=Source.FOLDED,
        view=view or (told_view if chosen is told_unit else _view_of(chosen)),
        unit=chosen,
        validity=tuple(text.doubts),
    )


def _view_of(unit: Unit) -> View:
    return View.ALLOCATED if unit is Unit.BYTES else View.CPU


def _text(path: Path) -> _Text:
    content = content_of(path)
    if _CONTROL.search(content):
        raise DamagedError(f"'{path.name}' holds control characters: it is no text, or was changed.")
    lines = content.decode("utf-8", "replace").split("\n")
    text = _Text(path.name, [line.rstrip("\r") for line in lines[:-1]], torn=lines[-1])
    for line in text.lines:
        if line.startswith("# "):
            name, _, value = line[2:].partition(":")
            text.header[name.strip()] = value.strip()
    if n_odd := sum("\ufffd" in line for line in lines):
        note = f"{n_odd} lines are not UTF-8: they may have been changed"
        text.doubts.append(Validity(what="stacks", state=State.TRUNCATED, note=note))
    _settle_end(text)
    return text


def _settle_end(text: _Text) -> None:
    """The last line may be cut: without its newline nobody knows whether its count is whole."""
    if "austin" in text.header and "duration" not in text.header:
        note = "austin did not write its end: stacks are missing"
        text.doubts.append(Validity(what="stacks", state=State.TRUNCATED, note=note))
    if not text.torn:
        return
    is_whole = bool(_COUNT.fullmatch(text.torn.rpartition(" ")[2]))
    if is_whole:
        text.lines.append(text.torn)
    note = "its last line does not end: it may be cut, and is " + ("counted" if is_whole else "left out")
    text.doubts.append(Validity(what="stacks", state=State.TRUNCATED, note=note))


def _meaning(text: _Text) -> tuple[Unit, int, View]:
    """Which unit do the counts have, what are they multiplied by, and which view is it?"""
    if "austin" in text.header:
        mode = text.header.get("mode", "none")
        if mode not in _AUSTIN_MODES:
            raise UsageError(
                f"'{text.name}' is of austin's mode {mode[:20]!r}, which is not read.",
                hint="record again with austin -m for memory, or without -f for time.",
            )
        return _AUSTIN_MODES[mode]
    if own := _own_meaning(text.header.get("diagtools", "")):
        return own
    first = next((line for line in text.lines if line and not line.startswith("#")), "")
    if _AUSTIN_THREAD.match(first):
        note = "they look like austin's, whose header is missing: taken as samples; pass unit= to say what they count"
        text.doubts.append(Validity(what="counts", state=State.TRUNCATED, note=note))
    if _FIL_FRAME.search(first):
        return Unit.BYTES, 1, View.PEAK
    text.is_guess = not _PYSPY_FRAME.search(first)
    return Unit.SAMPLES, 1, View.CPU


def _own_meaning(header: str) -> tuple[Unit, int, View] | None:
    """What the first line of an export of ours says: ``# diagtools: bytes peak``."""
    unit, _, view = header.partition(" ")
    return (Unit(unit), 1, View(view)) if unit in set(Unit) and view in set(View) else None


def _stacks(text: _Text) -> Iterator[tuple[list[Place], int, int | None, str]]:
    n_differential = 0
    found = []
    freed = []
    for number, line in enumerate(text.lines, start=1):
        if not line.strip() or _COMMENT.match(line):
            continue
        if text.is_of_austins_memory and (less := _FREED.search(line)):
            freed.append(int(less[1]))
            continue
        stack, count = _split(line, number, text.name)
        n_differential += bool(_NUMBER.fullmatch(stack.rpartition(" ")[2])) and " " in stack
        found.append((stack, count))
    if freed:
        note = f"{len(freed)} times memory shrank, by {sum(freed)} bytes in all: left out, the rest is what it grew by"
        text.doubts.append(Validity(what="allocations", state=State.SKIPPED, note=note))
    if found and n_differential == len(found):
        raise UsageError(
            f"'{text.name}' has two counts a line: it is a difference of two recordings.",
            hint="compare the two files it was made of: diagtools compare BEFORE AFTER",
        )
    if n_differential:
        note = f"{n_differential} of {len(found)} lines have a number before their count: they may have been changed"
        text.doubts.append(Validity(what="counts", state=State.TRUNCATED, note=note))
    for stack, count in found:
        rest, pid, thread = _owner(stack)
        yield [place_of(frame) for frame in rest.split(";") if frame], count, pid, thread


def _split(line: str, number: int, name: str) -> tuple[str, int]:
    stack, count = ["", *line.rsplit(maxsplit=1)][-2:]
    if _COUNT.fullmatch(count):
        return stack.strip(), int(count)
    if _NUMBER.fullmatch(count):
        raise UsageError(
            f"Line {number:,} of '{name}' counts {count}: counts are whole and not negative.",
            hint="a difference of two recordings is read as its two files: diagtools compare BEFORE AFTER",
        )
    raise DamagedError(f"Line {number:,} of '{name}' does not end with a count: {line[-60:]!r}.")


def _owner(stack: str) -> tuple[str, int | None, str]:
    """The frames, and the process and thread that some tools write before them."""
    if austin := _AUSTIN_THREAD.match(stack):
        return stack[austin.end() :], int(austin[1]), austin[2]
    pid = None
    while process := _PYSPY_PROCESS.match(stack):
        pid, stack = int(process[1]), stack[process.end() :]
    if thread := _PYSPY_THREAD.match(stack):
        return stack[thread.end() :], pid, " ".join(part for part in thread.groups() if part)
    return stack, pid, ""
