"""Does the store keep the vectors of each file, and nothing else alive?"""

import numpy as np
import pytest

from workloads.rag.models import WIDTH
from workloads.rag.store import VectorStore


@pytest.fixture
def store() -> VectorStore:
    """Two files with two vectors and one."""
    filled = VectorStore()
    filled.add("a.py", np.ones((2, WIDTH), np.float32))
    filled.add("b.py", np.zeros((1, WIDTH), np.float32))
    return filled


def test_rows_stand_in_the_order_they_came(store: VectorStore) -> None:
    """The first file's first."""
    assert store.matrix()[:, 0].tolist() == [1, 1, 0]


def test_a_file_that_comes_again_replaces_its_vectors(store: VectorStore) -> None:
    """And keeps its place."""
    store.add("a.py", np.full((1, WIDTH), 7, np.float32))
    assert store.matrix()[:, 0].tolist() == [7, 0]
    assert store.n_bytes == 2 * WIDTH * 4


def test_a_buffer_is_copied(store: VectorStore) -> None:
    """The model writes its next vectors into it."""
    buffer = np.ones((1, WIDTH), np.float32)
    store.add("c.py", buffer)
    buffer[:] = 5
    assert store.matrix()[-1, 0] == 1


def test_an_empty_store_has_no_rows() -> None:
    """But their width."""
    assert VectorStore().matrix().shape == (0, WIDTH)
    assert VectorStore().n_bytes == 0
