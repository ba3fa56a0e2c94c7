"""How shall one knowledge base be made? It is the same in both twins: see `plain.config`."""

from workloads.knowledge.plain.config import KnowledgeConfig

__all__ = ["KnowledgeConfig"]
