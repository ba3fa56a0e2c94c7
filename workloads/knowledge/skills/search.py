"""Which chunks of a collection hold these words?"""

from collections.abc import Iterable

from workloads.knowledge.chosen import knowledge
from workloads.knowledge.plain.documents import Document, Hit

MOST_CHARACTERS = 200
_indexes: dict[str, object] = {}  # of every collection that was ever searched: this is what the tests keep


def search(collection: str, documents: Iterable[Document], question: str) -> tuple[Hit, ...]:
    """What answers the question? The index of a collection is made once, and kept."""
    if collection not in _indexes:
        chunks = [
            chunk
            for document in documents
            for chunk in knowledge.split(document, most_characters=MOST_CHARACTERS)
        ]
        _indexes[collection] = knowledge.WordIndex(chunks)
    index = _indexes[collection]
    assert isinstance(index, knowledge.WordIndex)
    return index.search(question, n_hits=3)
