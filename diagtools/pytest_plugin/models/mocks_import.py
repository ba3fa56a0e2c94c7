"""Has something called right after a module has been executed, whenever that is, and however often."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class ImportFinder:
    """Asks the other finders for these modules, and has a function called once such a module has been executed."""

    def __init__(self, names: set[str], on_import: Callable[[str], None]) -> None:
        self._names = names
        self._on_import = on_import

    def stay_first(self) -> None:
        """Whoever was put before it since comes after it."""
        if self not in sys.meta_path[:1]:
            self.leave()
            sys.meta_path.insert(0, self)

    def leave(self) -> None:
        """Imports are as they were without it."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        """What the others find, with a loader that tells when it is done."""
        if name not in self._names:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(name, path, target) if find and finder is not self else None
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    spec.loader = _Loader(spec.loader, self._on_import)  # type: ignore[assignment]
                return spec
        return None


class _Loader:
    """The module's own loader, which tells when it is done; the module itself never sees this one."""

    def __init__(self, loader: Any, on_import: Callable[[str], None]) -> None:
        self._loader = loader
        self._on_import = on_import

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        spec: Any = module.__spec__
        if spec.loader is self:
            spec.loader = self._loader
        if getattr(module, "__loader__", None) is self:
            module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._on_import(spec.name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)
