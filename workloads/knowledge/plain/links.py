"""Which documents refer to which?"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from workloads.knowledge.plain.documents import Document

WIKI = r"\[\[(?P<wiki>[^\]|#\n]+)[^\]\n]*\]\]"
MARKDOWN = (
    r"(?<!!)\[[^\]\n]*\]\((?P<file>[^)\s#:]+)\.md[^)\n]*\)"  # no image, and no address: that has a colon
)
LINK = re.compile(f"{WIKI}|{MARKDOWN}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Which document refers to which other, by name?"""

    source: str
    target: str


def find_links(document: Document) -> tuple[Link, ...]:
    """What does a document refer to, as `[[name]]` or `[text](name.md)`, each once and in order?"""
    targets = [(match["wiki"] or match["file"]).strip() for match in LINK.finditer(document.text)]
    return tuple(Link(source=document.name, target=target) for target in dict.fromkeys(targets))


def broken(documents: Iterable[Document]) -> tuple[Link, ...]:
    """Which links lead to a document that is not there?"""
    known = {document.name: document for document in documents}
    return tuple(
        link for document in known.values() for link in find_links(document) if link.target not in known
    )
