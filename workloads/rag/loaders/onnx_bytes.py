"""The graph's file is read into memory first, as from an object store or an archive."""

from workloads.rag.loaders.sessions import OnnxModel
from workloads.rag.models import find_model


def load() -> OnnxModel:
    """Which model?  Raises ModelError where it is not installed."""
    model = find_model()
    return OnnxModel(model.graph.read_bytes(), model.tokenizer)
