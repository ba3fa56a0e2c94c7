"""Does a search over a whole collection find the one chunk?"""

import pytest

from workloads.knowledge.plain.documents import Document
from workloads.knowledge.skills.search import search

N_DOCUMENTS = 6_000


@pytest.mark.parametrize("collection", ["letters", "logbooks", "ledgers"])
def test_one_chunk_of_a_collection_is_found(collection: str) -> None:
    """Among as many documents as a collection has."""
    documents = (
        Document(
            name=f"{collection}-{number}",
            text=" ".join(f"{collection}{number * 7 + place}" for place in range(20)),
        )
        for number in range(N_DOCUMENTS)
    )
    hits = search(collection, documents, f"{collection}{7 * 1_000 + 3}")
    assert f"{collection}-1000" in {hit.chunk.document for hit in hits}
