"""What did a captured child print, on both streams?"""

from __future__ import annotations

from pathlib import Path

from diagtools.read.artefact import read_artefact

_NAMES = ("stdout.log", "stderr.log")


def read_printed(folder: Path) -> tuple[str, ...]:
    """Its lines, those of stdout first; bytes that are no text stand as escapes.

    Raises ``DamagedError`` where a log is not what it was.
    """
    data = [read_artefact(folder, name) or b"" for name in _NAMES]
    return tuple(line for text in data for line in text.decode("utf-8", "backslashreplace").splitlines())
