"""Are vectors kept by file, and nothing else with them?"""

import numpy as np

from workloads.rag.store import VectorStore


def test_vectors_keep_their_order_and_weigh_what_they_hold() -> None:
    store = VectorStore()
    assert (store.matrix().shape, store.n_bytes) == ((0, 384), 0)
    store.add("a.py", np.full((2, 384), 1, np.float32))
    store.add("b.py", np.full((1, 384), 2, np.float32))
    assert store.matrix()[:, 0].tolist() == [1, 1, 2]
    assert store.n_bytes == 3 * 384 * 4


def test_a_slice_does_not_keep_its_buffer_alive() -> None:
    store = VectorStore()
    large = np.zeros((1_000, 384), np.float32)
    store.add("a.py", large[:1])
    large += 1
    assert store.matrix().max() == 0
