"""What does the knowledge base offer? All of it is here as soon as any of it is imported.

Names and submodules are imported at once, the usual way. So `from workloads.knowledge.eager.config import
KnowledgeConfig` runs every submodule below, and loads what they import: Polars, SQLAlchemy, onnxruntime and others.
"""

from workloads.knowledge.eager.analyzer import POLARS_AVAILABLE, mention_frame, summarise
from workloads.knowledge.eager.chunking import split
from workloads.knowledge.eager.config import KnowledgeConfig
from workloads.knowledge.eager.documents import Chunk, Document, Hit
from workloads.knowledge.eager.embedding import Embedder
from workloads.knowledge.eager.entities import EntitySummary, Mention, count, extract
from workloads.knowledge.eager.graph import KnowledgeGraph
from workloads.knowledge.eager.links import Link, broken, find_links
from workloads.knowledge.eager.multimodal import Figure, FigureKind, find_figures
from workloads.knowledge.eager.reports import mention_chart
from workloads.knowledge.eager.retrieval import WordIndex
from workloads.knowledge.eager.store import KnowledgeStore
from workloads.knowledge.eager.unified import KnowledgeBase

__all__ = [
    "POLARS_AVAILABLE",
    "Chunk",
    "Document",
    "Embedder",
    "EntitySummary",
    "Figure",
    "FigureKind",
    "Hit",
    "KnowledgeBase",
    "KnowledgeConfig",
    "KnowledgeGraph",
    "KnowledgeStore",
    "Link",
    "Mention",
    "WordIndex",
    "broken",
    "count",
    "extract",
    "find_figures",
    "find_links",
    "mention_chart",
    "mention_frame",
    "split",
    "summarise",
]
