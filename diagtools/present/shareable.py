"""An executed notebook whose outputs and metadata may be shown elsewhere.

Secrets are redacted, homes are ``~``, packages are named from their own folder on, and paths below the working folder
are relative to it.  Pictures and source stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

import nbformat
from nbconvert.filters import strip_ansi

from diagtools.redact import redact_text

_PICTURE = re.compile(r"image/(?!svg)")
_FILES = ("input_path", "output_path")  # papermill names where a notebook came from and went to
_FEWEST_PARTS = 3  # of a working folder: one such as /tmp is part of too many other paths


def shareable(notebook: Any, *, working_folder: Path) -> Any:
    """The same notebook with every text of its outputs and metadata redacted; it was executed in ``working_folder``."""
    redact = _redaction(working_folder)
    shown = nbformat.from_dict({**notebook, "metadata": _redacted(notebook.metadata, redact)})
    for cell in shown.cells:
        cell.metadata = _redacted(cell.metadata, redact)
        if cell.cell_type == "code":
            cell.outputs = [_redacted(output, redact) for output in cell.outputs]
    papermill = shown.metadata.get("papermill", {})
    papermill.update({key: PurePath(papermill[key]).name for key in _FILES if papermill.get(key)})
    return shown


def _redaction(working_folder: Path) -> Callable[[str], str]:
    """How is one text redacted?  Colours would hide a secret from the search: they stay where there is none."""
    folder = re.escape(str(working_folder)) if len(working_folder.parts) >= _FEWEST_PARTS else r"(?!)"
    inside = re.compile(rf"(?<![\w.~-]){folder}(/|(?![\w-]|\.\w))")

    def redact(text: str) -> str:
        plain = strip_ansi(text)
        safe = redact_text(inside.sub(lambda found: "" if found[1] else ".", plain))
        return text if safe == plain else safe

    return redact


def _redacted(value: Any, redact: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [_redacted(inner, redact) for inner in value]
    if isinstance(value, dict):
        inners = {
            key: inner if _PICTURE.match(key) else _redacted(inner, redact) for key, inner in value.items()
        }
        return nbformat.from_dict(inners)
    return value
