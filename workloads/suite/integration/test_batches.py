"""Does the size of a batch change what comes out?"""

import numpy as np
import pytest

from workloads.suite.search import Embeds

pytestmark = pytest.mark.use_real_models

TEXTS = [f"def function_{number}(value): return value * {number}" for number in range(12)]
LONG = ["word " * 250] * 12


@pytest.mark.parametrize("batch", [1, 5, 12, None])
def test_a_batch_changes_no_vector(embedder: Embeds, batch: int | None) -> None:
    """Padding to the longest text of the batch has no say."""
    texts = [*TEXTS[:11], "a text that is much longer than the others " * 3]
    alone = np.concatenate([embedder.embed([text]) for text in texts])
    assert np.abs(embedder.embed(texts, batch=batch) - alone).max() < 1e-5


def test_long_texts_go_through_in_one_batch(embedder: Embeds) -> None:
    """Twelve of 250 words: the incident's fault in little."""
    vectors = embedder.embed(LONG)
    assert np.abs(vectors - vectors[0]).max() < 1e-5


def test_no_texts_make_no_vectors(embedder: Embeds) -> None:
    """And no error."""
    assert embedder.embed([], batch=4).shape == (0, 384)
