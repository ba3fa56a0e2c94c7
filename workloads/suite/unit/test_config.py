"""Are wrong settings refused before anything is loaded?"""

from pathlib import Path

import pytest

from workloads.rag.config import Arena, IndexConfig, usable_cpus
from workloads.rag.errors import ConfigError


def test_the_defaults_are_those_of_the_incident() -> None:
    """One batch a file, generated files indexed, the arena kept, no end to waiting."""
    config = IndexConfig(folder=Path("src"))
    assert (config.batch, config.exclude_generated, config.arena) == (None, False, Arena.KEPT)
    assert config.file_timeout_s is None
    assert config.threads == usable_cpus() >= 1


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"batch": 0}, r"A batch of 0 chunks .* Hint: pass --batch"),
        ({"threads": -1}, r"-1 threads cannot .* Hint: pass --threads"),
        ({"file_timeout_s": 0.0}, r"A file timeout of 0\.0 s .* Hint"),
        ({"file_timeout_s": float("nan")}, r"A file timeout of nan s"),
        ({"manifest": Path("m.json")}, r"One corpus is needed"),
    ],
)
def test_a_setting_that_cannot_be_is_named(settings: dict[str, object], said: str) -> None:
    """And what to pass instead."""
    with pytest.raises(ConfigError, match=said):
        IndexConfig(folder=Path("src"), **settings)  # type: ignore[arg-type]  # one setting of each case


def test_the_arena_is_named_by_words() -> None:
    """Those of the command line."""
    assert [Arena(word) for word in ("kept", "shrunk", "off")] == list(Arena)
