"""Is there an object of this name, as far as can be told without importing its module?

A module that loads a model may take seconds and hundreds of MiB to import, so configuring pytest imports none of them:
the finders are asked for the file, and its source for the name.  What a source does not tell (extension modules, star
imports, a module's ``__getattr__``, what was imported or inherited) is taken for granted here and found out when
the module is imported.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

from diagtools.errors import UsageError

_Block = ast.Module | ast.ClassDef


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectPath:
    """Which object is meant: ``module`` and the names that lead to it (``pkg.mod:Loader.load``)?"""

    module: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.module}:{'.'.join(self.names)}"

    @classmethod
    def read(cls, text: str, *, where: str) -> ObjectPath:
        """Which object does the text name?  ``where`` says who wrote it.  Raises ``UsageError``."""
        module, separator, names = text.partition(":")
        parts = [*module.split("."), *names.split(".")]
        if not separator or not all(part.isidentifier() for part in parts):
            raise UsageError(
                f"{where}: {text!r} is not the name of an object.",
                hint="write the module, a colon and the name in it: 'app.models:Loader.load'.",
            )
        return cls(module=module, names=tuple(names.split(".")))


def import_object(path: ObjectPath) -> Any:
    """The object itself; imports its module.  Raises ``UsageError`` where the module has no such name."""
    found = import_module(path.module)
    for name in path.names:
        try:
            found = getattr(found, name)
        except AttributeError:
            raise _no_name(path, name, dir(found)) from None
    return found


def check_object(path: ObjectPath) -> None:
    """Raises ``UsageError`` where there is surely no such object; imports nothing."""
    module = sys.modules.get(path.module)
    if module is not None and not getattr(module.__spec__, "_initializing", False):
        import_object(path)
        return
    spec = _spec(path.module)
    if spec is None:
        raise UsageError(
            f"there is no module '{path.module}' on the path.",
            hint="correct the name, or add the folder that holds it to the ini key pythonpath.",
        )
    block: _Block | None = _source(spec)
    for name in path.names:
        if block is None:
            return
        block = _inner(block, name, path)


def nearest(word: str, words: Iterable[str]) -> str:
    """Which of the words was probably meant?  None of them: an empty text."""
    import difflib  # here: only somebody who made a mistake pays for it

    return next(iter(difflib.get_close_matches(word, list(words), n=1)), "")


def _spec(module: str) -> ModuleSpec | None:
    """Where is the module?  Its parents are looked up, not imported."""
    top, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except ValueError:  # what stands in sys.modules has no spec: a fake by hand, which may have anything
        return ModuleSpec(module, None)
    name = top
    for part in rest:
        if spec is None or spec.submodule_search_locations is None:
            return None
        name = f"{name}.{part}"
        spec = _ask_finders(name, list(spec.submodule_search_locations))
    return spec


def _ask_finders(name: str, locations: list[str]) -> ModuleSpec | None:
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        spec: ModuleSpec | None = find(name, locations) if find else None
        if spec is not None:
            return spec
    return None


def _source(spec: ModuleSpec) -> ast.Module | None:
    if not spec.origin or not spec.origin.endswith(".py"):
        return None
    try:
        return ast.parse(Path(spec.origin).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None  # importing it will say so, where it stands


def _inner(block: _Block, name: str, path: ObjectPath) -> _Block | None:
    """What is inside of this name; null where the source does not tell.  Raises ``UsageError`` for no such name."""
    names = list(_bound(block.body))
    if name in (known for known, _ in names):
        inner = next(node for known, node in reversed(names) if known == name)
        return inner if isinstance(inner, ast.ClassDef) else None
    if _is_open(block, {known for known, _ in names}):
        return None
    raise _no_name(path, name, (known for known, _ in names))


def _bound(body: Iterable[ast.stmt]) -> Iterator[tuple[str, ast.stmt]]:
    """Which names do statements bind, and by which of them?  ``if``, ``try``, ``with`` and loops are looked into."""
    for statement in body:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield statement.name, statement
                continue
            case ast.Import() | ast.ImportFrom():
                for alias in statement.names:
                    yield alias.asname or alias.name.split(".")[0], statement
                continue
        for node in _heads(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id, statement
        for field in ("body", "orelse", "finalbody"):
            yield from _bound(getattr(statement, field, ()))
        for inner in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
            yield from _bound(inner.body)


def _heads(statement: ast.stmt) -> Iterator[ast.AST]:
    """Which expressions belong to the statement itself, not to statements within it?"""
    for child in ast.iter_child_nodes(statement):
        if not isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield from ast.walk(child)


def _is_open(block: _Block, names: set[str]) -> bool:
    """May there be names that the source does not show?"""
    if isinstance(block, ast.ClassDef):
        return bool(block.bases or block.keywords or block.decorator_list)
    return "__getattr__" in names or "*" in names or "globals" in ast.dump(block)


def _no_name(path: ObjectPath, name: str, names: Iterable[str]) -> UsageError:
    guess = nearest(name, names)
    within = ".".join(path.names[: path.names.index(name)])
    owner = f"class '{within}' of '{path.module}'" if within else f"module '{path.module}'"
    return UsageError(
        f"{owner} has no '{name}'.",
        hint=f"did you mean '{guess}'?" if guess else f"look into '{path.module}'.",
    )
