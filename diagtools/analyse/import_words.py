"""How are an import statement and what stands in for it written, in lines of a file?"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from diagtools.import_place import Bound, ImportPlace

_WIDTH = 88


def written(place: ImportPlace, bound: Sequence[Bound]) -> list[str]:
    """The statement for these of its names."""
    words = [each.text for each in bound]
    if not place.is_from:
        return [f"import {word}" for word in words]
    start = f"from {'.' * place.level}{place.module} import "
    short = start + ", ".join(words)
    return [short] if len(short) <= _WIDTH else wrapped(start + "(", words, ")")


def wrapped(start: str, words: Sequence[str], end: str) -> list[str]:
    """Opened, the words between commas, closed: on one line where that is short enough."""
    short = start + ", ".join(words) + end
    indent = " " * (len(start) - len(start.lstrip()))
    if len(short) <= _WIDTH:
        return [short]
    return [start, *indented(filled(words), indent + "    "), indent + end]


def filled(words: Iterable[str]) -> list[str]:
    """The words, each with a comma behind it, in lines that are full."""
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + len(word) + 2 <= _WIDTH - 8:
            lines[-1] += f" {word},"
        else:
            lines.append(f"{word},")
    return lines


def global_lines(names: Sequence[str]) -> list[str]:
    """``global`` for these names."""
    return [f"global {line.rstrip(',')}" for line in filled(names)]


def quoted(names: Sequence[str]) -> str:
    """The names as strings, between commas."""
    return ", ".join(f'"{name}"' for name in names)


def dedented(place: ImportPlace, first: int, last: int) -> list[str]:
    """These lines of the file, ``last`` included, without what they share of indentation."""
    return textwrap.dedent("\n".join(lines_of(place)[first - 1 : last])).split("\n")


def indented(lines: Iterable[str], indent: str = "    ") -> list[str]:
    """The lines, further in; empty ones stay empty."""
    return [indent + line if line else "" for line in lines]


def names_of(bound: Sequence[Bound]) -> str:
    """Which names, in a few words?"""
    names = [each.name for each in bound]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def in_short(place: ImportPlace) -> str:
    """The statement on one line."""
    words = ", ".join(bound.text for bound in place.bound)
    return f"from {'.' * place.level}{place.module} import {words}" if place.is_from else f"import {words}"


def lines_of(place: ImportPlace) -> list[str]:
    """The lines of its file."""
    return place.source.removesuffix("\n").split("\n")


def free_name(place: ImportPlace, name: str) -> str:
    """This name, or one like it that the file does not contain."""
    while name in place.source:
        name += "_NAMES" if not name.endswith("_NAMES") else "_"
    return name
