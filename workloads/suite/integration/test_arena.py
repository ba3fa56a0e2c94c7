"""Do the settings of the allocator change no answer?"""

import numpy as np
import pytest

from workloads.rag.config import Arena
from workloads.rag.errors import ModelError
from workloads.rag.models import Model, find_model
from workloads.suite.loading import load_embedder
from workloads.suite.search import Embeds

pytestmark = pytest.mark.use_real_models

TEXTS = ["def add(left, right): return left + right", "Each message is acknowledged."]


@pytest.mark.parametrize("arena", [Arena.SHRUNK, Arena.OFF])
def test_another_arena_gives_the_same_vectors(embedder: Embeds, arena: Arena) -> None:
    """The memory that it keeps is another matter."""
    other = load_embedder(arena)
    assert np.abs(other.embed(TEXTS) - embedder.embed(TEXTS)).max() < 1e-6


def test_a_file_that_is_no_graph_is_one_clear_error() -> None:
    """With what to do about it."""
    from workloads.rag.embedding import Embedder  # here: no session without a model imports onnxruntime

    tokenizer = find_model().tokenizer
    damaged = Model(graph=tokenizer, tokenizer=tokenizer)
    with pytest.raises(ModelError, match=r"does not load: .* Hint: delete it"):
        Embedder(damaged, arena=Arena.OFF, threads=1)
