"""Where do the vectors live?"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workloads.rag.models import WIDTH


@dataclass(slots=True)
class VectorStore:
    """Which vectors belong to which file?

    One block of rows a file, in the order they came. A block is copied in, so that it does not keep the
    buffers alive that the model computed it in.
    """

    _blocks: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def add(self, file: str, vectors: NDArray[np.float32]) -> None:
        """What are the vectors of this file, one row a chunk?"""
        self._blocks[file] = vectors.copy()

    def matrix(self) -> NDArray[np.float32]:
        """Which rows are there in all, file after file?"""
        return np.concatenate([np.empty((0, WIDTH), np.float32), *self._blocks.values()])

    @property
    def n_bytes(self) -> int:
        """How much do the vectors weigh?"""
        return sum(block.nbytes for block in self._blocks.values())
