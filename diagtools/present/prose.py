"""Sentences for a notebook's reader: computed text as Markdown, with everything foreign escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from diagtools.redact import redact_text

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+\-!|~$&])")


_FENCE = re.compile(r"`{3,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Lines that a program wrote, to be shown as they are, and what they are."""

    caption: str
    lines: tuple[str, ...]


class Prose:
    """A list of sentences, below them lines to quote; shows itself in a notebook and as plain text.

    Secrets are redacted.
    """

    def __init__(
        self, sentences: Iterable[object], *, heading: str | None = None, quote: Quote | None = None
    ) -> None:
        self.sentences = tuple(redact_text(str(sentence)) for sentence in sentences)
        self.heading = heading
        self.quote = quote if quote is not None and quote.lines else None

    def __str__(self) -> str:
        title = [self.heading] if self.heading else []
        return "\n".join([*title, *(f"• {sentence}" for sentence in self.sentences), *self._quoted()])

    __repr__ = __str__

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        title = [f"**{_escaped(self.heading)}**", ""] if self.heading else []
        sentences = (f"- {_escaped(sentence)}" for sentence in self.sentences)
        markdown = "\n".join([*title, *sentences, *self._fenced()])
        return {"text/markdown": markdown, "text/plain": str(self)}

    def _quoted(self) -> list[str]:
        if self.quote is None:
            return []
        return [self.quote.caption, *(f"    {_one_line(line)}" for line in self.quote.lines)]

    def _fenced(self) -> list[str]:
        """A block of code, in a fence longer than any that a line could close it with."""
        if self.quote is None:
            return []
        lines = [_one_line(line) for line in self.quote.lines]
        fence = max(("``", *_FENCE.findall("\n".join(lines))), key=len) + "`"
        return ["", _escaped(self.quote.caption), "", fence, *lines, fence]


def _one_line(text: str) -> str:
    return " ".join(redact_text(text).splitlines())


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
