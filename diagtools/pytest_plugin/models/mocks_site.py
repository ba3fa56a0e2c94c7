"""One loader that has been imported: what stands at its attribute, and who has taken that by name?"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from diagtools.errors import UsageError
from diagtools.pytest_plugin.models.mocks_lines import MockLine
from diagtools.pytest_plugin.models.mocks_resolve import import_object, nearest

_ABSENT = object()


@dataclass(slots=True)
class Site:
    """One loader that has been imported, and what stands at its attribute.

    ``real`` and ``mock`` are what a class keeps (a ``staticmethod``, say), so that both are called in the same way.
    """

    line: MockLine
    owner: Any
    name: str
    real: Any
    mock: Any
    loader: Any
    borrowed: list[tuple[ModuleType, str]] = field(default_factory=list)

    def stand(self, *, mocked: bool) -> None:
        """Puts the one where the other stands; anything else that stands there stays."""
        wanted, other = (self.mock, self.real) if mocked else (self.real, self.mock)
        if vars(self.owner).get(self.name, _ABSENT) is other:
            _set(self.owner, self.name, wanted)
        here, there = (_value(self.mock), self.loader) if mocked else (self.loader, _value(self.mock))
        for module, name in self.borrowed:
            if vars(module).get(name) is there:
                setattr(module, name, here)

    @property
    def own(self) -> Any:
        """The loader itself, as its owner keeps it; what a class inherits belongs to another class."""
        return self.loader if self.real is _ABSENT else self.real

    @property
    def is_own(self) -> bool:
        """Is it the owner's own, so that watching it watches no other loader?"""
        return self.real is not _ABSENT or isinstance(self.owner, ModuleType)

    @property
    def is_current(self) -> bool:
        """Is it still that loader?  A module that was executed again has others."""
        stands = vars(self.owner).get(self.name, _ABSENT)
        return not (isinstance(stands, FunctionType | type) and _is_defined_anew(stands, self))

    def borrow(self, modules: Sequence[ModuleType]) -> None:
        """Which of these modules, imported while the mock stood there, took it by name?  They give it back as well."""
        mock = _value(self.mock)
        for module in modules:
            names = [name for name, value in list(vars(module).items()) if value is mock]
            self.borrowed += [(module, name) for name in names if self._is_taken(module, name)]

    def _is_taken(self, module: ModuleType, name: str) -> bool:
        """Is it the loader that its source imports by that name?  It may as well define the fake, or mean it."""
        return any(
            alias.name == self.name and (alias.asname or self.name) == name
            for node in _from_imports(module)
            for alias in node.names
            if node.module != self.line.replacement.module
        )


def _from_imports(module: ModuleType) -> Iterator[ast.ImportFrom]:
    spec = getattr(module, "__spec__", None)
    if spec is None or not spec.has_location:
        return
    try:
        tree = ast.parse(Path(spec.origin).read_bytes())
    except (OSError, SyntaxError, ValueError):  # no source: what it took by name stays with it
        return
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))


def owner_of(line: MockLine, module: ModuleType) -> Any:
    """The module or class that has the loader; raises ``UsageError`` where there is no such class."""
    owner: Any = module
    for name in line.target.names[:-1]:
        owner = getattr(owner, name, _ABSENT)
        if owner is _ABSENT:
            raise _missing(line, module)
    return owner


def site_of(line: MockLine, owner: Any) -> Site:
    """What stands there now, taken for the loader.  Imports the fake.

    Raises ``UsageError`` where the module, now imported, has no such loader, or the fake cannot be had.
    """
    name = line.target.names[-1]
    loader = getattr(owner, name, _ABSENT)
    if loader is _ABSENT:
        raise _missing(line, owner)
    try:
        replacement = import_object(line.replacement)
    except UsageError as error:
        raise UsageError(f"diag_mocks, '{line}': {error.message}", hint=error.hint) from None
    except Exception as error:
        raise UsageError(
            f"diag_mocks, '{line}': importing '{line.replacement.module}' failed: {type(error).__name__}: {error}.",
            hint=f"python -c 'import {line.replacement.module}'",
        ) from error
    real = vars(owner).get(name, _ABSENT)
    mock = _as_kept(replacement, like=real if real is not _ABSENT else _inherited(owner, name), owner=owner)
    return Site(line=line, owner=owner, name=name, real=real, mock=mock, loader=loader)


def _inherited(owner: Any, name: str) -> Any:
    for kind in getattr(owner, "__mro__", ()):
        if name in vars(kind):
            return vars(kind)[name]
    return None


def _as_kept(replacement: Any, *, like: Any, owner: Any) -> Any:
    """What the class keeps, so that the mock gets the arguments that the loader was written with."""
    if not isinstance(owner, type) or not isinstance(replacement, FunctionType):
        return replacement
    if isinstance(like, classmethod):
        return classmethod(replacement)
    return replacement if isinstance(like, FunctionType) else staticmethod(replacement)


def _is_defined_anew(stands: Any, site: Site) -> bool:
    """Does another object of the loader's own name and module stand there?"""
    if stands is site.real or stands is site.mock:
        return False
    names = ("__module__", "__qualname__", "__firstlineno__")
    return all(getattr(stands, name, None) == getattr(site.loader, name, None) for name in names)


def _value(kept: Any) -> Any:
    return kept.__func__ if isinstance(kept, staticmethod) else kept


def _set(owner: Any, name: str, value: Any) -> None:
    if value is _ABSENT:
        delattr(owner, name)
    else:
        setattr(owner, name, value)


def _missing(line: MockLine, owner: Any) -> UsageError:
    guess = nearest(line.target.names[-1], dir(owner))
    hint = f"did you mean '{guess}'?" if guess else "correct the line in diag_mocks."
    return UsageError(f"diag_mocks, '{line}': there is no {line.target}, now that it is imported.", hint=hint)
