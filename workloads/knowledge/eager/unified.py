"""How do the parts make one knowledge base?"""

from __future__ import annotations

from types import TracebackType

import altair as alt

from workloads.knowledge.eager.analyzer import summarise
from workloads.knowledge.eager.chunking import split
from workloads.knowledge.eager.config import KnowledgeConfig
from workloads.knowledge.eager.documents import Chunk, Document, Hit
from workloads.knowledge.eager.embedding import Embedder
from workloads.knowledge.eager.entities import EntitySummary, extract
from workloads.knowledge.eager.graph import KnowledgeGraph
from workloads.knowledge.eager.reports import mention_chart
from workloads.knowledge.eager.retrieval import WordIndex
from workloads.knowledge.eager.store import KnowledgeStore

RANK_OFFSET = 60  # of reciprocal rank fusion, as its authors chose it


class KnowledgeBase:
    """What do the documents know? A context manager: its database is open until it is left."""

    def __init__(self, config: KnowledgeConfig | None = None) -> None:
        self._config = config or KnowledgeConfig()
        self._store = KnowledgeStore(self._config.database)

    def add(self, document: Document) -> None:
        """What does this document say? It takes the place of one with the same name."""
        chunks = split(document, most_characters=self._config.chunk_characters)
        mentions = [mention for chunk in chunks for mention in extract(chunk)]
        self._store.put(document.name, chunks, mentions)

    def ask(self, question: str) -> tuple[Hit, ...]:
        """Which chunks answer best, by words and by vectors together?

        Reciprocal rank fusion (Cormack et al. 2009): a chunk scores 1 / (60 + its rank) in each of both lists.
        """
        chunks = self._store.chunks()
        by_words = WordIndex(chunks).search(question, n_hits=len(chunks))
        scores: dict[Chunk, float] = {}
        for ranked in [[hit.chunk for hit in by_words], self._by_vectors(question, chunks)]:
            for rank, chunk in enumerate(ranked, start=1):
                scores[chunk] = scores.get(chunk, 0.0) + 1 / (RANK_OFFSET + rank)
        hits = [Hit(chunk=chunk, score=score) for chunk, score in scores.items()]
        return tuple(sorted(hits, key=lambda hit: -hit.score)[: self._config.n_hits])

    def related(self, name: str) -> tuple[str, ...]:
        """Which entities are named together with this one, the closest first?"""
        return KnowledgeGraph(self._store.mentions()).related(name)

    def summary(self) -> tuple[EntitySummary, ...]:
        """How often is each entity mentioned?"""
        return summarise(self._store.mentions())

    def chart(self) -> alt.Chart:
        """Which entities are mentioned most?"""
        return mention_chart(self.summary())

    def __enter__(self) -> KnowledgeBase:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._store.close()

    def _by_vectors(self, question: str, chunks: tuple[Chunk, ...]) -> list[Chunk]:
        """Which chunks point the way of the question at all, the nearest first?"""
        texts = [chunk.text for chunk in chunks]
        embedder = Embedder(texts, width=self._config.vector_width)
        likeness = embedder.embed(texts) @ embedder.embed([question])[0]
        order = sorted(range(len(chunks)), key=lambda number: -likeness[number])
        return [chunks[number] for number in order if likeness[number] > 0]
