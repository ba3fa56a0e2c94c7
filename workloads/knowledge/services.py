"""What is made once and shared by all skills: the store of documents, and the model that gives texts their vectors.

Both are dear to have: the model holds a vector for each word of a large vocabulary. A test suite puts others in
their places, which saves what they hold, and not what importing them costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Protocol

from workloads.knowledge.chosen import knowledge
from workloads.knowledge.plain.documents import Chunk
from workloads.knowledge.plain.entities import Mention

N_WORDS = 40_000
WIDTH = 128


class Store(Protocol):
    """Where are chunks and mentions kept?"""

    def put(self, document: str, chunks: Sequence[Chunk], mentions: Sequence[Mention]) -> None:
        """What has this document now?"""

    def chunks(self) -> tuple[Chunk, ...]:
        """Which chunks are there in all?"""


class Vectors(Protocol):
    """Which vectors have texts?"""

    def embed(self, texts: Sequence[str]) -> Iterable[Iterable[float]]:
        """One row a text, of length 1."""


@cache
def vector_store() -> Store:
    """Which store do all skills share? One in memory, empty at first."""
    return knowledge.KnowledgeStore("sqlite://")


@cache
def embedding_service() -> Vectors:
    """Which model do all skills share? It knows the words of the language, N_WORDS, and has a vector for each."""
    return knowledge.Embedder(vocabulary(), width=WIDTH)


def vocabulary() -> list[str]:
    """Which words does the model know? Those of its documents, and as many more as a language has."""
    frequent = (
        "the of a and in is engine mill store sea tide herring notes weather card loom silk pattern".split()
    )
    return [*frequent, *(f"word{number}" for number in range(N_WORDS - len(frequent)))]
