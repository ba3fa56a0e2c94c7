"""Names and sentences that fit: cleaned, measured, shortened, wrapped.

Names come from other people's files: they hold newlines, control characters, bytes that are no text, and
characters that turn the writing direction.  What is drawn or printed goes through ``printable`` first.
"""

from __future__ import annotations

import unicodedata

from diagtools.redact import redact_text

ELLIPSIS = "…"

#: Widths of Liberation Sans (and Arial) in em, measured; what is not listed is as wide as most letters.
_WIDTHS = {
    0.22: "ijl'",
    0.28: " !,./:;I[\\]tf|·",
    0.35: '()-`r{}"',
    0.39: "*",
    0.50: "Jcksvxyz^",
    0.61: "FTZ+<=>~−×ß",
    0.67: "&ABEKPSVXY",
    0.74: "CDHNRUw✔✖",
    0.78: "GOQ",
    0.89: "Mm%",
    1.02: "W…—→@",
}
_EM = {character: em for em, characters in _WIDTHS.items() for character in characters}
_MOST = 0.57
_IDEOGRAPH = 1.0
_EVERYWHERE = frozenset({"__init__.py", "__main__.py", "index.js", "index.ts", "main.py", "mod.rs"})


def printable(name: str) -> str:
    r"""The same name on one line, with escapes such as ``\n`` and ``\udcff`` for what cannot be shown."""
    if name.isascii() and name.isprintable():
        return name
    return "".join(map(_shown, name))


def _shown(character: str) -> str:
    if unicodedata.category(character)[0] == "C" or character in "\u2028\u2029":
        return character.encode("unicode_escape").decode()
    return character


def text_px(text: str, size: float, *, bold: bool = False) -> float:
    """How wide is this text in pixels?  Within 3 %, and on the wide side, where the font is the theme's."""
    return size * sum(map(_em, text)) * (1.08 if bold else 1.0)


def _em(character: str) -> float:
    return _EM.get(character, _MOST if character < "\u2e80" else _IDEOGRAPH)


def shortened(name: str, n_characters: int) -> str:
    """The same name in at most ``n_characters``: folders in the middle go first, the file name goes last."""
    return _shorter(printable(redact_text(name)), n_characters)


def _shorter(name: str, n_characters: int) -> str:
    if len(name) <= n_characters:
        return name
    *folders, file = name.split("/")
    shorter = [file]
    if folders:
        first, parent = folders[0], folders[-1]
        shorter = [f"{ELLIPSIS}/{parent}/{file}", f"{first}/{ELLIPSIS}/{file}", f"{ELLIPSIS}/{file}", file]
        if len(folders) > 2 and first:
            shorter.insert(0, f"{first}/{ELLIPSIS}/{parent}/{file}")
    return next((text for text in shorter if len(text) <= n_characters), _cut(file, n_characters))


def _cut(name: str, n_characters: int) -> str:
    """A name without folders: a sentence loses its end, a file name its middle."""
    if len(name) <= n_characters:
        return name
    if " " in name:
        return name[: n_characters - 1].rstrip() + ELLIPSIS
    tail = max((n_characters - 1) // 2, 0)
    head = max(n_characters - 1 - tail, 0)
    return name[:head] + ELLIPSIS + (name[-tail:] if tail else "")


def fitted(name: str, width_px: float, size: float, *, bold: bool = False) -> str:
    """The same name, shortened until it is no wider than ``width_px``."""
    text = name = printable(redact_text(name))  # first: half of a secret is not known for one
    length = len(text)
    while length > 1 and text_px(text, size, bold=bold) > width_px:
        length -= 1
        text = _shorter(name, length)
    return text


def from_left(text: str, width_px: float, size: float, *, bold: bool = False) -> str:
    """The end of a text that is no wider than ``width_px``: of a place, the line and the file say most."""
    if text_px(text, size, bold=bold) <= width_px:
        return text
    ends = (f"{ELLIPSIS}{text[start:]}" for start in range(1, len(text)))
    return next((end for end in ends if text_px(end, size, bold=bold) <= width_px), ELLIPSIS)


def file_name(name: str) -> str:
    """The last part of a path, with its folder where many files have that name; any other name as it is."""
    *folders, file = printable(name).rstrip("/").split("/")
    return f"{folders[-1]}/{file}" if folders and file in _EVERYWHERE else file


def wrapped(sentence: str, width_px: float, size: float, *, bold: bool = False) -> list[str]:
    """The sentence in lines no wider than ``width_px``; a single word that is wider is shortened."""
    lines: list[str] = []
    for long_word in printable(sentence).split(" "):
        word = fitted(long_word, width_px, size, bold=bold)
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_px(longer, size, bold=bold) <= width_px:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
