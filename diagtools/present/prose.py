"""Sentences for a notebook's reader: computed text as Markdown, with everything foreign escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from diagtools.redact import redact_text

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+\-!|~$&])")


class Prose:
    """A list of sentences that shows itself in a notebook and as plain text; secrets are redacted."""

    def __init__(self, sentences: Iterable[object], *, heading: str | None = None) -> None:
        self.sentences = tuple(redact_text(str(sentence)) for sentence in sentences)
        self.heading = heading

    def __str__(self) -> str:
        title = [self.heading] if self.heading else []
        return "\n".join([*title, *(f"• {sentence}" for sentence in self.sentences)])

    __repr__ = __str__

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        title = [f"**{_escaped(self.heading)}**", ""] if self.heading else []
        markdown = "\n".join([*title, *(f"- {_escaped(sentence)}" for sentence in self.sentences)])
        return {"text/markdown": markdown, "text/plain": str(self)}


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
