"""What does the knowledge base offer? The names of the eager twin, each imported when it is first asked for.

SPEC 1 of Scientific Python, written out: `__getattr__` (PEP 562), `__dir__` and `__all__`. The lazy_loader package
would do the same with one more dependency in the process we want small, for the ten lines at the end of this file;
its other half, modules that load when they are first touched, is not needed: the functions import what they use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workloads.knowledge.lazy.analyzer import POLARS_AVAILABLE, mention_frame, summarise
    from workloads.knowledge.lazy.chunking import split
    from workloads.knowledge.lazy.config import KnowledgeConfig
    from workloads.knowledge.lazy.documents import Chunk, Document, Hit
    from workloads.knowledge.lazy.embedding import Embedder
    from workloads.knowledge.lazy.entities import EntitySummary, Mention, count, extract
    from workloads.knowledge.lazy.graph import KnowledgeGraph
    from workloads.knowledge.lazy.links import Link, broken, find_links
    from workloads.knowledge.lazy.multimodal import Figure, FigureKind, find_figures
    from workloads.knowledge.lazy.reports import mention_chart
    from workloads.knowledge.lazy.retrieval import WordIndex
    from workloads.knowledge.lazy.store import KnowledgeStore
    from workloads.knowledge.lazy.unified import KnowledgeBase

_HOME_OF = {
    "POLARS_AVAILABLE": "analyzer",
    "Chunk": "documents",
    "Document": "documents",
    "Embedder": "embedding",
    "EntitySummary": "entities",
    "Figure": "multimodal",
    "FigureKind": "multimodal",
    "Hit": "documents",
    "KnowledgeBase": "unified",
    "KnowledgeConfig": "config",
    "KnowledgeGraph": "graph",
    "KnowledgeStore": "store",
    "Link": "links",
    "Mention": "entities",
    "WordIndex": "retrieval",
    "broken": "links",
    "count": "entities",
    "extract": "entities",
    "find_figures": "multimodal",
    "find_links": "links",
    "mention_chart": "reports",
    "mention_frame": "analyzer",
    "split": "chunking",
    "summarise": "analyzer",
}

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


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value  # the next time there is nothing to look up
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
