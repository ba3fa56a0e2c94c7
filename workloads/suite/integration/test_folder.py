"""Is a small folder indexed end to end, with the vectors that its texts have?"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from workloads.rag import indexer as indexing
from workloads.rag.chunking import chunk
from workloads.rag.config import Arena, IndexConfig
from workloads.rag.corpus import read_text, walk_folder
from workloads.rag.indexer import index
from workloads.rag.symbols import outline
from workloads.suite.search import Embeds

pytestmark = pytest.mark.use_real_models

SOURCES = {
    "queue.py": "class Queue:\n    def put(self, item):\n        self.items.append(item)\n",
    "http.js": "export async function get(url) {\n  return (await fetch(url)).json();\n}\n",
    "notes.md": "The queue is read by one worker.\n\nEach message is acknowledged.\n",
}


def test_counts_are_those_of_the_texts(tree: Callable[..., Path]) -> None:
    """Three files, a chunk each; Queue, Queue.put and get."""
    counts = index(IndexConfig(folder=tree(SOURCES), threads=1)).counts
    assert (counts.files_indexed, counts.chunks, counts.graph_nodes) == (3, 3, 6)


def test_the_arena_that_shrinks_gives_the_same_report(tree: Callable[..., Path]) -> None:
    """But for what it says of itself."""
    root = tree(SOURCES)
    kept = index(IndexConfig(folder=root, threads=1))
    shrunk = index(IndexConfig(folder=root, threads=1, arena=Arena.SHRUNK, batch=1))
    assert kept.as_text() == shrunk.as_text()


def test_what_is_stored_is_what_the_model_says(tree: Callable[..., Path], embedder: Embeds) -> None:
    """Row by row, in the order of the files."""
    root = tree(SOURCES)
    files = walk_folder(root).files
    texts = [piece for one in files for piece in pieces(read_text(one), one.relative)]
    indexer = indexing.load_indexer(IndexConfig(folder=root, threads=1))
    for one in files:
        indexer.add(one)
    assert np.abs(indexer.vectors.matrix() - embedder.embed(texts, batch=1)).max() < 1e-5


def pieces(text: str, name: str) -> tuple[str, ...]:
    """The chunks of one file."""
    return chunk(text, outline(text, name).symbols).chunks
