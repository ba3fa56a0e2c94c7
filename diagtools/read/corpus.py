"""Files of a corpus: how large are they, and what do their lines look like?"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from diagtools import frames
from diagtools.errors import DiagtoolsError
from diagtools.read.artefact import find_artefact, name_of

UNREADABLE = "unreadable"
_BLOCK_CHARS = 1 << 20
_ESCAPED_BYTE = re.compile(r"\\x([89a-f][0-9a-f])")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """The layout of one text, in characters; ``reason`` says why there is none."""

    size_bytes: int | None = None
    n_lines: int | None = None
    n_chars: int | None = None
    longest_line: int | None = None
    n_spaces: int | None = None
    reason: str | None = None


def read_corpus(root: Path, paths: Sequence[str]) -> pl.DataFrame:
    """How large is each of these files below ``root``, and what do its lines look like?

    The result is CORPUS, one row a path in the order given.  Lengths are in characters, of UTF-8 read with
    replacement and any line end counted as one character; ``mean_line`` includes the line end and
    ``space_share`` all white space, line ends too.  ``kind`` is ``unreadable`` and ``why`` says why for what
    is no readable text below ``root``; both are null for the rest.  Nothing outside ``root`` is opened.
    """
    shapes = [_shape_of(root, path) for path in paths]
    return frames.CORPUS.from_columns(
        {
            "path": [_shown(path) for path in paths],
            "size_bytes": [shape.size_bytes for shape in shapes],
            "longest_line": [shape.longest_line for shape in shapes],
            "n_lines": [shape.n_lines for shape in shapes],
            "mean_line": [_ratio(shape.n_chars, shape.n_lines) for shape in shapes],
            "space_share": [_ratio(shape.n_spaces, shape.n_chars) for shape in shapes],
            "kind": [None if shape.reason is None else UNREADABLE for shape in shapes],
            "why": [shape.reason for shape in shapes],
        }
    )


def _shape_of(root: Path, path: str) -> _Shape:
    try:
        found = find_artefact(root, path) or find_artefact(root, _unescaped(path))
    except DiagtoolsError:
        return _Shape(reason="not a plain file inside the corpus")
    if found is None:
        return _Shape(reason="does not exist")
    try:
        return _measure(found)
    except OSError as error:
        return _Shape(reason=f"cannot be read: {error.strerror}")


def _measure(path: Path) -> _Shape:
    n_lines = n_chars = n_spaces = longest = unfinished = 0
    with path.open(encoding="utf-8", errors="replace") as file:
        size_bytes = os.fstat(file.fileno()).st_size
        while block := file.read(_BLOCK_CHARS):
            if "\0" in block:
                return _Shape(size_bytes=size_bytes, reason="binary: it holds NUL bytes")
            lengths = [len(line) for line in block.split("\n")]
            lengths[0] += unfinished
            longest = max(longest, *lengths)
            unfinished = lengths.pop()
            n_lines += len(lengths)
            n_chars += len(block)
            n_spaces += len(block) - len("".join(block.split()))
    return _Shape(
        size_bytes=size_bytes,
        n_lines=n_lines + (1 if unfinished else 0),
        n_chars=n_chars,
        longest_line=longest,
        n_spaces=n_spaces,
    )


def _shown(path: str) -> str:
    try:
        return name_of(path.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:  # half of a surrogate pair: no file has such a name
        return path.encode("utf-8", "replace").decode()


def _ratio(part: int | None, whole: int | None) -> float | None:
    return part / whole if part is not None and whole else None


def _unescaped(path: str) -> str:
    r"""The path as the system knows it: a frame writes the odd byte ``\xff`` for it (see ``name_of``)."""
    return _ESCAPED_BYTE.sub(lambda match: chr(0xDC00 + int(match[1], 16)), path)
