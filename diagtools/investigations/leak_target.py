"""How does another process find a function?"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from diagtools.errors import UsageError

_HINT = "write MODULE:FUNCTION, for instance app.index:embed_file."
_NO_NAME = "put it into a module of its own, at its top level, and pass 'module:function'."


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A function by name (``module:function``), and the folder that its module lies in, where that is known."""

    name: str
    folder: str = ""


def called(function: str | Callable[..., object]) -> Called:
    """What is the function called?  Raises ``UsageError`` for one that another process cannot import."""
    if isinstance(function, str):
        return _by_name(function)
    module, path = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if not callable(function):
        raise UsageError(f"A {type(function).__name__} cannot be called.", hint=_HINT)
    if not isinstance(module, str) or not isinstance(path, str):
        raise UsageError(f"This {type(function).__name__} has no name of its own.", hint=_NO_NAME)
    if module == "__main__":
        raise UsageError(
            f"{path!r} is defined in the notebook or script itself: no other process can import it.",
            hint="%%writefile it to a module, and pass 'module:function'.",
        )
    if "<" in path:  # <locals>, <lambda>
        raise UsageError(
            f"{path!r} is made within a function: no other process can import it.", hint=_NO_NAME
        )
    return Called(name=f"{module}:{path}", folder=_folder_of(module))


def _by_name(name: str) -> Called:
    module, _, path = name.partition(":")
    parts = [*module.split("."), *path.split(".")]
    if not all(part.isidentifier() for part in parts):
        raise UsageError(f"{name!r} does not name a function.", hint=_HINT)
    return Called(name=name)


def _folder_of(module: str) -> str:
    """The folder on the path that a module was imported from; empty where it has no file."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if not file:
        return ""
    path = Path(file).resolve()
    ups = len(module.split(".")) - (0 if path.stem == "__init__" else 1)
    return str(path.parents[ups])
