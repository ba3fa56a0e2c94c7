"""What does a session of onnxruntime with MiniLM's tokenizer give?"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from workloads.rag.errors import ModelError
from workloads.rag.loaders.tokens import tokenizer_of, tokens
from workloads.rag.models import ATTENTION_MASK, INPUT_IDS

ERROR = 3  # onnxruntime's severity


class OnnxModel:
    """A session and a tokenizer.  ``source`` is a graph's file or its bytes.  Raises ModelError for a damaged one."""

    def __init__(
        self, source: Path | bytes, tokenizer: Path, *, arena: bool = True, prepack: bool = True
    ) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1  # a fork takes no threads along
        options.enable_cpu_mem_arena = arena
        options.log_severity_level = ERROR
        if not prepack:  # a prepacked weight is a copy of it
            options.add_session_config_entry("session.disable_prepacking", "1")
        given = source if isinstance(source, bytes) else str(source)
        try:
            self._session = ort.InferenceSession(given, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's exceptions have no common base
            name = "The graph" if isinstance(source, bytes) else f"{source}"
            raise ModelError(
                f"{name} does not load: {error}.", hint="delete it; it is built again."
            ) from error
        self._tokenizer = tokenizer_of(tokenizer)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Which vectors, one row a text, length 1?"""
        ids, mask = tokens(self._tokenizer, texts)
        (vectors,) = self._session.run(None, {INPUT_IDS: ids, ATTENTION_MASK: mask})
        return np.asarray(vectors, np.float32)
