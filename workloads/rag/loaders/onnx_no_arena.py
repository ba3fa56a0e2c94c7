"""onnxruntime without its arena: what an inference asked for is given back after it."""

from workloads.rag.loaders.sessions import OnnxModel
from workloads.rag.models import find_model


def load() -> OnnxModel:
    """Which model?  Raises ModelError where it is not installed."""
    model = find_model()
    return OnnxModel(model.graph, model.tokenizer, arena=False)
