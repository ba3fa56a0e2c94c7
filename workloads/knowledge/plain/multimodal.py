"""What does a document hold that is not prose?"""

import re
from dataclasses import dataclass
from enum import StrEnum

from workloads.knowledge.plain.documents import Document

FIGURE = re.compile(
    r"!\[(?P<image>[^\]\n]*)\]\([^)\n]+\)"
    r"|^```(?P<code>[^\n`]*)\n.*?^```"
    r"|^\|(?P<table>[^\n]*)\|[ \t]*\n\|[-:| \t]+\|[ \t]*$",
    re.MULTILINE | re.DOTALL,
)


class FigureKind(StrEnum):
    """What sort of thing is it?"""

    IMAGE = "image"
    CODE = "code"
    TABLE = "table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What is shown, and how is it called: an image's words, a language, a table's columns?"""

    document: str
    kind: FigureKind
    caption: str


def find_figures(document: Document) -> tuple[Figure, ...]:
    """Which images, code blocks and tables does a document hold, in order?"""
    return tuple(
        Figure(document=document.name, kind=kind, caption=" ".join(match[kind].split()))
        for match in FIGURE.finditer(document.text)
        for kind in FigureKind
        if match[kind] is not None
    )
