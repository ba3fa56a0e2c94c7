"""Does the graph compute what MiniLM computes, whatever the batch, and can it be stopped?"""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from workloads.rag.config import Arena
from workloads.rag.embedding import MAX_TOKENS, Embedder
from workloads.rag.errors import ModelError
from workloads.rag.models import Model, find_package

TEXTS = ("def add(left, right):\n    return left + right", "The quick brown fox.", "memory leak " * 15, "é")
LONG = ["word " * 300] * 32

Array = NDArray[np.float32]


def numpy_minilm(text: str) -> Array:
    """MiniLM's embedding of one text, written down from the paper and in nothing but numpy."""
    package = find_package()
    w: dict[str, Array] = load_file(package.weights)
    tokenizer = Tokenizer.from_file(str(package.tokenizer))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.no_padding()
    ids = tokenizer.encode(text).ids
    erf = np.vectorize(math.erf, otypes=[np.float32])

    def dense(x: Array, name: str) -> Array:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(x: Array, name: str) -> Array:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return np.asarray(scaled * w[f"{name}.weight"] + w[f"{name}.bias"], np.float32)

    words = w["embeddings.word_embeddings.weight"][ids]
    places = w["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(words + places + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for layer in (f"encoder.layer.{number}" for number in range(6)):
        q, k, v = (
            dense(x, f"{layer}.attention.self.{part}").reshape(-1, 12, 32).swapaxes(0, 1)
            for part in ("query", "key", "value")
        )
        scores = np.exp(q @ k.swapaxes(1, 2) / math.sqrt(32))
        attended = ((scores / scores.sum(-1, keepdims=True)) @ v).swapaxes(0, 1).reshape(-1, 384)
        x = norm(
            dense(attended, f"{layer}.attention.output.dense") + x, f"{layer}.attention.output.LayerNorm"
        )
        wide = dense(x, f"{layer}.intermediate.dense")
        wide = wide * (1 + erf(wide / math.sqrt(2))) / 2
        x = norm(dense(wide, f"{layer}.output.dense") + x, f"{layer}.output.LayerNorm")
    mean = x.mean(0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


@pytest.fixture(scope="module")
def embedder(model: Model) -> Embedder:
    return Embedder(model, arena=Arena.KEPT, threads=1)


def test_vectors_are_those_of_a_numpy_reference(embedder: Embedder) -> None:
    expected = np.stack([numpy_minilm(text) for text in TEXTS])
    assert np.abs(embedder.embed(TEXTS) - expected).max() < 1e-5


@pytest.mark.parametrize("batch", [1, 2, 3, None])
def test_the_batch_changes_no_vector(embedder: Embedder, batch: int | None) -> None:
    alone = np.concatenate([embedder.embed([text]) for text in TEXTS])
    assert np.abs(embedder.embed(TEXTS, batch=batch) - alone).max() < 1e-5


@pytest.mark.parametrize("arena", [Arena.SHRUNK, Arena.OFF])
def test_the_arena_changes_no_vector(model: Model, embedder: Embedder, arena: Arena) -> None:
    other = Embedder(model, arena=arena, threads=1)
    assert np.abs(other.embed(TEXTS) - embedder.embed(TEXTS)).max() < 1e-6


def test_no_texts_make_no_vectors(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, 384)


def test_a_run_that_takes_too_long_is_stopped_and_the_next_one_works(embedder: Embedder) -> None:
    with pytest.raises(TimeoutError, match=r"embedding exceeded 0\.001 s"):
        embedder.embed(LONG, timeout_s=0.001)
    assert embedder.embed(TEXTS[:1], timeout_s=60.0).shape == (1, 384)


def test_a_graph_that_does_not_load_is_one_clear_error(model: Model) -> None:
    damaged = Model(graph=model.tokenizer, tokenizer=model.tokenizer)
    with pytest.raises(ModelError, match=r"does not load: .* Hint: delete it"):
        Embedder(damaged, arena=Arena.KEPT, threads=1)
