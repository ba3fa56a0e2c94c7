"""One file: how large is it, and what do its lines look like?"""

from __future__ import annotations

import codecs
import os
import stat
from typing import NamedTuple

NOT_PLAIN = "not a plain file"
_BINARY = "binary: it holds NUL bytes"
#: Read at once.  A block of 1 MiB takes twice as long a file: memory that large is mapped and unmapped each time.
_BLOCK_BYTES = 1 << 16
#: How a name is opened that was a file when its folder was listed: no link followed, no FIFO waited for.
OPENED_AS_LISTED = (
    os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
)
_SPACES = [chr(code) for code in range(0x3001) if chr(code).isspace()]  # there are none beyond
_ASCII_SPACES = "".join(_SPACES).encode("ascii", "ignore")
_OTHER_SPACES = [space for space in _SPACES if not space.isascii()]


class Shape(NamedTuple):
    """The layout of one text, in characters; ``reason`` says why there is none.

    A tuple, not a dataclass: millions are made, and making one of those takes as long as splitting a small file.
    """

    size_bytes: int | None = None
    n_lines: int | None = None
    n_chars: int | None = None
    longest_line: int | None = None
    n_spaces: int | None = None
    reason: str | None = None


def shape_of(path: str) -> Shape:
    """What does the text of this file look like?

    Lengths are in characters, of UTF-8 read with replacement and any line end counted as one character.  The file is
    read in blocks, no further than it was long when it was opened; one that holds NUL bytes no further than the first.
    A link is not followed.
    """
    try:
        descriptor = os.open(path, OPENED_AS_LISTED)
    except OSError as error:
        return Shape(reason=_cannot(error))
    try:
        block = os.read(descriptor, _BLOCK_BYTES)
        if len(block) < _BLOCK_BYTES and block.isascii() and b"\r" not in block and b"\0" not in block:
            return _of_plain(block)
        return _of_blocks(descriptor, block)
    except OSError as error:
        return Shape(reason=_cannot(error))
    finally:
        os.close(descriptor)


def _cannot(error: OSError) -> str:
    return f"cannot be read: {error.strerror}"


def _of_plain(text: bytes) -> Shape:
    """Of a whole ASCII text with plain line ends: its bytes are its characters."""
    lines = text.split(b"\n")
    return Shape(
        size_bytes=len(text),
        n_lines=len(lines) - (not lines[-1]),
        n_chars=len(text),
        longest_line=max(map(len, lines)),
        n_spaces=_n_ascii_spaces(text),
    )


def _n_ascii_spaces(text: bytes) -> int:
    return len(text) - len(text.translate(None, _ASCII_SPACES))


def _n_spaces(text: str) -> int:
    """How many characters are white space?  Splitting the text at them takes six times as long."""
    others = 0 if text.isascii() else sum(map(text.count, _OTHER_SPACES))
    return _n_ascii_spaces(text.encode()) + others


def _of_blocks(descriptor: int, block: bytes) -> Shape:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        return Shape(reason=NOT_PLAIN)
    text, size_bytes, n_read = _Text(), status.st_size, 0
    while block:
        if b"\0" in block:
            return Shape(size_bytes=size_bytes, reason=_BINARY)
        text.add(block)
        n_read += len(block)
        block = os.read(descriptor, _BLOCK_BYTES) if n_read < size_bytes else b""  # a log may grow for ever
    return text.shape(size_bytes)


class _Text:
    """A text that comes in blocks."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._n_lines = self._n_chars = self._n_spaces = self._longest = self._unfinished = 0
        self._ends_in_return = False

    def add(self, block: bytes, *, is_last: bool = False) -> None:
        """Counts the next block; a character or a line end may lie across two."""
        text = self._decode(block, is_last)
        if self._ends_in_return:
            text = "\r" + text
        self._ends_in_return = text.endswith("\r") and not is_last
        text = text[:-1] if self._ends_in_return else text
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        lengths = [len(line) for line in text.split("\n")]
        lengths[0] += self._unfinished
        self._longest = max(self._longest, *lengths)
        self._unfinished = lengths.pop()
        self._n_lines += len(lengths)
        self._n_chars += len(text)
        self._n_spaces += _n_spaces(text)

    def shape(self, size_bytes: int) -> Shape:
        """The layout of the whole."""
        self.add(b"", is_last=True)
        return Shape(
            size_bytes=size_bytes,
            n_lines=self._n_lines + (1 if self._unfinished else 0),
            n_chars=self._n_chars,
            longest_line=self._longest,
            n_spaces=self._n_spaces,
        )
