"""What do the tests share? A folder of files, and an embedder: the mock, or one real model a test or a module."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from workloads.rag import indexer
from workloads.rag.config import Arena, IndexConfig
from workloads.rag.indexer import Indexer
from workloads.rag.store import VectorStore
from workloads.suite import loading
from workloads.suite.search import Embeds

FOLDERS = ("unit", "services", "integration")
REAL = "use_real_models"
LOADER = "workloads.suite.loading:load_embedder"
Tree = Callable[[Mapping[str, str | bytes]], Path]
Cache = Callable[[str], Any]  # Any: the model is whatever its loader gives


def pytest_addoption(parser: pytest.Parser) -> None:
    """How long does a real model last? The plugin's --diag-models says who gets one."""
    parser.addoption(
        "--models-per",
        choices=["test", "module"],
        default="module",
        help="real models are loaded once for each",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests without a model come first: they fail sooner, and what they hold is not what a model left."""
    items.sort(key=lambda item: FOLDERS.index(item.path.parent.name))


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


@pytest.fixture
def embedder(request: pytest.FixtureRequest, model_cache: Cache) -> Embeds:
    """The embedder of this test; `model_cache` gives the mock to whoever gets mocks."""
    found: Embeds = loading.load_embedder() if is_alone(request) else model_cache(LOADER)
    return found


@pytest.fixture(autouse=True)
def _shared(request: pytest.FixtureRequest, model_cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that loads the model itself gets the one of the module as well, where tests share a real one."""
    if is_alone(request) or not is_real(request):
        return
    if request.node.get_closest_marker(REAL):
        model_cache(LOADER)  # where there is none, the test is skipped here
    load = indexer.load_indexer

    def reused(config: IndexConfig) -> Indexer:
        """Another arena is another model."""
        if config.arena is not Arena.KEPT:
            return load(config)
        return Indexer(config=config, embedder=model_cache(LOADER), vectors=VectorStore())

    monkeypatch.setattr(indexer, "load_indexer", reused)


def is_alone(request: pytest.FixtureRequest) -> bool:
    """Does each test load its own model?"""
    return bool(request.config.getoption("--models-per") == "test")


def is_real(request: pytest.FixtureRequest) -> bool:
    """Does this test get the real model?"""
    asked = request.config.getoption("--diag-models")
    return bool(asked == "real" or (asked == "auto" and request.node.get_closest_marker(REAL)))
