"""Import statements in files, the advice on them, and its edits applied."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from diagtools.analyse.import_advice import Advice, advise
from diagtools.import_place import ImportPlace, Kind
from diagtools.read.import_place import read_import_place

HEAVY = "class A:\n    def __init__(self, x=0): self.x = x\nb = 2\ndef go(x): return A(x).x + b\n"
HUNK = re.compile(r"@@ -(\d+),(\d+) \+(\d+),(\d+) @@")


@dataclass(frozen=True)
class Used:
    """A place that forced a name, as a verification tells it."""

    name: str
    file: str
    line: int
    function: str = "<module>"
    module: str = "pack"
    cut_file: str = ""
    cut_line: int = 0


def advice_of(file: Path, verdict: str = "saves", *forced: Used, line: int = 0) -> Advice:
    """Of the statement in this line, or the first that names ``heavy``."""
    lines = file.read_text(encoding="utf-8").split("\n")
    named = [number for number, text in enumerate(lines, start=1) if "heavy" in text]
    return advise(read_import_place(file, line or named[0]), verdict, forced)


def applied(source: str, diff: str) -> str:
    """As ``patch`` would, but stricter: every count, context line and removed line must be right."""
    old, new = source.removesuffix("\n").split("\n"), []
    at, rest = 0, diff.split("\n")
    while rest:
        found = HUNK.fullmatch(rest.pop(0))
        assert found
        start, n_old, new_start, n_new = map(int, found.groups())
        new += old[at : start - 1]
        at = start - 1
        assert len(new) == new_start - 1
        n_before = len(new)
        while rest and not rest[0].startswith("@@"):
            sign, text = rest[0][0], rest.pop(0)[1:]
            if sign in " -":
                assert old[at] == text
                at += 1
            new += [text] if sign in " +" else []
        assert (at - start + 1, len(new) - n_before) == (n_old, n_new)
    return "\n".join(new + old[at:]) + "\n"


def edit_text(advice: Advice, kind: str) -> str:
    return {edit.kind: edit.text for edit in advice.edits}[kind]


def reasons(advice: Advice) -> dict[str, str]:
    return {each.kind: each.reason for each in advice.forbidden}


def written(folder: Path, files: dict[str, str]) -> Path:
    """The files of a program; the first is the one with the statement."""
    for name, text in {**files, "heavy.py": HEAVY}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(dedent(text).lstrip("\n"), encoding="utf-8")
    return folder / next(iter(files))


def said(folder: Path, program: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")


def assert_waits(file: Path, kind: str, package: str, use: str, *, heavy: str = "heavy") -> str:
    """Before and after the edit ``use`` prints the same, and only before is the heavy module there at once."""
    program = f"import sys, {package} as p\nprint({heavy!r} in sys.modules)\n{use}\n"
    before = said(file.parent if file.parent.name != "pack" else file.parent.parent, program)
    assert before[0] == "True"
    source = file.read_text(encoding="utf-8")
    edited = applied(source, edit_text(advice_of(file), kind))
    file.write_text(edited, encoding="utf-8")
    after = said(file.parent if file.parent.name != "pack" else file.parent.parent, program)
    assert after == ["False", *before[1:]]
    return edited


def place_of(folder: Path, text: str, name: str = "program.py") -> ImportPlace:
    """The statement whose line ends with ``# here``, or the first that names ``heavy``."""
    file = folder / name
    source = dedent(text).lstrip("\n")
    file.write_text(source, encoding="utf-8")
    lines = source.split("\n")
    marked = [number for number, line in enumerate(lines, start=1) if "# here" in line]
    named = [number for number, line in enumerate(lines, start=1) if "heavy" in line]
    return read_import_place(file, (marked or named)[0])


def uses_of(place: ImportPlace) -> list[tuple[int, Kind]]:
    return [(use.line, use.kind) for use in place.uses]
