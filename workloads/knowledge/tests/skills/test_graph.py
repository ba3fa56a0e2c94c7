"""Are those related that are named together?"""

from workloads.knowledge.plain.documents import Document
from workloads.knowledge.skills.graph import related

NOTES = Document(name="notes", text="Ada Lovelace wrote notes on the `mill` of Charles Babbage.")


def test_who_is_named_together_is_related() -> None:
    """In order of name, where they are equally close."""
    assert related([NOTES], "mill") == ("Ada Lovelace", "Charles Babbage")
