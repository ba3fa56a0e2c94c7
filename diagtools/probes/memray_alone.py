"""How does memray's extension get into a program without the modules that ``import memray`` loads with it?

``import memray`` loads some 130 modules (rich, inspect, typing, datetime), which then are the program's too: what it
imports itself costs nothing any more.  ``load`` has stubs stand in for them while ``memray._memray`` is loaded, and
takes everything out of ``sys.modules`` again but what STAYS: `threading`, which memray changes, with what that imports,
and extension modules, of which not all can be loaded twice.  memray is not among what stays: where the program imports
it, it finds the whole package, with the same extension, in which the real modules then stand for the stubs.

Run as a program, says which memray this interpreter can load: its version, or what went wrong, with EXIT_STATUS.
"""

# No "from __future__": it would be an import of the program.

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

EXTENSION = "memray._memray"
EXIT_STATUS = 3  # of a check that found no memray
#: Python modules that stay in ``sys.modules``: `threading`, whose classes are changed, and all that it imports.
STAYS = frozenset(
    "threading _weakrefset types functools collections collections.abc reprlib keyword operator heapq warnings".split()
)
_STOOD_IN = ("pathlib", "platform", "datetime", "dataclasses", "typing", "rich", "rich.progress")
_GREENLETS = "greenlet._greenlet"
_PATHS = "memray.reporters.module_tools"


