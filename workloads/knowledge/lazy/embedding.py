"""Which vector stands for each text?

Each word of the vocabulary has a random direction, and a text the mean of its words' directions: random
projection (Johnson and Lindenstrauss 1984) keeps apart what shares no words, with nothing to train or download.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from workloads.knowledge.plain.retrieval import words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

UNKNOWN = "[UNK]"
OPSET = 17  # the last whose ReduceMean has its axes as an attribute
IR_VERSION = 8  # what opset 17 came with
SEED = 0


class Embedder:
    """Which vectors have texts, given the texts whose words make the vocabulary? Holds the loaded model."""

    def __init__(self, texts: Iterable[str], *, width: int) -> None:
        import onnxruntime as ort

        known = sorted({word for text in texts for word in words(text)})
        self._tokenizer = _tokenizer(known)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = ort.InferenceSession(
            _model(1 + len(known), width), options, providers=["CPUExecutionProvider"]
        )
        self._width = width

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Which vectors, one row a text, length 1? All zeros for a text without a known word."""
        import numpy as np

        rows = np.zeros((len(texts), self._width), np.float32)
        for row, encoded in zip(rows, self._tokenizer.encode_batch(list(texts)), strict=True):
            ids = [number for number in encoded.ids if number != 0]
            if ids:
                (row[:],) = self._session.run(None, {"ids": np.array(ids, np.int64)})
        return rows


def _tokenizer(known: Sequence[str]) -> Tokenizer:
    """How does a text become the numbers of its words? 0 is every word that is not known."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    numbers = {word: number for number, word in enumerate([UNKNOWN, *known])}
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer


def _model(n_words: int, width: int) -> bytes:
    """Which ONNX model takes the numbers of words to their mean direction?"""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    directions = np.random.default_rng(SEED).standard_normal((n_words, width), np.float32)
    nodes = [
        helper.make_node("Gather", ["directions", "ids"], ["words"]),
        helper.make_node("ReduceMean", ["words"], ["mean"], axes=[0], keepdims=0),
        helper.make_node("LpNormalization", ["mean"], ["vector"], axis=0, p=2),
    ]
    graph = helper.make_graph(
        nodes,
        "mean_direction",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["n"])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [width])],
        [numpy_helper.from_array(directions, "directions")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    return bytes(model.SerializeToString())
