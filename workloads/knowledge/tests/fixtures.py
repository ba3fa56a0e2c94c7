"""Which settings do the tests use? They come from the twin that KNOWLEDGE_TWIN names, unless the fixtures are thin."""

import os

import pytest

__all__ = ["KnowledgeConfig", "config", "small_config"]

TWIN = os.environ.get("KNOWLEDGE_TWIN", "eager")
FIXTURES = os.environ.get("KNOWLEDGE_FIXTURES", "full")

if FIXTURES not in ("full", "thin"):
    raise pytest.UsageError(
        f"KNOWLEDGE_FIXTURES is {FIXTURES!r}. Hint: KNOWLEDGE_FIXTURES=full or KNOWLEDGE_FIXTURES=thin."
    )
if FIXTURES == "thin":
    from workloads.knowledge.plain.config import KnowledgeConfig
elif TWIN == "eager":
    from workloads.knowledge.eager.config import KnowledgeConfig
elif TWIN == "lazy":
    from workloads.knowledge.lazy.config import KnowledgeConfig
else:
    raise pytest.UsageError(f"KNOWLEDGE_TWIN is {TWIN!r}. Hint: KNOWLEDGE_TWIN=eager or KNOWLEDGE_TWIN=lazy.")


@pytest.fixture
def config() -> KnowledgeConfig:
    """The settings as they come."""
    return KnowledgeConfig()


@pytest.fixture(scope="session")
def small_config() -> KnowledgeConfig:
    """Settings under which everything is short."""
    return KnowledgeConfig(chunk_characters=40, n_hits=2, vector_width=8)
