"""What do the tests of the skills share? Fakes for what is dear to make, and the scripts, loaded."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from workloads.knowledge import services, skills
from workloads.knowledge.tests.skills.fakes import FakeStore, FakeVectors

MOCKS = os.environ.get("KNOWLEDGE_MOCKS", "on")

if MOCKS not in ("on", "off"):
    raise pytest.UsageError(f"KNOWLEDGE_MOCKS is {MOCKS!r}. Hint: KNOWLEDGE_MOCKS=on or KNOWLEDGE_MOCKS=off.")


@pytest.fixture(scope="session", autouse=True)
def mock_heavy_services() -> Iterator[None]:
    """No store and no model is made in this session; what would make them has been imported all the same."""
    store, vectors = FakeStore(), FakeVectors()
    with pytest.MonkeyPatch.context() as patch:
        if MOCKS == "on":
            patch.setattr(services, "vector_store", lambda: store)
            patch.setattr(services, "embedding_service", lambda: vectors)
        yield


@pytest.fixture(scope="session")
def loaded_skills() -> dict[str, ModuleType]:
    """Every script of the folder, executed in order of name, under a name of its own."""
    folder = Path(skills.__file__ or "").parent
    return {path.stem: _executed(path) for path in sorted(folder.glob("[!_]*.py"))}


def _executed(path: Path) -> ModuleType:
    spec = spec_from_file_location(f"skill_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
