"""Do all scripts load, and do their skills answer?"""

from types import ModuleType

from workloads.knowledge.plain.documents import Document

ENGINE = Document(name="engine", text="A mill and a store make the engine.\n\nSee [[notes]].")


def test_every_script_of_the_folder_loads(loaded_skills: dict[str, ModuleType]) -> None:
    """Each is a module of its own."""
    assert sorted(loaded_skills) == ["graph", "links", "recall", "search"]


def test_a_loaded_skill_remembers(loaded_skills: dict[str, ModuleType]) -> None:
    """As long as the text is short, in one chunk."""
    assert loaded_skills["recall"].remember(ENGINE) == 1


def test_a_loaded_skill_finds_the_link_that_leads_nowhere(loaded_skills: dict[str, ModuleType]) -> None:
    """It is named."""
    assert loaded_skills["links"].dangling([ENGINE]) == ["notes"]
