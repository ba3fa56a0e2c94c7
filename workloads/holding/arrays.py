"""Two numpy arrays: one that was filled, one four times as large of which only a quarter was ever touched."""

import numpy as np

_KEPT: list[np.ndarray] = []


def hold(size: int) -> str:
    """What is held? `size` bytes filled, and as much again of an array of four times that."""
    filled = np.ones(size, dtype=np.uint8)
    sparse = np.empty(4 * size, dtype=np.uint8)
    sparse[:size] = 1
    _KEPT.extend((filled, sparse))
    return f"{sum(array.nbytes for array in _KEPT)} bytes asked for, {2 * size} of them touched"
