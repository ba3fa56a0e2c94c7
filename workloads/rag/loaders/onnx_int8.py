"""onnxruntime runs the graph with weights of 8 bits, quantised once and kept in the cache."""

from workloads.rag.loaders.derived import INT8, find_derived
from workloads.rag.loaders.sessions import OnnxModel
from workloads.rag.models import find_model


def load() -> OnnxModel:
    """Which model?  Raises ModelError where it is not installed."""
    model = find_model()
    return OnnxModel(find_derived(model.graph, INT8), model.tokenizer)
