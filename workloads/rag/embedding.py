"""Which vector stands for each text?

The scores of attention are 3 MiB for each text of 256 tokens, and with all else that lives beside them in one
layer it is near 9 MiB: what one model run asks for grows with the texts in its batch.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Tokenizer

from workloads.rag.config import Arena
from workloads.rag.errors import FileError, ModelError
from workloads.rag.models import ATTENTION_MASK, INPUT_IDS, WIDTH, Model

MAX_TOKENS = 256  # what MiniLM was trained for; the rest of a longer text is not seen
FATAL = 4  # onnxruntime's severity: what fails is raised here, not logged there


class Embedder:
    """Which vectors does MiniLM give? Holds the loaded model, and the memory its arena keeps.

    Raises ModelError where the model does not load.
    """

    def __init__(self, model: Model, *, arena: Arena, threads: int) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.enable_cpu_mem_arena = arena is not Arena.OFF
        options.log_severity_level = FATAL
        try:
            self._session = ort.InferenceSession(
                str(model.graph), options, providers=["CPUExecutionProvider"]
            )
            self._tokenizer = Tokenizer.from_file(str(model.tokenizer))
        except Exception as error:  # both libraries raise bare exceptions for damaged files
            hint = "delete it; it is built again."
            raise ModelError(f"{model.graph} does not load: {error}.", hint=hint) from error
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.enable_padding()  # to the longest of the batch
        self._shrink = arena is Arena.SHRUNK

    def embed(
        self, texts: Sequence[str], *, batch: int | None = None, timeout_s: float | None = None
    ) -> NDArray[np.float32]:
        """Which vectors, one row a text, length 1?

        `batch` is the most texts in one model run, None all of them. Raises TimeoutError after `timeout_s`,
        FileError where the model run fails, as it does when memory is refused.
        """
        size = batch or max(len(texts), 1)
        rows = [np.empty((0, WIDTH), np.float32)]
        with self._run_options(timeout_s) as options:
            rows += [self._run(texts[first : first + size], options) for first in range(0, len(texts), size)]
        return np.concatenate(rows)

    @contextmanager
    def _run_options(self, timeout_s: float | None) -> Iterator[ort.RunOptions]:
        """How does each run of one file go, and when are they told to stop?"""
        options = ort.RunOptions()
        options.log_severity_level = FATAL
        if self._shrink:
            options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        if timeout_s is None:
            yield options
            return
        timer = threading.Timer(timeout_s, setattr, (options, "terminate", True))
        timer.daemon = True
        timer.start()
        try:
            yield options
        except FileError as error:
            if options.terminate:
                raise TimeoutError(f"embedding exceeded {timeout_s:g} s") from error
            raise
        finally:
            timer.cancel()

    def _run(self, texts: Sequence[str], options: ort.RunOptions) -> NDArray[np.float32]:
        encoded = self._tokenizer.encode_batch(list(texts))
        feed = {
            INPUT_IDS: np.array([one.ids for one in encoded], np.int64),
            ATTENTION_MASK: np.array([one.attention_mask for one in encoded], np.int64),
        }
        try:
            (vectors,) = self._session.run(None, feed, options)
        except Exception as error:  # onnxruntime's exceptions have no common base
            raise FileError(f"embedding {len(texts)} chunks failed: {error}") from error
        return np.asarray(vectors, np.float32)
