"""The weights of a model, mapped from their file: pages that the kernel may drop, for it can read them again."""

import tempfile
from pathlib import Path

import numpy as np

_KEPT: list[np.ndarray] = []


def hold(size: int) -> str:
    """What is held? A mapped file of `size` bytes, all of it read once."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.npy"
        written = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(size // 4,))
        written[:] = 1.0
        written.flush()
        del written
        weights = np.load(path, mmap_mode="r")
        total = float(weights.sum())
        _KEPT.append(weights)
    return f"{weights.nbytes} bytes mapped, sum {total:.0f}"
