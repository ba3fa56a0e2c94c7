"""How is a document cut into pieces short enough to retrieve?"""

import re
import textwrap
from collections.abc import Iterator

from workloads.knowledge.plain.documents import Chunk, Document

BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")


def split(document: Document, *, most_characters: int) -> tuple[Chunk, ...]:
    """Which chunks does a document make, none longer than `most_characters`?

    Neighbouring paragraphs share a chunk while they fit. A longer paragraph is wrapped, and a longer word cut.
    Together the chunks hold every character of the document that is no white space, in order.
    """
    texts: list[str] = []
    for paragraph in _paragraphs(document.text, most_characters):
        if texts and len(texts[-1]) + len("\n\n") + len(paragraph) <= most_characters:
            texts[-1] += "\n\n" + paragraph
        else:
            texts.append(paragraph)
    return tuple(
        Chunk(document=document.name, position=position, text=text) for position, text in enumerate(texts)
    )


def _paragraphs(text: str, most_characters: int) -> Iterator[str]:
    """Which paragraphs, or parts of one that is too long, follow each other?"""
    for paragraph in BLANK_LINES.split(text.strip()):
        if len(paragraph) <= most_characters:
            yield from [paragraph] if paragraph else []
        else:
            yield from textwrap.wrap(paragraph, most_characters, break_on_hyphens=False)
