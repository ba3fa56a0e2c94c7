"""sentence-transformers runs the model on torch, as most tutorials have it.  Whoever wants that installs both."""

import os
from collections.abc import Sequence
from importlib import import_module
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # the files are here: nobody is asked for them

# By name: an optional way, whose packages are in no extra.
torch = import_module("torch")
sentence_transformers = import_module("sentence_transformers")

import numpy as np  # noqa: E402 - what is missing is told by the names above
from numpy.typing import NDArray  # noqa: E402

from workloads.rag.models import find_package  # noqa: E402

torch.set_num_threads(1)  # a fork takes no threads along


class TorchModel:
    """A model of sentence-transformers on the CPU."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Which vectors, one row a text, length 1?"""
        found = self._model.encode(
            list(texts), batch_size=len(texts), normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(found, np.float32)


def load() -> TorchModel:
    """Which model?  Raises ModelError where its files are not installed."""
    folder = str(find_package().weights.parent)
    return TorchModel(sentence_transformers.SentenceTransformer(folder, device="cpu"))
