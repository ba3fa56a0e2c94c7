"""Whose code is a place in a stack, and what is its module called?  Told from the path: no file need exist."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import PurePosixPath

import polars as pl

from diagtools import frames
from diagtools.read.profiles.call_tree import NO_STACK

OWN, THIRD_PARTY, STANDARD, NATIVE, INTERPRETER, UNKNOWN = (
    "own",
    "third-party",
    "standard library",
    "native",
    "interpreter",
    "unknown",
)

_INSTALLED = re.compile(r"^.*/(?:site|dist)-packages/")
_LIBRARY = re.compile(r"^.*/(?:lib(?:32|64)?/(?:python|pypy)3\.\d+t?|[Ll]ib)/(?=.)", re.IGNORECASE)
_NATIVE = re.compile(r"\.(?:so(?:\.[\d.]+)?|c|cc|cpp|cxx|h|hh|hpp|rs|S|s|dylib|pyx|pxd|inl|inc|tcc)$")
_INTERPRETER = re.compile(
    r"(?:^|/)(?:libpython|python)[\d.]*(?:t|d)?(?:\.so[\d.]*)?$|(?:^|/)(?:Python|Objects|Modules|Include)/\w+\.[ch]$"
)
_IMPORT_FILES = (
    "<frozen importlib._bootstrap>",
    "<frozen importlib._bootstrap_external>",
    "<frozen zipimport>",
)
_IMPORT_MODULES = ("importlib", "importlib._bootstrap", "importlib._bootstrap_external", "zipimport")
_RUNNERS = (
    "runpy",
    "sitecustomize",
    "memray.commands",
    "memray.__main__",
    "_pytest",
    "pytest",
    "pluggy",
    "diagtools.probes",
    "diagtools.notebook",
)
_STRIPPED = (".py", ".pyc", ".pyi", ".pyw")


@dataclass(frozen=True, slots=True)
class _Owner:
    module: str
    package: str
    origin: str
    role: str = ""


def located(places: pl.DataFrame) -> pl.DataFrame:
    """Which module, package and origin has each place?  LOCATIONS, from ``location_id, function, file, line``."""
    files = places["file"].unique(maintain_order=True).to_list()
    root = _common_root(files)
    owners = [_owner(file, root) for file in files]
    of_files = pl.DataFrame(
        {
            "file": pl.Series(files, dtype=pl.String),
            "module": pl.Series([owner.module for owner in owners], dtype=pl.String),
            "package": pl.Series([owner.package for owner in owners], dtype=pl.String),
            "origin": pl.Series([owner.origin for owner in owners], dtype=pl.String),
            "role": pl.Series([owner.role for owner in owners], dtype=pl.String),
        }
    )
    joined = places.join(of_files, on="file", how="left", maintain_order="left")
    return frames.LOCATIONS.check(joined.select(list(frames.LOCATIONS.columns)))


def _owner(file: str, root: str) -> _Owner:
    if file == NO_STACK[1]:
        return _Owner("", "", UNKNOWN)
    path = file.replace("\\", "/")
    if path.startswith("<") and path.endswith(">"):
        return _without_file(path)
    if match := _INSTALLED.match(path):
        return _python(path[match.end() :], THIRD_PARTY)
    if _NATIVE.search(path) or _INTERPRETER.search(path):
        return _native(path)
    if match := _LIBRARY.match(path):
        return _python(path[match.end() :], STANDARD)
    below = path[len(root) :] if root and path.startswith(root) else PurePosixPath(path).name
    return _python(below, OWN)


def _without_file(name: str) -> _Owner:
    if name.startswith("<frozen "):
        module = name[len("<frozen ") : -1]
        package = module.partition(".")[0]
        role = "import" if name in _IMPORT_FILES else "runner" if package == "runpy" else ""
        return _Owner(module, package, STANDARD if package in sys.stdlib_module_names else OWN, role)
    return _Owner(name, name, OWN)


def _python(below: str, origin: str) -> _Owner:
    if native := _NATIVE.search(below):  # an extension module among Python packages
        module = below[: native.start()].partition(".")[0].replace("/", ".")
        return _Owner(module, module.partition(".")[0], NATIVE)
    stem = next((below[: -len(end)] for end in _STRIPPED if below.endswith(end)), below)
    module = stem.removesuffix("/__init__").strip("/").replace("/", ".")
    return _Owner(module, module.partition(".")[0], origin, _role(module))


def _role(module: str) -> str:
    if module in _IMPORT_MODULES:
        return "import"
    is_runner = any(module == runner or module.startswith(runner + ".") for runner in _RUNNERS)
    return "runner" if is_runner else ""


def _native(path: str) -> _Owner:
    name = PurePosixPath(path).name
    if _INTERPRETER.search(path):
        return _Owner(name, "CPython", INTERPRETER)
    library = re.split(r"\.so|\.dylib", name)[0] if ".so" in name or ".dylib" in name else ""
    project = next((part for part in path.split("/") if part not in ("", ".", "..", "src")), name)
    return _Owner(library or name, library or (name if path.startswith("/") else project), NATIVE)


def _common_root(files: list[str]) -> str:
    """The folder that all of the program's own files lie under, with a closing slash; empty where there is none."""
    paths = [path for path in (file.replace("\\", "/") for file in files) if path.startswith("/")]
    own = [path for path in paths if not (_INSTALLED.match(path) or _LIBRARY.match(path) or _is_native(path))]
    folders = {path[: path.rindex("/")] or "/" for path in own}
    return f"{os.path.commonpath(folders).rstrip('/')}/" if folders else ""


def _is_native(path: str) -> bool:
    return bool(_NATIVE.search(path) or _INTERPRETER.search(path))
