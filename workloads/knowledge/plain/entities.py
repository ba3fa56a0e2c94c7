"""Whom and what does a chunk name?"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from workloads.knowledge.plain.documents import Chunk

# `code`, or words in capitals that follow each other, less an article before them: Ada Lovelace, SQLite.
NAME = re.compile(r"`(?P<code>[^`\n]+)`|\b(?:(?:The|An?) )?(?P<name>[A-Z][\w-]*(?: [A-Z][\w-]*)*)")
SENTENCE_START = re.compile(r"(?:^|[.!?:]\s+|\n\s*|#+ +|[-*] +|\[)$")
ORDINARY = re.compile(r"[A-Z][a-z'-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """Which entity stands in which chunk of which document?"""

    name: str
    document: str
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitySummary:
    """How often is an entity mentioned, and in how many documents?"""

    name: str
    n_mentions: int
    n_documents: int


def extract(chunk: Chunk) -> tuple[Mention, ...]:
    """Which entities does a chunk name, one mention for each time, in order?

    A single ordinary word is none where a sentence starts: there every word has its capital.
    """
    names = [
        match["code"] or match["name"]
        for match in NAME.finditer(chunk.text)
        if not (
            ORDINARY.fullmatch(match["name"] or "")
            and SENTENCE_START.search(chunk.text[: match.start("name")])
        )
    ]
    return tuple(Mention(name=name, document=chunk.document, position=chunk.position) for name in names)


def count(mentions: Iterable[Mention]) -> tuple[EntitySummary, ...]:
    """How often is each entity mentioned, the most frequent first, those alike by name?"""
    documents: dict[str, list[str]] = {}
    for mention in mentions:
        documents.setdefault(mention.name, []).append(mention.document)
    summaries = [
        EntitySummary(name=name, n_mentions=len(where), n_documents=len(set(where)))
        for name, where in documents.items()
    ]
    return tuple(sorted(summaries, key=lambda summary: (-summary.n_mentions, summary.name)))
