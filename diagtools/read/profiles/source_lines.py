"""Which lines of source stand at the places of a profile?  Read only when asked for: a page may be shared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from diagtools.errors import DiagtoolsError
from diagtools.read.source_text import read_source


def source_lines(places: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], str]:
    """The text at each file and line that can be read on this machine, without its indent.

    Only Python's own source is read: a capture from somebody else may name any file.
    """
    by_file: dict[str, set[int]] = defaultdict(set)
    for file, line in places:
        if file.endswith(".py") and line > 0:
            by_file[file].add(line)
    found: dict[tuple[str, int], str] = {}
    for file, lines in by_file.items():
        try:
            text = read_source(Path(file)).splitlines()
        except DiagtoolsError:
            continue
        found |= {(file, line): text[line - 1].strip() for line in lines if line <= len(text)}
    return found
