"""Which chunks answer a question, by words? It is the same in both twins: see `plain.retrieval`."""

from workloads.knowledge.plain.retrieval import WordIndex

__all__ = ["WordIndex"]
