"""How is a document cut into pieces? It is the same in both twins: see `plain.chunking`."""

from workloads.knowledge.plain.chunking import split

__all__ = ["split"]
