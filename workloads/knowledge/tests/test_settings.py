"""Are the settings what they say, and only ever possible ones?"""

import dataclasses

import pytest

from workloads.knowledge.tests.fixtures import KnowledgeConfig


def test_the_defaults_keep_nothing_on_disk(config: KnowledgeConfig) -> None:
    """Nobody finds a database that was not asked for."""
    assert config.database == "sqlite://"


def test_what_is_asked_for_is_kept(small_config: KnowledgeConfig) -> None:
    """The other settings stay as they are."""
    assert (small_config.chunk_characters, small_config.n_hits) == (40, 2)
    assert small_config.database == KnowledgeConfig().database


@pytest.mark.parametrize("name", ["chunk_characters", "n_hits", "vector_width"])
def test_a_number_below_one_is_refused(config: KnowledgeConfig, name: str) -> None:
    """The message names the setting, its value and the mend."""
    with pytest.raises(ValueError, match=rf"^{name} is 0\. Hint: pass 1 or more\.$"):
        dataclasses.replace(config, **{name: 0})  # type: ignore[arg-type]  # one of three numbers
