"""The options of a command line that each change something about a command."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from diagtools.investigations import changes
from diagtools.investigations.changes import Change
from diagtools.investigations.stock import stock

_OF: Mapping[str, Callable[[str], list[Change]]] = {
    "env": lambda text: [changes.env(text)],
    "args": lambda text: [changes.arguments(text)],
    "instead": lambda text: [changes.instead(text)],
    "without": lambda text: [changes.without(*text.split(","))],
    "lazy": lambda text: [changes.lazily(text)],
    "patch": lambda text: [changes.patch_file(text)],
    "with": lambda text: [changes.versions(*text.split())],
    "python": lambda text: [changes.interpreter(text)],
    "rev": lambda text: [changes.revision(text)],
    "stock": stock,
}


def changes_of(named: Iterable[tuple[str, str]]) -> list[Change]:
    """Which changes are these?  Option and value of each.  Raises ``UsageError`` for what makes no sense."""
    return [change for kind, text in named for change in _OF[kind](text)]
