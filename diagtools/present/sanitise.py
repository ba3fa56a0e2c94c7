"""HTML from other people, reduced to what cannot act: an allow-list of tags, attributes and styles.

Everything is parsed and written anew: text is escaped, tags are balanced, what is not on the lists is left out.
No scripts, no event handlers, no frames, no forms, no style sheets; nothing that loads: pictures only as data.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from html.parser import HTMLParser

from diagtools.redact import redact_text

_TAGS = frozenset(
    "a abbr b blockquote br caption code col colgroup dd del details div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 "
    "hr i img ins kbd li mark ol p pre s samp small span strong sub summary sup table tbody td tfoot th thead time tr "
    "u ul".split()
)
_VOID = frozenset({"br", "col", "hr", "img"})
#: Their content is no text to read, or would be parsed by other rules.
_WITH_CONTENT = frozenset(
    "script style iframe object embed applet template noscript noembed noframes svg math textarea title xmp plaintext "
    "select option head audio video canvas".split()
)
_ATTRIBUTES = frozenset({"align", "alt", "colspan", "open", "rowspan", "scope", "start", "style", "title"})
_LINK = re.compile(r"(?:https?://|mailto:|#)[^\s]*", re.IGNORECASE)
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]+")
_STYLES = frozenset(
    "background-color border border-bottom border-collapse border-left border-right border-top color display "
    "font-family font-size font-style font-variant-numeric font-weight line-height margin margin-bottom margin-left "
    "margin-right margin-top max-width min-width opacity overflow-x padding padding-bottom padding-left padding-right "
    "padding-top text-align text-decoration vertical-align white-space width".split()
)
_STYLE_VALUE = re.compile(r"(?:[\w\s.,#%+-]|\b(?:rgba?|hsla?)\([\d\s.,%/]+\))*")
_DEEPEST = 200


def sanitised(markup: str) -> str:
    """The same content as HTML that cannot act, with secrets redacted; an empty string where nothing is left to see."""
    cleaner = _Cleaner()
    cleaner.feed(markup)
    cleaner.close()
    return cleaner.result()


class _Cleaner(HTMLParser):
    """Writes what may stay, and keeps track of which tags are open."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._written: list[str] = []
        self._open: list[str] = []
        self._skipped: list[str] = []
        self._is_visible = False

    def result(self) -> str:
        """What was written, with every tag closed."""
        closing = [f"</{tag}>" for tag in reversed(self._open)]
        return "".join([*self._written, *closing]) if self._is_visible else ""

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        if self._skipped or tag in _WITH_CONTENT:
            if tag in _WITH_CONTENT:
                self._skipped.append(tag)
            return
        if tag == "input":
            self._checkbox(dict(attrs))
        if tag not in _TAGS or len(self._open) >= _DEEPEST:
            return
        if tag == "img":
            self._picture(dict(attrs))
            return
        self._written.append(f"<{tag}{_attributes(tag, attrs)}>")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        if tag in _VOID or tag == "input":
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._skipped:
            if tag in self._skipped:
                del self._skipped[len(self._skipped) - 1 - self._skipped[::-1].index(tag) :]
            return
        if tag in self._open:
            while (last := self._open.pop()) != tag:
                self._written.append(f"</{last}>")
            self._written.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self._is_visible = self._is_visible or bool(data.strip())
            self._written.append(escape(redact_text(data), quote=False))

    def _picture(self, attributes: dict[str, str | None]) -> None:
        source = attributes.get("src") or ""
        words = escape(redact_text(attributes.get("alt") or ""))
        self._is_visible = True
        if _PICTURE.fullmatch(source):
            self._written.append(f'<img src="{escape(source)}" alt="{words}">')
        else:
            self._written.append(
                f"<em>[a picture that is not in the notebook: {words or 'without a name'}]</em>"
            )

    def _checkbox(self, attributes: dict[str, str | None]) -> None:
        if attributes.get("type") == "checkbox":
            self._written.append("☑ " if "checked" in attributes else "☐ ")


def _attributes(tag: str, attrs: Sequence[tuple[str, str | None]]) -> str:
    kept = [
        f' {name}="{escape(redact_text(value))}"' for name, raw in attrs if (value := _value(tag, name, raw))
    ]
    return "".join(kept) + (' rel="noopener noreferrer"' if tag == "a" else "")


def _value(tag: str, name: str, raw: str | None) -> str | None:
    value = (raw or "").strip()
    if name == "style":
        return _style(value)
    if tag == "a" and name == "href":
        return value if _LINK.fullmatch(value) else None
    return (value or name) if name in _ATTRIBUTES else None


def _style(text: str) -> str:
    pairs = [part.partition(":") for part in text.split(";")]
    named = [(name.strip().lower(), value.strip()) for name, _, value in pairs]
    return ";".join(
        f"{name}:{value}" for name, value in named if name in _STYLES and _STYLE_VALUE.fullmatch(value)
    )
