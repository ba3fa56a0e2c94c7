"""Are the vectors of real texts those of a model of language?"""

import numpy as np
import pytest

from workloads.rag.models import WIDTH
from workloads.suite.search import Embeds

pytestmark = pytest.mark.use_real_models

PAIRS = [
    ("How do I open a file?", "Reading a document from disk", "The tides of the North Sea"),
    ("def add(left, right): return left + right", "sum of two numbers", "parse the command line"),
    ("The server ran out of memory.", "The process was killed by the OOM killer.", "A recipe for bread."),
]


def test_near_in_meaning_is_near_in_space(embedder: Embeds) -> None:
    """Without a word in common."""
    for text, near, far in PAIRS:
        one, other, third = embedder.embed([text, near, far])
        assert one @ other > one @ third + 0.05


def test_what_comes_after_256_tokens_is_not_seen(embedder: Embeds) -> None:
    """The end of a long text changes nothing."""
    long = "word " * 300
    one, other = embedder.embed([long, long + "and a wholly other end"])
    assert float(one @ other) == pytest.approx(1, abs=1e-5)


def test_an_empty_text_has_a_vector_too(embedder: Embeds) -> None:
    """Of the right length."""
    (vector,) = embedder.embed([""])
    assert vector.shape == (WIDTH,)
    assert float(np.linalg.norm(vector)) == pytest.approx(1, abs=1e-5)
