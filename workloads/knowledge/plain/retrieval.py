"""Which chunks answer a question, by the words they share with it?"""

import math
import re
from collections import Counter
from collections.abc import Sequence

from workloads.knowledge.plain.documents import Chunk, Hit

WORD = re.compile(r"\w+")
SATURATION = 1.5  # k1 and b of BM25, at their usual values
LENGTH_SHARE = 0.75


def words(text: str) -> list[str]:
    """Which words does a text have, in lower case and in order?"""
    return WORD.findall(text.lower())


class WordIndex:
    """Which chunks hold which words? Ranks by BM25 (Robertson and Zaragoza 2009)."""

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self._chunks = tuple(chunks)
        self._counts = [Counter(words(chunk.text)) for chunk in self._chunks]
        self._n_chunks_with = Counter(word for counts in self._counts for word in counts)
        self._mean_length = sum(map(Counter.total, self._counts)) / max(len(self._counts), 1)

    def search(self, question: str, *, n_hits: int) -> tuple[Hit, ...]:
        """Which chunks share words with the question, the best first? Those that share none are no hits."""
        asked = set(words(question))
        hits = [
            Hit(chunk=chunk, score=sum(self._weight(word, counts) for word in sorted(asked & counts.keys())))
            for chunk, counts in zip(self._chunks, self._counts, strict=True)
            if asked & counts.keys()
        ]
        return tuple(sorted(hits, key=lambda hit: -hit.score)[:n_hits])

    def _weight(self, word: str, counts: Counter[str]) -> float:
        """What does one word of the question add to the score of a chunk that has it?"""
        n_with = self._n_chunks_with[word]
        rarity = math.log(1 + (len(self._chunks) - n_with + 0.5) / (n_with + 0.5))
        length = 1 - LENGTH_SHARE + LENGTH_SHARE * counts.total() / self._mean_length
        return rarity * counts[word] * (SATURATION + 1) / (counts[word] + SATURATION * length)
