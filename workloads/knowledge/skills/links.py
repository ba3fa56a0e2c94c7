"""Which links of a collection lead nowhere?"""

from collections.abc import Iterable

from workloads.knowledge.chosen import knowledge
from workloads.knowledge.plain.documents import Document


def dangling(documents: Iterable[Document]) -> list[str]:
    """What is referred to that is not there?"""
    return [link.target for link in knowledge.broken(documents)]
