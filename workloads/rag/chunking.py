"""How is a text cut into pieces small enough to embed?

Functions and paragraphs stay whole, and neighbours share a chunk while they fit. One that is too long by
itself falls back to fixed chunks, which the caller is told of: real indexers warn there, and in the incident
that warning was the decisive evidence.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from workloads.rag.symbols import Symbol, SymbolKind

MAX_CHARACTERS = 2_000
BLANK_LINE = re.compile(r"\n[ \t\r]*\n\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Oversize:
    """Which function or paragraph was too long to stay whole?"""

    what: str
    n_characters: int

    def __str__(self) -> str:
        return f"{self.what} too large ({self.n_characters} characters), using fixed chunking"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunked:
    """Which pieces does a text make?

    In order, none longer than MAX_CHARACTERS. Together they are the text, less chunks of nothing but blanks.
    """

    chunks: tuple[str, ...]
    oversize: tuple[Oversize, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unit:
    """What should stay whole, from which character to which? A paragraph has no name."""

    start: int
    end: int
    name: str = ""


def chunk(text: str, symbols: Sequence[Symbol] = ()) -> Chunked:
    """Which pieces does a text make, given where its functions are (in the order of the text)?"""
    cuts, oversize, start = [0], [], 0
    for unit in _units(text, symbols):
        if unit.end - start > MAX_CHARACTERS:
            cuts.append(unit.start)
            start = unit.start
        if unit.end - start > MAX_CHARACTERS:
            oversize.append(Oversize(what=_what(unit, symbols), n_characters=unit.end - unit.start))
            fixed = range(start + MAX_CHARACTERS, unit.end, MAX_CHARACTERS)
            cuts.extend(fixed)
            start = fixed[-1]  # what is left over shares a chunk with the next unit
    pieces = (text[begin:end] for begin, end in pairwise([*cuts, len(text)]))
    return Chunked(chunks=tuple(piece for piece in pieces if piece.strip()), oversize=tuple(oversize))


def _units(text: str, symbols: Sequence[Symbol]) -> Iterator[_Unit]:
    """Which functions and paragraphs follow each other? Without gaps, from the first character to the last."""
    position = 0
    for symbol in symbols:
        if symbol.splits and symbol.start >= position:
            yield from _paragraphs(text, position, symbol.start)
            yield _Unit(start=symbol.start, end=symbol.end, name=symbol.name)
            position = symbol.end
    yield from _paragraphs(text, position, len(text))


def _paragraphs(text: str, start: int, end: int) -> Iterator[_Unit]:
    """Which paragraphs lie between two offsets?"""
    for match in BLANK_LINE.finditer(text, start, end):
        yield _Unit(start=start, end=match.end())
        start = match.end()
    if start < end:
        yield _Unit(start=start, end=end)


def _what(unit: _Unit, symbols: Sequence[Symbol]) -> str:
    """What is a stretch of text called? After its first function: minified code is one line with thousands."""
    inside = (s.name for s in symbols if s.kind is SymbolKind.FUNCTION and unit.start <= s.start < unit.end)
    name = unit.name or next(inside, "")
    return f"function {name!r}" if name else f"paragraph at character {unit.start}"
