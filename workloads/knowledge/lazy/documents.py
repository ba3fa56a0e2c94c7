"""What goes into the knowledge base, and what comes out? It is the same in both twins: see `plain.documents`."""

from workloads.knowledge.plain.documents import Chunk, Document, Hit

__all__ = ["Chunk", "Document", "Hit"]
