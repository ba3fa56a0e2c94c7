"""How do tests load the model? In one place, which the ini mocks; nothing heavy is imported before it is called."""

from typing import TYPE_CHECKING

from workloads.rag import models
from workloads.rag.config import Arena

if TYPE_CHECKING:
    from workloads.rag.embedding import Embedder


def load_embedder(arena: Arena = Arena.KEPT) -> "Embedder":
    """The real embedder, loaded now. Raises ModelError where the model is not installed."""
    from workloads.rag.embedding import Embedder

    return Embedder(models.find_model(), arena=arena, threads=1)
