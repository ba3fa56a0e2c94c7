"""What stands for the model in tests of the code around it, in a millisecond and without its libraries?

Vectors come from the words of a text and their pieces of three letters, hashed into MiniLM's width with a sign each. So
the same text has the same vector in every process, texts that share words are near each other, and others are
nearly at right angles, as those of the real model are. What a text means plays no part.

For the tests of a suite: `pytest_plugins = ["workloads.rag.fakes"]` gives it the fixtures, and in its ini

    diag_mocks =
        workloads.rag.models:find_model = workloads.rag.fakes:fake_model
        workloads.rag.embedding:Embedder = workloads.rag.fakes:FakeEmbedder
        workloads.rag.indexer:load_indexer = workloads.rag.fakes:fake_indexer

The last keeps out onnxruntime and tokenizers, too, which the module of the second imports. The store of vectors has no
fake: it is a dictionary.
"""

import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from workloads.rag.config import Arena, IndexConfig
from workloads.rag.models import WIDTH, Model

if TYPE_CHECKING:
    from workloads.rag.indexer import Indexer

WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_a-zA-Z]+")  # parts of snake_case and CamelCase
PIECE = 3
WORD_WEIGHT = 2.0  # of a word, where each of its pieces has 1: words count more, spellings alike count


class FakeEmbedder:
    """Which vectors has a text, where no model is? Takes what Embedder takes, and needs none of it."""

    def __init__(self, model: Model | None = None, *, arena: Arena = Arena.KEPT, threads: int = 1) -> None:
        self.model, self.arena, self.threads = model, arena, threads

    def embed(
        self, texts: Sequence[str], *, batch: int | None = None, timeout_s: float | None = None
    ) -> NDArray[np.float32]:
        """Which vectors, one row a text, length 1? The batch changes none, and no text takes long."""
        rows = [np.empty((0, WIDTH), np.float32)]
        return np.concatenate([*rows, *(vector(text)[np.newaxis] for text in texts)])


def vector(text: str) -> NDArray[np.float32]:
    """Which vector of length 1 has this text? One without a word has the first axis."""
    row = np.zeros(WIDTH)
    for feature, weight in features(text):
        digest = zlib.crc32(feature.encode("utf-8", "surrogatepass"))
        row[(digest >> 1) % WIDTH] += weight if digest & 1 else -weight
    length = float(np.linalg.norm(row))
    if length == 0:
        row[0] = length = 1.0
    return np.asarray(row / length, np.float32)


def features(text: str) -> Iterator[tuple[str, float]]:
    """Which words and pieces of words has it, and how much does each count?"""
    for word in (found.lower() for found in WORD.findall(text)):
        yield word, WORD_WEIGHT
        framed = f"^{word}$"
        for start in range(len(framed) - PIECE + 1):
            yield framed[start : start + PIECE], 1.0


def fake_model(cache: Path | None = None) -> Model:
    """Where are the files of the model? Nowhere: none is looked for."""
    folder = cache or Path("mocked")
    return Model(graph=folder / "mocked.onnx", tokenizer=folder / "mocked.json")


def fake_embedder() -> FakeEmbedder:
    """What gives a loader that takes no arguments?"""
    return FakeEmbedder(fake_model())


def fake_indexer(config: IndexConfig) -> "Indexer":
    """Which indexer works as configured? A real one, with a fake model and a real, empty store."""
    from workloads.rag.indexer import Indexer
    from workloads.rag.store import VectorStore

    embedder = FakeEmbedder(fake_model(), arena=config.arena, threads=config.threads)
    return Indexer(config=config, embedder=embedder, vectors=VectorStore())  # type: ignore[arg-type]


@pytest.fixture
def mock_embedder() -> FakeEmbedder:
    """An embedder of one's own, without the model."""
    return fake_embedder()


@pytest.fixture
def mock_indexer(tmp_path: Path) -> "Indexer":
    """An indexer for the files below `tmp_path`, without the model."""
    return fake_indexer(IndexConfig(folder=tmp_path, threads=1))
