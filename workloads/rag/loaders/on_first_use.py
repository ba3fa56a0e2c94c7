"""Nothing is imported and nothing is loaded before the first text is embedded."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from workloads.rag.loaders.sessions import OnnxModel


class OnFirstUse:
    """A model that is loaded when it is first asked for something."""

    def __init__(self) -> None:
        self._model: OnnxModel | None = None

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Which vectors, one row a text, length 1?"""
        if self._model is None:
            from workloads.rag.loaders.onnx_file import load as load_now

            self._model = load_now()
        return self._model.embed(texts)


def load() -> OnFirstUse:
    """Which model?  None yet."""
    return OnFirstUse()
