"""Is that recalled which the question is about?"""

import pytest

from workloads.knowledge.plain.documents import Document
from workloads.knowledge.skills.recall import recall, remember

LOOM = Document(name="loom", text="A loom with cards has a pattern of silk.")
SEA = Document(name="sea", text="The tide of the sea is herring weather.")


@pytest.mark.parametrize(("question", "name"), [("silk pattern cards", "loom"), ("herring and tide", "sea")])
def test_a_question_recalls_the_document_with_its_words(question: str, name: str) -> None:
    """Whether the model is a fake or not."""
    assert remember(LOOM) == remember(SEA) == 1
    assert [chunk.document for chunk in recall(question)] == [name]
