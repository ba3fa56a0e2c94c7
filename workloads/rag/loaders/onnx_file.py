"""onnxruntime reads the graph from its file, as the service does."""

from workloads.rag.loaders.sessions import OnnxModel
from workloads.rag.models import find_model


def load() -> OnnxModel:
    """Which model?  Raises ModelError where it is not installed."""
    model = find_model()
    return OnnxModel(model.graph, model.tokenizer)
