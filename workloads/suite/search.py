"""Which texts answer a question? The smallest search there is over the vectors of the code search."""

from collections.abc import Iterable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from workloads.rag.store import VectorStore


class Embeds(Protocol):
    """What makes vectors of texts, real or mocked?"""

    def embed(
        self, texts: list[str], *, batch: int | None = None, timeout_s: float | None = None
    ) -> NDArray[np.float32]:
        """Which vectors, one row a text, length 1?"""


class Search:
    """Which of its texts come nearest to a question? By the cosine of their vectors."""

    def __init__(self, embedder: Embeds, texts: Mapping[str, str]) -> None:
        self._embedder, self._names, self._store = embedder, list(texts), VectorStore()
        for name, vector in zip(texts, embedder.embed(list(texts.values())), strict=True):
            self._store.add(name, vector[np.newaxis])

    def ask(self, question: str, *, n: int = 3) -> list[str]:
        """The names of the nearest texts, the nearest first."""
        nearness = self._store.matrix() @ self._embedder.embed([question])[0]
        return [self._names[place] for place in np.argsort(-nearness, kind="stable")[:n]]


def share_found(search: Search, questions: Iterable[tuple[str, str]], *, n: int = 1) -> float:
    """Which share (0–1) of the questions have their text among the n nearest?"""
    found = [answer in search.ask(question, n=n) for question, answer in questions]
    return sum(found) / len(found)
