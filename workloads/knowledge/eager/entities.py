"""Whom and what does a chunk name? It is the same in both twins: see `plain.entities`."""

from workloads.knowledge.plain.entities import EntitySummary, Mention, count, extract

__all__ = ["EntitySummary", "Mention", "count", "extract"]
