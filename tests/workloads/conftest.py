"""What do the tests of the programs under study share?"""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from workloads.rag.errors import ModelError
from workloads.rag.models import Model, find_model

Tree = Callable[[Mapping[str, str | bytes]], Path]


@pytest.fixture(scope="session")
def model() -> Model:
    """The real model; where it is not installed the test is skipped, and says how to install it."""
    try:
        return find_model()
    except ModelError as error:
        pytest.skip(str(error))


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Writes files below a fresh folder: text as UTF-8, bytes as they are."""

    def write(files: Mapping[str, str | bytes]) -> Path:
        root = tmp_path / "tree"
        for relative, content in files.items():
            path = root / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return root

    return write
