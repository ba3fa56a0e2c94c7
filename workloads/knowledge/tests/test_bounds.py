"""Do the parts that have no library to import keep the bounds of the settings?"""

from workloads.knowledge.plain.chunking import split
from workloads.knowledge.plain.documents import Document
from workloads.knowledge.plain.retrieval import WordIndex
from workloads.knowledge.tests.fixtures import KnowledgeConfig

TEXT = "\n\n".join(f"Paragraph {number} speaks of bounds." for number in range(5))


def test_chunks_are_as_short_as_the_settings_say(small_config: KnowledgeConfig) -> None:
    """And none is lost."""
    chunks = split(Document(name="bounds", text=TEXT), most_characters=small_config.chunk_characters)
    assert max(len(chunk.text) for chunk in chunks) <= small_config.chunk_characters
    assert "".join("".join(chunk.text.split()) for chunk in chunks) == "".join(TEXT.split())


def test_an_answer_has_as_many_hits_as_the_settings_say(small_config: KnowledgeConfig) -> None:
    """Although every chunk speaks of what was asked."""
    chunks = split(Document(name="bounds", text=TEXT), most_characters=small_config.chunk_characters)
    assert len(WordIndex(chunks).search("bounds", n_hits=small_config.n_hits)) == small_config.n_hits
