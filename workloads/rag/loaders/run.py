"""How is a loaded model run once, whatever the way it was loaded?"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

#: Of different lengths and alphabets: padding is part of what must not change the vectors.
SHORT = (
    "def add(left, right): return left + right",
    "Memory that was freed may stay with its allocator.",
    "é",
    "The quick brown fox jumps over the lazy dog, again and again and again.",
    "SELECT count(*) FROM chunks WHERE path LIKE 'tests/%'",
    "Speicher, der niemandem gehört",
    "a b c d e f g h",
    "raise NoDataError('There is no snapshot of memory in this run.')",
)
_WORDS = 126  # and two marks: 128 tokens
_VOCABULARY = ("memory", "file", "model", "page", "table", "index", "chunk", "cache")


class Embeds(Protocol):
    """What every way of loading gives."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Which vectors, one row a text, length 1?"""


def embed(model: Embeds, n: int | None = None) -> NDArray[np.float32]:
    """Which vectors stand for ``n`` texts of 128 tokens, in one batch; without ``n`` for eight short ones?"""
    return model.embed(SHORT if n is None else [_text(number) for number in range(n)])


def _text(number: int) -> str:
    return " ".join(_VOCABULARY[(number + place) % len(_VOCABULARY)] for place in range(_WORDS))
