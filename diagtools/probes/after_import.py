"""Something is called right after a module has been imported, before whoever asked for it goes on.

Every import that is not cached asks the import system's ``_find_spec``.  Of a wanted module it gets a spec whose loader
calls back once the module has been executed; while that runs, the module has its own loader.  In tracebacks and
warnings both pass for a part of the import system.
"""

# No "from __future__": it would be an import of the program.

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

#: Frames of a file of this name are cut from tracebacks of failing imports.
_IMPORT_FILE = "<frozen importlib._bootstrap>"

_SOURCE = """
def _find_spec(name, path, target=None):
    spec = find_spec(name, path, target)
    if name in sought and spec is not None:
        sought.pop(name)(spec)
    if name in waiting and spec is not None and hasattr(spec.loader, "exec_module"):
        spec.loader = _Loader(spec.loader)
    return spec

class _Loader:
    def __init__(self, loader):
        self._loader = loader

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        spec = module.__spec__
        if spec.loader is self:
            spec.loader = self._loader
        if getattr(module, "__loader__", None) is self:
            module.__loader__ = self._loader
        self._loader.exec_module(module)
        executed(spec.name, module)

    def __getattr__(self, name):
        return getattr(self._loader, name)
"""


class AfterImport:
    """Knows what is to be called after which modules; nothing is put into the import system before it is asked to."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Callable[[ModuleType], None]]] = {}
        self._sought: dict[str, Callable[[ModuleSpec], None]] = {}
        self._done: set[str] = set()
        self._is_installed = False

    def call(self, name: str, function: "Callable[[ModuleType], None]") -> None:
        """Have it called with this module: at once where it is imported already."""
        module = sys.modules.get(name)
        is_begun = getattr(getattr(module, "__spec__", None), "_initializing", False)
        if module is not None and (name in self._done or not is_begun):
            function(module)
            return
        self._waiting.setdefault(name, []).append(function)
        self._install()

    def tell(self, name: str, function: "Callable[[ModuleSpec], None]") -> None:
        """Have it called once with the spec of this module, before that is executed: it may never come to its end."""
        spec = getattr(sys.modules.get(name), "__spec__", None)
        if spec is not None:
            function(spec)
            return
        self._sought[name] = function
        self._install()

    def _install(self) -> None:
        if self._is_installed:
            return
        self._is_installed = True
        system: Any = sys.modules["_frozen_importlib"]
        names: dict[str, Any] = {
            "__name__": "importlib._bootstrap",
            "find_spec": system._find_spec,
            "waiting": self._waiting,
            "sought": self._sought,
            "executed": self._executed,
        }
        exec(compile(_SOURCE, _IMPORT_FILE, "exec"), names)
        system._find_spec = names["_find_spec"]

    def _executed(self, name: str, module: "ModuleType") -> None:
        """A module may have put something else in its place."""
        self._done.add(name)
        for function in self._waiting.pop(name, ()):
            function(sys.modules.get(name, module))
