"""Every weight is read into an array of numpy."""

from safetensors.numpy import load_file

from workloads.rag.loaders.forward import NumpyModel
from workloads.rag.models import find_package


def load() -> NumpyModel:
    """Which model?  Raises ModelError where it is not installed."""
    package = find_package()
    return NumpyModel(load_file(package.weights), package.tokenizer)
