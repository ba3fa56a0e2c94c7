"""What stands in for the store and the model while the skills are tested?"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Sequence

from workloads.knowledge.plain.documents import Chunk
from workloads.knowledge.plain.entities import Mention

WIDTH = 64


class FakeStore:
    """Which chunks has which document? In a dictionary."""

    def __init__(self) -> None:
        self._chunks: dict[str, tuple[Chunk, ...]] = {}

    def put(self, document: str, chunks: Sequence[Chunk], mentions: Sequence[Mention]) -> None:
        """What has this document now? Mentions are not kept."""
        self._chunks[document] = tuple(chunks)

    def chunks(self) -> tuple[Chunk, ...]:
        """Which chunks are there in all, by document and position?"""
        return tuple(chunk for name in sorted(self._chunks) for chunk in self._chunks[name])


class FakeVectors:
    """Which vectors have texts? A word counts at the place that its checksum names, so that like texts are alike."""

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One row a text, of length 1; all zeros for a text without words."""
        return [_vector(text) for text in texts]


def _vector(text: str) -> list[float]:
    row = [0.0] * WIDTH
    for word in re.findall(r"\w+", text.lower()):
        row[zlib.crc32(word.encode()) % WIDTH] += 1.0
    length = math.hypot(*row) or 1.0
    return [value / length for value in row]
