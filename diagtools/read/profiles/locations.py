"""Whose code is a place in a stack, and what is its module called?  Told from the path: no file need exist."""

from __future__ import annotations

import os
import re
import sys
from collections import defaultdict
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
    roots = _roots(files)
    owners = [_owner(file, roots) for file in files]
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


def _owner(file: str, roots: dict[str, str]) -> _Owner:
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
    root = roots.get(_neighbourhood(path))
    return _python(path[len(root) :] if root else PurePosixPath(path).name, OWN)


def _without_file(name: str) -> _Owner:
    if name.startswith("<frozen "):
        module = name[len("<frozen ") : -1]
        package = module.partition(".")[0]
        role = "import" if name in _IMPORT_FILES else "runner" if package == "runpy" else ""
        return _Owner(module, package, STANDARD if package in sys.stdlib_module_names else OWN, role)
    role = "runner" if name == "<diagtools>" else ""  # what starts a cell of %%record
    return _Owner(name, name, OWN, role)


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


def _roots(files: list[str]) -> dict[str, str]:
    """The folder, with a closing slash, that the program's own files of one neighbourhood lie under, by neighbourhood.

    Two files are neighbours where the first two folders of their paths are the same: a library that is under work
    elsewhere does not make every module's name begin at the root of the disk.
    """
    paths = [path for path in (file.replace("\\", "/") for file in files) if path.startswith("/")]
    own = [path for path in paths if not (_INSTALLED.match(path) or _LIBRARY.match(path) or _is_native(path))]
    folders: dict[str, set[str]] = defaultdict(set)
    for path in own:
        folders[_neighbourhood(path)].add(path[: path.rindex("/")] or "/")
    return {near: f"{os.path.commonpath(found).rstrip('/')}/" for near, found in folders.items()}


def _neighbourhood(path: str) -> str:
    return "/".join(path.split("/")[:-1][:3])


def _is_native(path: str) -> bool:
    return bool(_NATIVE.search(path) or _INTERPRETER.search(path))
