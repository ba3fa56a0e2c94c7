"""The weights are views of the mapped file: a page is read when it is first used, and is nobody's own."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workloads.rag.errors import ModelError
from workloads.rag.loaders.forward import NumpyModel
from workloads.rag.models import find_package

_HEADER = 8  # bytes that say how long the header is
_LONGEST = 1 << 20


def load() -> NumpyModel:
    """Which model?  Raises ModelError where it is not installed."""
    package = find_package()
    return NumpyModel(mapped(package.weights), package.tokenizer)


def mapped(path: Path) -> dict[str, NDArray[np.float32]]:
    """Which tensors does a file of safetensors hold?  Views of its pages.  Raises ModelError for any other file."""
    pages = np.memmap(path, np.uint8, "r")
    length = int.from_bytes(bytes(pages[:_HEADER]), "little")
    try:
        if length > min(_LONGEST, pages.size - _HEADER):
            raise ValueError(f"a header of {length} bytes")
        header = json.loads(bytes(pages[_HEADER : _HEADER + length]))
        return {
            name: _tensor(pages, _HEADER + length, one)
            for name, one in header.items()
            if name != "__metadata__" and one["dtype"] == "F32"
        }
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{path} is no file of safetensors: {error}.", hint="install the model anew."
        ) from error


def _tensor(pages: NDArray[np.uint8], start: int, told: dict[str, list[int]]) -> NDArray[np.float32]:
    first, last = told["data_offsets"]
    return pages[start + first : start + last].view(np.float32).reshape(told["shape"])
