"""The values that a dump of cProfile is made of, read without the ``marshal`` module, which trusts what it reads.

Formats 2 to 4 of marshal, as CPython 3.0 to 3.13 write them, and of those only what a dump holds: a dict of tuples of
texts and numbers, four levels deep.  https://docs.python.org/3/library/marshal.html, Python/marshal.c
"""

from __future__ import annotations

import struct
from typing import Any

from diagtools.errors import DamagedError

_FLAG_REF = 0x80
_DEEPEST = 6
_TEXTS = {
    ord("z"): (1, "ascii"),
    ord("Z"): (1, "ascii"),
    ord("a"): (4, "ascii"),
    ord("A"): (4, "ascii"),
    ord("u"): (4, "utf-8"),
    ord("t"): (4, "utf-8"),
}
_TUPLES = {ord(")"): 1, ord("("): 4}
_DIGIT_BITS = 15
_MOST_DIGITS = 8


class MarshalReader:
    """Reads one value after another; every length is checked against what is left of the file."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._seen: list[Any] = []

    @property
    def n_left(self) -> int:
        """How many bytes have not been read?"""
        return len(self._data) - self._at

    def value(self, depth: int = 0) -> Any:
        """The next value; raises ``DamagedError`` for a kind that no dump holds."""
        if depth > _DEEPEST:
            raise _odd("it is nested deeper than statistics are")
        code = self._take(1)[0]
        kind, is_kept = code & ~_FLAG_REF, bool(code & _FLAG_REF)
        if kind == ord("r"):
            return self._known()
        if kind in _TUPLES or kind == ord("{"):
            return self._container(kind, depth, is_kept=is_kept)
        value = self._scalar(kind)
        if is_kept:
            self._seen.append(value)
        return value

    def _scalar(self, kind: int) -> Any:
        if kind == ord("i"):
            return self._int()
        if kind == ord("l"):
            return self._long()
        if kind == ord("g"):
            return struct.unpack("<d", self._take(8))[0]
        if kind == ord("N"):
            return None
        if kind in _TEXTS:
            width, encoding = _TEXTS[kind]
            raw = self._take(self._length(width))
            return raw.decode(encoding, "replace")
        raise _odd(f"it holds a value of kind {chr(kind)!r}")

    def _container(self, kind: int, depth: int, *, is_kept: bool) -> Any:
        place = len(self._seen)
        if is_kept:
            self._seen.append(None)  # a value cannot hold itself: it is known when it is whole
        value = self._dict(depth) if kind == ord("{") else self._tuple(self._length(_TUPLES[kind]), depth)
        if is_kept:
            self._seen[place] = value
        return value

    def _tuple(self, length: int, depth: int) -> tuple[Any, ...]:
        return tuple(self.value(depth + 1) for _ in range(length))

    def _dict(self, depth: int) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        while self._data[self._at : self._at + 1] != b"0":
            key = self.value(depth + 1)
            if not _names_function(
                key
            ):  # hashing anything else may take for ever: tuples of tuples, by reference
                raise _odd("a key of it is not a function")
            if key in found:
                raise _odd("a function stands in it twice")
            found[key] = self.value(depth + 1)
        self._at += 1
        return found

    def _known(self) -> Any:
        index = self._int()
        if not 0 <= index < len(self._seen) or self._seen[index] is None:
            raise _odd("a reference leads nowhere")
        return self._seen[index]

    def _int(self) -> int:
        return int.from_bytes(self._take(4), "little", signed=True)

    def _long(self) -> int:
        n_digits = self._int()
        if abs(n_digits) > _MOST_DIGITS:
            raise _odd("a number is larger than any measured one")
        digits = [int.from_bytes(self._take(2), "little") for _ in range(abs(n_digits))]
        value = sum(digit << _DIGIT_BITS * at for at, digit in enumerate(digits))
        return value if n_digits >= 0 else -value

    def _length(self, width: int) -> int:
        length = int.from_bytes(self._take(width), "little")
        if length > self.n_left:
            raise _odd("it is cut off")
        return length

    def _take(self, n: int) -> bytes:
        taken = self._data[self._at : self._at + n]
        if len(taken) < n:
            raise _odd("it is cut off")
        self._at += n
        return taken


def _names_function(key: Any) -> bool:
    return isinstance(key, tuple) and [type(part) for part in key] == [str, int, str]


def _odd(why: str) -> DamagedError:
    return DamagedError(
        f"The statistics are cut off or changed: {why}.",
        hint="write them again: python -m cProfile -o FILE …",
    )
