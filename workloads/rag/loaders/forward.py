"""How does MiniLM run in nothing but numpy?  BERT's encoder (Devlin et al. 2019), mean-pooled, length 1.

What the weights are, copies or views of a mapped file, is not its business: each is read where it lies.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workloads.rag.loaders.tokens import tokenizer_of, tokens

LAYERS, HEADS = 6, 12
EPSILON = 1e-12
FAR_BELOW = np.float32(1e9)

Array = NDArray[np.float32]


class NumpyModel:
    """Weights by name and a tokenizer."""

    def __init__(self, weights: Mapping[str, Array], tokenizer: Path) -> None:
        self._weights = weights
        self._tokenizer = tokenizer_of(tokenizer)

    def embed(self, texts: Sequence[str]) -> Array:
        """Which vectors, one row a text, length 1?"""
        ids, mask = tokens(self._tokenizer, texts)
        w, counts = self._weights, mask.astype(np.float32)
        words = w["embeddings.word_embeddings.weight"][ids]
        places = w["embeddings.position_embeddings.weight"][: ids.shape[1]]
        segment = w["embeddings.token_type_embeddings.weight"][0]
        x = self._norm(words + places + segment, "embeddings.LayerNorm")
        padding = ((counts - 1) * FAR_BELOW)[:, None, None, :]
        for number in range(LAYERS):
            x = self._layer(x, padding, f"encoder.layer.{number}")
        pooled = (x * counts[:, :, None]).sum(1)  # the length is made 1: the sum serves as the mean
        return np.asarray(pooled / np.linalg.norm(pooled, axis=1, keepdims=True), np.float32)

    def _layer(self, x: Array, padding: Array, layer: str) -> Array:
        attended = self._attention(x, padding, f"{layer}.attention.self")
        added = self._dense(attended, f"{layer}.attention.output.dense") + x
        x = self._norm(added, f"{layer}.attention.output.LayerNorm")
        wide = gelu(self._dense(x, f"{layer}.intermediate.dense"))
        return self._norm(self._dense(wide, f"{layer}.output.dense") + x, f"{layer}.output.LayerNorm")

    def _attention(self, x: Array, padding: Array, layer: str) -> Array:
        n_texts, n_tokens, width = x.shape
        q, k, v = (
            self._dense(x, f"{layer}.{part}").reshape(n_texts, n_tokens, HEADS, -1).swapaxes(1, 2)
            for part in ("query", "key", "value")
        )
        scores = q @ k.swapaxes(2, 3) / np.float32((width // HEADS) ** 0.5) + padding
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        taken = (scores / scores.sum(-1, keepdims=True)) @ v
        return np.asarray(taken.swapaxes(1, 2).reshape(n_texts, n_tokens, width), np.float32)

    def _dense(self, x: Array, name: str) -> Array:
        return np.asarray(x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"], np.float32)

    def _norm(self, x: Array, name: str) -> Array:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + np.float32(EPSILON))
        return np.asarray(
            scaled * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"], np.float32
        )


def gelu(x: Array) -> Array:
    """Gelu, x · Φ(x); erf by Abramowitz and Stegun 7.1.26, which is off by 1.5e-7 at most."""
    z = np.abs(x) / np.float32(2**0.5)
    t = 1 / (1 + np.float32(0.3275911) * z)
    terms = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
    sum_ = np.zeros_like(z)
    for term in terms:
        sum_ = (sum_ + np.float32(term)) * t
    erf = np.copysign(1 - sum_ * np.exp(-z * z), x)
    return np.asarray(np.float32(0.5) * x * (1 + erf), np.float32)
