"""Files of a corpus: how large are they, and what do their lines look like?"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from diagtools import frames
from diagtools.errors import DiagtoolsError
from diagtools.read.artefact import find_artefact, name_of
from diagtools.read.text_shape import Shape, shape_of

UNREADABLE = "unreadable"
_ESCAPED_BYTE = re.compile(r"\\x([89a-f][0-9a-f])")


def read_corpus(root: Path, paths: Sequence[str]) -> pl.DataFrame:
    """How large is each of these files below ``root``, and what do its lines look like?

    The result is CORPUS, one row a path in the order given.  Lengths are in characters, of UTF-8 read with
    replacement and any line end counted as one character; ``mean_line`` includes the line end and
    ``space_share`` all white space, line ends too.  ``kind`` is ``unreadable`` and ``why`` says why for what
    is no readable text below ``root``; both are null for the rest.  Nothing outside ``root`` is opened.
    """
    return corpus_of([shown_path(path) for path in paths], [_shape_at(root, path) for path in paths])


def corpus_of(
    paths: Sequence[str], shapes: Sequence[Shape], ignored: Sequence[bool | None] | None = None
) -> pl.DataFrame:
    """CORPUS of these files, a row each; what analysis finds out (``vendored``, ``n_chunks``) is null."""
    unknown = [None] * len(paths)
    return frames.CORPUS.from_columns(
        {
            "path": [*paths],
            "size_bytes": [shape.size_bytes for shape in shapes],
            "longest_line": [shape.longest_line for shape in shapes],
            "n_lines": [shape.n_lines for shape in shapes],
            "mean_line": [_ratio(shape.n_chars, shape.n_lines) for shape in shapes],
            "space_share": [_ratio(shape.n_spaces, shape.n_chars) for shape in shapes],
            "kind": [None if shape.reason is None else UNREADABLE for shape in shapes],
            "why": [shape.reason for shape in shapes],
            "vendored": [*unknown],
            "ignored": [*unknown] if ignored is None else [*ignored],
            "n_chunks": [*unknown],
        }
    )


def shown_path(path: str) -> str:
    r"""How is this path written in a frame?  Bytes that are no UTF-8 as ``\xff``."""
    try:
        return name_of(path.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:  # half of a surrogate pair: no file has such a name
        return path.encode("utf-8", "replace").decode()


def _shape_at(root: Path, path: str) -> Shape:
    try:
        found = find_artefact(root, path) or find_artefact(root, _unescaped(path))
    except DiagtoolsError:
        return Shape(reason="not a plain file inside the corpus")
    return Shape(reason="does not exist") if found is None else shape_of(os.fspath(found))


def _ratio(part: int | None, whole: int | None) -> float | None:
    return part / whole if part is not None and whole else None


def _unescaped(path: str) -> str:
    r"""The path as the system knows it: a frame writes the odd byte ``\xff`` for it (see ``name_of``)."""
    return _ESCAPED_BYTE.sub(lambda match: chr(0xDC00 + int(match[1], 16)), path)
