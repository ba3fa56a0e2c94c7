"""Which tokens stand for a text?"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

MAX_TOKENS = 256  # what MiniLM was trained for


def tokenizer_of(path: Path) -> Tokenizer:
    """MiniLM's tokenizer: texts are cut at 256 tokens and padded to the longest."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.enable_padding()
    return tokenizer


def tokens(tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which tokens, and which of them count?  A row a text."""
    encoded = tokenizer.encode_batch(list(texts))
    ids = np.array([one.ids for one in encoded], np.int64)
    return ids, np.array([one.attention_mask for one in encoded], np.int64)
