"""Are the defaults the incident's, and contradictions refused?"""

from pathlib import Path
from typing import Any

import pytest

from workloads.rag.config import Arena, IndexConfig
from workloads.rag.errors import ConfigError

FOLDER = Path("x")


def test_the_defaults_are_the_faulty_ones() -> None:
    config = IndexConfig(folder=FOLDER)
    assert (config.exclude_generated, config.batch, config.arena) == (False, None, Arena.KEPT)
    assert config.file_timeout_s is None


@pytest.mark.parametrize(
    "options",
    [
        {"folder": None},
        {"manifest": FOLDER},
        {"batch": 0},
        {"threads": 0},
        {"file_timeout_s": 0.0},
        {"file_timeout_s": -1.0},
        {"file_timeout_s": float("nan")},
        {"file_timeout_s": float("inf")},
    ],
)
def test_contradictions_are_refused_with_a_hint(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="Hint: "):
        IndexConfig(**{"folder": FOLDER, **options})
