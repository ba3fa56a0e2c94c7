"""Which import statement holds which modules, and who pulled a module in?

Dominators: T. Lengauer and R. Tarjan, "A fast algorithm for finding dominators in a flowgraph", 1979; retained size is
the term of heap analysis: what would be gone if this one thing were not there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from diagtools import frames
from diagtools.analyse.imports import OK, PROGRAM

#: An edge without a statement: a package stands below each of its modules; C code imports without a line of Python.
PACKAGE, NO_LINE = "<package>", "<no line>"

_Site = tuple[str, str, int]  # importer, file, line


def import_edges(
    imports: pl.DataFrame, calls: pl.DataFrame, files: Mapping[str, str] | None = None
) -> pl.DataFrame:
    """Which module is imported by which statement, also where it was there already, or failed?

    ``imports`` is IMPORTS, ``calls`` IMPORT_CALLS of the same program, ``files`` says where modules came from; the
    result is IMPORT_EDGES.  A statement that a function executes belongs to the module that was being initialised;
    where none was (in a thread, or later), to the module of its file.  ``first`` is true for the edge along which the
    module was really loaded.  Each module also leads to its package, and a module to which no statements lead from the
    program is connected with whoever was being initialised: C code imported it.  So all modules have a ``chain``.
    """
    loaded_by = _loaded_by(imports)
    owners: dict[str, str] = {}
    for module, file in (files or {}).items():
        if module in loaded_by and file:
            owners.setdefault(file, module)
    sites: dict[_Site, dict[str, bool]] = defaultdict(dict)
    for call in calls.iter_rows(named=True):
        initialising = call["initialising"] if call["initialising"] in loaded_by else PROGRAM
        importer = initialising if call["initialising"] else owners.get(call["file"], PROGRAM)
        found = sites[importer, call["file"], call["line"]]
        for imported in _targets(call, loaded_by):
            if imported != importer:
                found[imported] = found.get(imported, False) or loaded_by[imported] == initialising
    for module in loaded_by:
        package = module.rpartition(".")[0]
        if package in loaded_by:
            sites[module, PACKAGE, 0][package] = False
    for importer, imported in _without_a_line(loaded_by, sites):
        sites[importer, NO_LINE, 0][imported] = loaded_by[imported] == importer
    rows = [
        (*site, imported, first) for site, found in sites.items() for imported, first in sorted(found.items())
    ]
    return frames.IMPORT_EDGES.from_columns(
        {
            "importer": [row[0] for row in rows],
            "imported": [row[3] for row in rows],
            "file": [row[1] for row in rows],
            "line": [row[2] for row in rows],
            "first": [row[4] for row in rows],
        }
    )


def thread_importers(imports: pl.DataFrame, edges: pl.DataFrame) -> dict[str, str]:
    """Whose statement loaded what a log shows below the program only because a thread's imports have no importer?

    ``imports`` is IMPORTS, ``edges`` IMPORT_EDGES; left out is what statements of several modules may have loaded.
    """
    by_nobody = set(imports.filter(pl.col("importer") == PROGRAM)["module"].to_list())
    found: dict[str, set[str]] = defaultdict(set)
    for importer, imported in edges.filter("first").select("importer", "imported").iter_rows():
        if imported in by_nobody:
            found[imported].add(importer)
    only = {module: next(iter(importers)) for module, importers in found.items() if len(importers) == 1}
    return {module: importer for module, importer in only.items() if importer != PROGRAM}


def statements(imports: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
    """What would be saved if one statement were not there, predicted from who else leads to the same modules?

    ``imports`` is IMPORTS, ``edges`` IMPORT_EDGES; the result is STATEMENTS, the largest retained anonymous memory
    first.  A module is retained by a statement where every chain of imports from the program leads through it
    (dominators), one that failed too: what it left behind is held by whoever tried it.  ``n_modules`` counts those that
    are there.  This is a prediction: what a statement brings may be wanted elsewhere, later.
    """
    imports_of = _sites(edges)
    retained = _held(imports, imports_of)
    rows: list[dict[str, Any]] = [
        {
            "file": site[1],
            "line": site[2],
            "importer": site[0],
            "imports": sorted(found),
            "n_modules": retained[site][0],
            "retained_rss_bytes": retained[site][1],
            "retained_anon_bytes": retained[site][2],
            "retained_wall_s": retained[site][3] / 1e9,
        }
        for site, found in imports_of.items()
        if site in retained and site[1] not in (PACKAGE, NO_LINE)
    ]
    rows.sort(key=lambda row: (-row["retained_anon_bytes"], row["file"], row["line"], row["importer"]))
    return frames.STATEMENTS.from_columns(
        {name: [row[name] for row in rows] for name in frames.STATEMENTS.columns}
    )


def packages_run_along(imports: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
    """Which packages run only because a module in them is wanted, and what do the imports of their files hold?

    ``imports`` is IMPORTS, ``edges`` IMPORT_EDGES; the result is PACKAGES_RUN_ALONG, the largest retained anonymous
    memory first.  ``import a.b`` runs ``a`` before it: all that the file of ``a`` imports is then paid for ``a.b``.
    Retained is what hangs on all statements of that file together, and on nothing else; a prediction.
    """
    imports_of = _sites(edges)
    retained = _held(imports, imports_of)
    wanted = _wanted_in(imports_of, _there(imports))
    lines: dict[tuple[str, str], list[int]] = defaultdict(list)
    for importer, file, line in imports_of:
        if importer in wanted and file.endswith("/__init__.py"):
            lines[importer, file].append(line)
    rows: list[dict[str, Any]] = [
        {
            "package": package,
            "wanted": wanted[package],
            "file": file,
            "lines": sorted(found),
            "n_modules": retained[package, file][0],
            "retained_rss_bytes": retained[package, file][1],
            "retained_anon_bytes": retained[package, file][2],
            "retained_wall_s": retained[package, file][3] / 1e9,
        }
        for (package, file), found in lines.items()
        if (package, file) in retained
    ]
    rows.sort(key=lambda row: (-row["retained_anon_bytes"], row["file"], row["package"]))
    return frames.PACKAGES_RUN_ALONG.from_columns(
        {name: [row[name] for row in rows] for name in frames.PACKAGES_RUN_ALONG.columns}
    )


def _wanted_in(imports_of: Mapping[_Site, Sequence[str]], there: Collection[str]) -> dict[str, str]:
    """Of each package that nobody outside it imports but for a module in it that is there: the first such module."""
    wanted: dict[str, str] = {}
    for_itself: set[str] = set()
    for (importer, file, _), found in imports_of.items():
        for package in () if file in (PACKAGE, NO_LINE) else found:
            if importer != package and not importer.startswith(f"{package}."):
                below = [module for module in found if module in there and module.startswith(f"{package}.")]
                if below:
                    wanted.setdefault(package, max(below, key=len))
                else:
                    for_itself.add(package)
    return {package: module for package, module in wanted.items() if package not in for_itself}


def _sites(edges: pl.DataFrame) -> dict[_Site, list[str]]:
    """Each statement, and what it imports."""
    found: dict[_Site, list[str]] = defaultdict(list)
    for importer, imported, file, line in edges.select("importer", "imported", "file", "line").iter_rows():
        found[importer, file, line].append(imported)
    return found


def _held(imports: pl.DataFrame, imports_of: Mapping[_Site, Sequence[str]]) -> dict[Any, tuple[int, ...]]:
    """The retained costs of each module, each statement, and each file of an importer (its statements together)."""
    import networkx

    graph = networkx.DiGraph()
    for site, found in imports_of.items():
        importer, file, _ = site
        graph.add_edge(importer, (importer, file))
        graph.add_edge((importer, file), site)
        graph.add_edges_from((site, imported) for imported in found)
    if PROGRAM not in graph:
        return {}
    above = {**networkx.immediate_dominators(graph, PROGRAM), PROGRAM: PROGRAM}  # 3.6 leaves the root out
    return _retained(above, _costs(imports))


def chain(edges: pl.DataFrame, module: str) -> pl.DataFrame:
    """Who pulled this module in: the shortest chain of statements from the program to it?

    ``edges`` is IMPORT_EDGES and so is the result, in order; empty where nothing leads to it.
    """
    rows = edges.filter(pl.col("file") != PACKAGE).rows(named=True)
    outgoing: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        outgoing[row["importer"]].append(row)
    came_by: dict[str, dict[str, Any]] = {}
    waiting = [PROGRAM]
    for importer in waiting:  # grows while it is walked: breadth first
        for row in outgoing[importer]:
            if row["imported"] not in came_by and row["imported"] != PROGRAM:
                came_by[row["imported"]] = row
                waiting.append(row["imported"])
    found: list[dict[str, Any]] = []
    while module in came_by:
        found.append(came_by[module])
        module = came_by[module]["importer"]
    names = frames.IMPORT_EDGES.columns
    return frames.IMPORT_EDGES.from_columns({name: [row[name] for row in reversed(found)] for name in names})


def held_modules(edges: pl.DataFrame, places: Iterable[tuple[str, int]]) -> frozenset[str]:
    """Which modules would not be there without the statements at these places (file and line)?

    ``edges`` is IMPORT_EDGES; see ``statements``.
    """
    kept = edges
    for file, line in places:
        kept = kept.filter((pl.col("file") != file) | (pl.col("line") != line))
    return frozenset(_reached(edges) - _reached(kept))


def modules_behind(edges: pl.DataFrame, packages: Sequence[str]) -> frozenset[str]:
    """Which modules would not be there if nobody could import these packages?  Their own, and what only they bring."""
    kept = edges
    for package in packages:
        for end in ("importer", "imported"):
            kept = kept.filter((pl.col(end) != package) & ~pl.col(end).str.starts_with(f"{package}."))
    return frozenset(_reached(edges) - _reached(kept))


def _reached(edges: pl.DataFrame) -> set[str]:
    outgoing: dict[str, list[str]] = defaultdict(list)
    for importer, imported in edges.select("importer", "imported").iter_rows():
        outgoing[importer].append(imported)
    found = {PROGRAM}
    _reach(PROGRAM, outgoing, found)
    return found


def other_ways(held: Collection[str], lazy: pl.DataFrame) -> pl.DataFrame:
    """Who loaded modules that seemed to come only through a statement, when that statement was lazy?

    ``held`` is of ``held_modules``, ``lazy`` IMPORTS of a run in which it was lazy; the result is IMPORT_EDGES, without
    a line: what no statement of Python shows was imported by C code, which asks for cached modules unseen.
    """
    rows = [
        (importer, module)
        for module, importer, status in lazy.select("module", "importer", "status").rows()
        if module in held and status == OK and importer is not None and importer not in held
    ]
    return frames.IMPORT_EDGES.from_columns(
        {
            "importer": [importer for importer, _ in rows],
            "imported": [module for _, module in rows],
            "file": [NO_LINE] * len(rows),
            "line": [0] * len(rows),
            "first": [False] * len(rows),
        }
    )


def _loaded_by(imports: pl.DataFrame) -> dict[str, str]:
    """Who imported each module, the program aside; of one that failed before, who did when it was there."""
    found: dict[str, str] = {}
    for module, importer, status in imports.select("module", "importer", "status").iter_rows():
        if importer is not None and (status == OK or module not in found):
            found[module] = importer
    return found


def _without_a_line(
    loaded_by: Mapping[str, str], sites: Mapping[_Site, Collection[str]]
) -> list[tuple[str, str]]:
    """The edges that are missing for each module to be reached from the program: from who loaded it."""
    outgoing: dict[str, list[str]] = defaultdict(list)
    for (importer, file, _), found in sites.items():
        outgoing[importer] += found if file != PACKAGE else ()
    reached = {PROGRAM}
    _reach(PROGRAM, outgoing, reached)
    missing = []
    for module, importer in loaded_by.items():
        if module not in reached:
            missing.append((importer, module))
            outgoing[importer].append(module)
            if importer in reached:
                _reach(importer, outgoing, reached)
    for module in loaded_by:  # modules of one name may have loaded each other in turn
        if module not in reached:
            missing.append((PROGRAM, module))
            reached.add(module)
            _reach(module, outgoing, reached)
    return missing


def _reach(start: str, outgoing: Mapping[str, Sequence[str]], reached: set[str]) -> None:
    """Add what can be reached from there."""
    waiting = [start]
    for importer in waiting:  # grows while it is walked
        fresh = [module for module in dict.fromkeys(outgoing.get(importer, ())) if module not in reached]
        reached.update(fresh)
        waiting += fresh


def _targets(call: Mapping[str, Any], known: Mapping[str, object]) -> Iterator[str]:
    name = call["module"]
    if call["level"]:
        base = call["package"].split(".")
        base = base[: len(base) - call["level"] + 1]
        name = ".".join([*base, name] if name else base)
    yield from (each for each in _with_packages(name) if each in known)
    yield from (f"{name}.{each}" for each in call["names"] if f"{name}.{each}" in known)


def _with_packages(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.rpartition(".")[0]


def _costs(imports: pl.DataFrame) -> dict[str, tuple[int, ...]]:
    """Is it there, and RSS, anonymous memory and ns of each module, all attempts to import it together."""
    costs: dict[str, tuple[int, ...]] = {}
    names = ("module", "self_rss_bytes", "self_anon_bytes", "self_wall_s")
    for module, rss, anon, wall_s in imports.select(*names).iter_rows():
        costs[module] = _sum(costs.get(module, (0, 0, 0, 0)), (0, rss, anon, round(wall_s * 1e9)))
    for module in _there(imports):
        costs[module] = _sum(costs[module], (1, 0, 0, 0))
    return costs


def _there(imports: pl.DataFrame) -> set[str]:
    """The modules whose import did not only fail; the program is none."""
    found = imports.filter((pl.col("status") == OK) & (pl.col("module") != PROGRAM))
    return set(found["module"].to_list())


def _retained(above: Mapping[Any, Any], costs: Mapping[str, tuple[int, ...]]) -> dict[Any, tuple[int, ...]]:
    """The costs of everything that each node dominates, its own included."""
    found = {node: costs.get(node, (0, 0, 0, 0)) for node in above}
    for node in _from_the_leaves(above):
        if above[node] != node:
            found[above[node]] = _sum(found[above[node]], found[node])
    return found


def _from_the_leaves(above: Mapping[Any, Any]) -> Iterable[Any]:
    depths: dict[Any, int] = {}
    for node in above:
        path = [node]
        while path[-1] not in depths and above[path[-1]] != path[-1]:
            path.append(above[path[-1]])
        depth = depths.setdefault(path.pop(), 0)
        for each in reversed(path):
            depth += 1
            depths[each] = depth
    return sorted(above, key=lambda node: -depths[node])


def _sum(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(a + b for a, b in zip(one, other, strict=True))
