"""What does the knowledge base remember of this?"""

from operator import mul

from workloads.knowledge import services
from workloads.knowledge.plain.chunking import split
from workloads.knowledge.plain.documents import Chunk, Document

MOST_CHARACTERS = 200


def remember(document: Document) -> int:
    """Into how many chunks does a document go?"""
    chunks = split(document, most_characters=MOST_CHARACTERS)
    services.vector_store().put(document.name, chunks, [])
    return len(chunks)


def recall(question: str, *, n_hits: int = 1) -> list[Chunk]:
    """Which chunks are most like the question, the best first?"""
    chunks = services.vector_store().chunks()
    asked, *rows = services.embedding_service().embed([question, *(chunk.text for chunk in chunks)])
    likeness = {number: sum(map(mul, asked, row)) for number, row in enumerate(rows)}
    return [chunks[number] for number in sorted(likeness, key=lambda number: -likeness[number])[:n_hits]]
