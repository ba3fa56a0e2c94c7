"""What does a process that runs tests hold before the first of them: which import brought which part of it?"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath

import polars as pl

from diagtools.analyse.imports import PROGRAM
from diagtools.frames.frame import INT, TEXT, Frame


class Part(StrEnum):
    """To what a part of the baseline belongs."""

    INTERPRETER = "interpreter"
    PYTEST = "pytest"
    PLUGIN = "plugins"
    CONFTEST = "conftest and fixtures"
    TESTS = "test modules"
    REST = "no import"
    FILES = "pages of files"


#: One row a part, in the order in which it came; ``bytes`` sum to the RSS before the first test.
BASELINE_PARTS = Frame("BASELINE_PARTS", {"part": TEXT, "name": TEXT, "n_modules": INT, "bytes": INT})

_OF_PYTEST = {"_pytest", "pytest", "pluggy", "iniconfig", "execnet", "xdist", "py", "packaging", "pygments"}
_SMALL = 0.015  # of the whole: less goes with the others
_MOST_PACKAGES = 8
OTHERS = "other packages"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Root:
    """An import that no other import asked for, and to what it belongs; null: it came once the tests ran."""

    module: str
    order: int
    part: Part | None


def baseline_parts(
    imports: pl.DataFrame,
    edges: pl.DataFrame,
    *,
    interpreter_bytes: int,
    rss_bytes: int,
    anon_bytes: int | None,
) -> pl.DataFrame:
    """What made up the memory of a worker before its first test?  BASELINE_PARTS.

    ``imports`` and ``edges`` are IMPORTS and IMPORT_EDGES of a process that runs tests, ``interpreter_bytes`` what it
    held before its first import, ``rss_bytes`` and ``anon_bytes`` what such a process was measured to hold before the
    first test, in a run without a recorder of imports.  Imports are counted in anonymous memory; pages of files are one
    part, and what neither explains another, which is below zero where the recorder itself took more.
    """
    roots = {root.module: root for root in _roots(imports, edges)}
    under = _under(imports)
    below = imports.with_columns(
        root=pl.Series([under[module] for module in imports["module"]], dtype=pl.String)
    )
    last = max(
        (root.order for root in roots.values() if root.part in (Part.CONFTEST, Part.TESTS)), default=None
    )
    rows: list[tuple[Part, str, int, int]] = []
    whole = max(rss_bytes, 1)
    for part in (Part.PYTEST, Part.PLUGIN, Part.CONFTEST, Part.TESTS):
        wanted = {
            root.module
            for root in roots.values()
            if root.part is part and (last is None or root.order <= last)
        }
        mine = below.filter(pl.col("root").is_in(list(wanted)))
        rows += [(part, *row) for row in _grouped(mine, part, whole)]
    anon = anon_bytes if anon_bytes is not None else rss_bytes
    rest = anon - interpreter_bytes - sum(row[-1] for row in rows)
    named = [
        (Part.INTERPRETER, "the interpreter", 0, interpreter_bytes),
        *rows,
        (Part.REST, "collecting tests, and what else is no import", 0, rest),
        (Part.FILES, "pages of files (shared, can be dropped)", 0, rss_bytes - anon),
    ]
    return BASELINE_PARTS.from_columns(
        {
            "part": [str(row[0]) for row in named],
            "name": [row[1] for row in named],
            "n_modules": [row[2] for row in named],
            "bytes": [row[3] for row in named],
        }
    )


def _roots(imports: pl.DataFrame, edges: pl.DataFrame) -> Iterator[_Root]:
    """Each import of the program itself, and by whom it was asked for as far as its name or its place tells."""
    places = {
        imported: PurePath(file)
        for imported, file in edges.filter("first").select("imported", "file").iter_rows()
    }
    tops = list(
        imports.filter(pl.col("importer") == PROGRAM).sort("order").select("module", "order").iter_rows()
    )
    begun = _plugins_end(tops, places)
    named = {
        module: _named(module, places[module].name if order > begun and module in places else "")
        for module, order in tops
    }
    collected = [module for module, part in named.items() if part is not None]
    first = min((order for module, order in tops if named[module]), default=None)
    for module, order in tops:
        part = named[module]
        if part is None and order > begun and any(other.startswith(f"{module}.") for other in collected):
            part = Part.CONFTEST
        elif part is None and (first is None or order < first):
            top = module.partition(".")[0]
            part = Part.PYTEST if top in _OF_PYTEST or top in sys.stdlib_module_names else Part.PLUGIN
        yield _Root(module=module, order=order, part=part)


def _plugins_end(tops: Sequence[tuple[str, int]], places: Mapping[str, PurePath]) -> int:
    """Which import was the last that loaded a plugin, before the first conftest or test module that has a name?

    Whatever began before was no conftest's, even where one has the first statement that asks for it: what is run with
    ``-m`` is loaded by no statement.
    """
    first = min((order for module, order in tops if _named(module, "")), default=math.inf)
    loads = (order for module, order in tops if module in places and _loads_plugins(places[module]))
    return max((order for order in loads if order < first), default=-1)


def _loads_plugins(place: PurePath) -> bool:
    """Is this the file of pytest that imports what ``-p`` names, or that of entry points?"""
    return place.parts[-3:-1] == ("_pytest", "config") or "metadata" in (place.stem, place.parent.name)


def _named(module: str, place: str) -> Part | None:
    """A conftest, a test module, or what one of them imports where it is executed without being imported."""
    last = module.rpartition(".")[2]
    if last == "conftest" or place == "conftest.py":
        return Part.CONFTEST
    is_test = last.startswith("test_") or last.endswith("_test")
    is_of_test = place.endswith("_test.py") or (place.startswith("test_") and place.endswith(".py"))
    return Part.TESTS if is_test or is_of_test else None


def _under(imports: pl.DataFrame) -> Mapping[str, str]:
    """Below which import of the program itself does each module stand?"""
    importers: dict[str, str | None] = dict(imports.select("module", "importer").iter_rows())
    found: dict[str, str] = {}
    for module in importers:
        seen, at = [module], module
        while (above := importers.get(at)) not in (None, PROGRAM) and above not in seen:
            at = str(above)
            seen.append(at)
            if at in found:
                at = found[at]
                break
        found |= dict.fromkeys(seen, at)
    return found


def _grouped(mine: pl.DataFrame, part: Part, whole_bytes: int) -> list[tuple[str, int, int]]:
    """Name, modules and bytes of each package that is worth a row, the largest first, and of the others together."""
    if mine.is_empty():
        return []
    if part is Part.PYTEST or part is Part.TESTS:
        name = "pytest itself" if part is Part.PYTEST else "test modules"
        return [(name, mine.height, int(mine["self_anon_bytes"].sum()))]
    top = pl.col("root" if part is Part.PLUGIN else "module").str.split(".").list.first()
    packages = (
        mine.group_by(package=top)
        .agg(n=pl.len(), bytes=pl.col("self_anon_bytes").sum())
        .sort("bytes", "package", descending=[True, False])
    )
    worth = packages.filter(pl.col("bytes") >= _SMALL * whole_bytes).head(_MOST_PACKAGES)
    rest = packages.filter(~pl.col("package").is_in(worth["package"].to_list()))
    rows = [(f"{package}", n, size) for package, n, size in worth.iter_rows()]
    if rest.height:
        rows.append((OTHERS if rows else str(part), int(rest["n"].sum()), int(rest["bytes"].sum())))
    return rows


def way_to(module: str, edges: pl.DataFrame) -> pl.DataFrame:
    """Over which statements was this module really loaded first?  IMPORT_EDGES, and so is the result, from the top."""
    first = {row["imported"]: row for row in edges.filter("first").iter_rows(named=True)}
    found: list[dict[str, object]] = []
    at, seen = module, {module}
    while at in first and first[at]["importer"] not in seen:
        found.append(first[at])
        at = str(first[at]["importer"])
        seen.add(at)
    return pl.DataFrame(found[::-1], schema=edges.schema)


def other_ways_in(way: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
    """Where else is the package imported that the conftest leads to?  IMPORT_EDGES, and so is the result.

    ``way`` leads from a conftest on: the package is the first module on it that lies outside of the conftest's folder,
    and what imports it within itself does not count.  While there is such a place, taking the conftest's import away
    saves nothing.
    """
    files = way["file"].to_list()
    folder = str(PurePath(files[0]).parent) if files else ""
    at = next((n for n, file in enumerate(files) if n and not file.startswith(f"{folder}/")), None)
    if at is None:
        return edges.clear()
    package = way["imported"][at - 1]
    inside = (pl.col("importer") == package) | pl.col("importer").str.starts_with(f"{package}.")
    is_into = (pl.col("imported") == package) | pl.col("imported").str.starts_with(f"{package}.")
    is_place = ~pl.col("file").str.starts_with("<")
    known = pl.struct("file", "line").is_in(way.select(pl.struct("file", "line")).to_series().implode())
    found = edges.filter(is_into & ~inside & is_place & ~known)
    return found.unique(["file", "line"], maintain_order=True)
