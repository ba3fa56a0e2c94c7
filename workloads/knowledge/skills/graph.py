"""Who and what is named together?"""

from collections.abc import Iterable

from workloads.knowledge.chosen import knowledge
from workloads.knowledge.plain.documents import Document

MOST_CHARACTERS = 200


def related(documents: Iterable[Document], name: str) -> tuple[str, ...]:
    """Which entities stand in a chunk with this one, the closest first?"""
    chunks = [
        chunk
        for document in documents
        for chunk in knowledge.split(document, most_characters=MOST_CHARACTERS)
    ]
    mentions = [mention for chunk in chunks for mention in knowledge.extract(chunk)]
    return tuple(knowledge.KnowledgeGraph(mentions).related(name))
