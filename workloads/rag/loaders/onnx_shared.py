"""onnxruntime maps weights that were written once: every process and every run shares their pages.

The weights lie in a file of their own beside the graph, page by page as they are used, so that onnxruntime maps it
read-only.  A prepacked weight would be a copy, so nothing is prepacked.
"""

from workloads.rag.loaders.derived import SHARED, find_derived
from workloads.rag.loaders.sessions import OnnxModel
from workloads.rag.models import find_model


def load() -> OnnxModel:
    """Which model?  Raises ModelError where it is not installed, or where the cache holds another version."""
    model = find_model()
    return OnnxModel(find_derived(model.graph, SHARED), model.tokenizer, prepack=False)