class _Later:
    """Stands for something of a module that has not been imported; whatever is done with it gives the same."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __call__(self, *args: "Any", **kwargs: "Any") -> "Any":
        return self

    def __getitem__(self, item: "Any") -> "Any":
        return self

    def real(self) -> "Any":
        """The thing itself."""
        return getattr(_imported(self.module), self.name)


class _Stub(type(sys)):  # type: ignore[misc]  # the type of modules
    """Stands for a module that has not been imported."""

    def __getattr__(self, name: str) -> "Any":
        if name.startswith("__"):
            raise AttributeError(name)
        return _Later(self.__name__, name)


class Extension:
    """``memray._memray``, loaded alone."""

    def __init__(self, module: "ModuleType", stubs: "dict[str, ModuleType]", version: str) -> None:
        self.module, self.version = module, version
        self._stubs = stubs

    def tracker(self, path: str, **options: "Any") -> "Any":
        """A tracker that writes into this new file.

        It would write the whole command line into it, which may hold secrets: it is told the program's name alone.
        """
        destination = vars(self.module)["FileDestination"](path=path, overwrite=False)
        arguments, sys.argv = sys.argv, sys.argv[:1]
        try:
            with _Instead(self._stubs):
                return vars(self.module)["Tracker"](destination=destination, **options)
        finally:
            sys.argv = arguments

    def give_to_program(self, imported: "Any") -> None:
        """Have the program find it where it imports memray; ``imported`` is called then."""
        sys.meta_path.insert(0, Finder(self, imported))
        if _GREENLETS in sys.modules:
            self.show()

    def show(self) -> None:
        """Have memray find it, which would not follow greenlets otherwise: their stacks would be mixed up."""
        sys.modules.setdefault(EXTENSION, self.module)

    def complete(self) -> None:
        """Put the real modules, and what it takes of them, in the place of the stubs."""
        names = vars(self.module)
        ours = [stub.__name__ for stub in self._stubs.values()]
        for name, value in list(names.items()):
            if isinstance(value, _Later):
                names[name] = value.real()
            elif isinstance(value, _Stub):
                names[name] = _imported(value.__name__)
            elif isinstance(value, type) and value.__module__ in ours and value.__module__ != EXTENSION:
                names[name] = getattr(_imported(value.__module__), name)


class Finder:
    """Gives a program that imports memray the extension that is loaded already; first on ``sys.meta_path``."""

    def __init__(self, extension: Extension, imported: "Any") -> None:
        self._extension, self._imported_by_program = extension, imported

    def find_spec(
        self, name: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        """Only for the extension, which stands in ``sys.modules`` as long as memray looks for it there."""
        if name == _GREENLETS:
            self._extension.show()
        elif name == "memray":
            sys.modules.pop(EXTENSION, None)
        if name != EXTENSION:
            return None
        make: type[ModuleSpec] = sys.modules["_frozen_importlib"].ModuleSpec
        return make(name, self, origin=self._extension.module.__file__)  # type: ignore[arg-type]

    def create_module(self, spec: "ModuleSpec") -> "ModuleType":
        """The one that is there."""
        return self._extension.module

    def exec_module(self, module: "ModuleType") -> None:
        """It has been executed; what it was spared then is due."""
        self._extension.complete()
        self._imported_by_program()


class _Instead:
    """Modules that stand in ``sys.modules`` for a while instead of others."""

    def __init__(self, modules: "dict[str, ModuleType]") -> None:
        self._modules = modules
        self._before: dict[str, Any] = {}

    def __enter__(self) -> None:
        self._before = {name: sys.modules[name] for name in self._modules if name in sys.modules}
        sys.modules.update(self._modules)

    def __exit__(self, *_: object) -> None:
        for name in self._modules:
            sys.modules.pop(name, None)
        sys.modules.update(self._before)


def load() -> Extension:
    """The extension alone.  Raises ``ImportError`` where this interpreter has none, or none of its version."""
    finder = sys.modules["_frozen_importlib_external"].PathFinder
    spec = finder.find_spec("memray")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("No module named 'memray'", name="memray")
    import threading  # stays; first, so that it is imported as it is without us

    del threading
    before = set(sys.modules)
    stubs = dict(_stubs(list(spec.submodule_search_locations)))
    with _Instead(stubs):
        try:
            module = _imported(EXTENSION)
            version = str(vars(_imported("memray._version"))["__version__"])
            stubs.update((n, sys.modules[n]) for n in sorted(sys.modules) if n.startswith("memray."))
        finally:
            for name in set(sys.modules) - before - set(stubs):
                if _can_go(sys.modules[name]):
                    del sys.modules[name]
    for name in [name for name in sys.modules if name.startswith("memray")]:
        del sys.modules[name]
    return Extension(module, stubs, version)


def _stubs(locations: "list[str]") -> "Iterator[tuple[str, ModuleType]]":
    for name in _STOOD_IN:
        yield name, _Stub(name)
    dataclasses: Any = _Stub("dataclasses")
    vars(dataclasses).update(dataclass=_dataclass, field=_field)
    yield "dataclasses", dataclasses
    pathlib: Any = _Stub("pathlib")
    vars(pathlib)["Path"] = _Path
    yield "pathlib", pathlib
    for name in ("memray", "memray.reporters"):
        package = _Stub(name)
        package.__path__ = locations if name == "memray" else []
        yield name, package
    paths: Any = _Stub(_PATHS)
    vars(paths)["get_python_path_info"] = _path_info
    yield _PATHS, paths


class _Path:
    """Of ``pathlib``, as far as the tracker asks it."""

    def __init__(self, path: str) -> None:
        self._path = path

    def samefile(self, other: str) -> bool:
        """Are they the same?"""
        return os.path.samefile(self._path, other)


def _field(**options: "Any") -> "Any":
    return None


def _dataclass(found: "Any" = None, **options: "Any") -> "Any":
    """A class whose instances take their annotated fields by keyword, as far as a destination needs it."""
    if found is None:
        return _dataclass

    def __init__(self: "Any", **given: "Any") -> None:  # noqa: N807 - its name
        vars(self).update(given)

    found.__init__ = __init__
    return found


def _path_info() -> "dict[str, Any]":
    """Where modules lie: memray writes it into the file, for reports that name modules."""
    site = sys.modules.get("site")
    folders = list(site.getsitepackages()) if site else []
    user = getattr(site, "USER_SITE", None)
    if user and os.path.exists(user):
        folders.append(user)
    return {
        "stdlib": os.path.dirname(os.path.abspath(os.__file__)),
        "site_packages": folders,
        "sys_path": [path for path in sys.path if path],
    }


def _can_go(module: "ModuleType") -> bool:
    """Is it Python code that nothing but memray has needed?"""
    spec = getattr(module, "__spec__", None)
    origin = getattr(spec, "origin", None)
    return bool(origin) and (str(origin).endswith((".py", ".pyc")) or origin == "frozen")


def _imported(name: str) -> "ModuleType":
    module: ModuleType = sys.modules["_frozen_importlib"]._gcd_import(name)
    return module


def main() -> int:
    """Say which memray there is."""
    if sys.version_info < (3, 9):  # noqa: UP036 - it is run by any Python, to find out
        print(f"Python {sys.version.split()[0]} is too old: it takes 3.9")
        return EXIT_STATUS
    try:
        print(load().version)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        print(f"{type(error).__name__}: {error}")
        return EXIT_STATUS
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
