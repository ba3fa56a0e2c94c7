"""What goes into the knowledge base, and what comes out?"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Which Markdown text is known by which name?"""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Which piece of which document? `position` counts the pieces of one document from 0."""

    document: str
    position: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Which chunk answers a question, and how well? Scores compare within one answer only."""

    chunk: Chunk
    score: float
