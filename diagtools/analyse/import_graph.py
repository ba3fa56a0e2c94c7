"""Which import statement holds which modules, and who pulled a module in?

Dominators: T. Lengauer and R. Tarjan, "A fast algorithm for finding dominators in a flowgraph", 1979; retained size is
the term of heap analysis: what would be gone if this one thing were not there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import polars as pl

from diagtools import frames
from diagtools.analyse.imports import OK, PROGRAM

#: An edge without a statement: a package stands below each of its modules; C code imports without a line of Python.
PACKAGE, NO_LINE = "<package>", "<no line>"

_Site = tuple[str, str, int]  # importer, file, line


def import_edges(imports: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Which module is imported by which statement, also where it was there already?

    ``imports`` is IMPORTS, ``calls`` IMPORT_CALLS of the same program; the result is IMPORT_EDGES.  A statement that a
    function executes belongs to the module that was being initialised.  ``first`` is true for the edge along which the
    module was really loaded.  Each module also leads to its package, and a module to which no statement leads is
    connected with whoever was being initialised: C code imported it.
    """
    standing = _standing(imports)
    importers = dict(imports.select("module", "importer").rows())
    known = {
        module: standing.get(importers[module] or "", PROGRAM)
        for module, other in standing.items()
        if module == other
    }
    sites: dict[_Site, set[str]] = defaultdict(set)
    for call in calls.iter_rows(named=True):
        importer = standing.get(call["initialising"], PROGRAM)
        for imported in _targets(call, known):
            if imported != importer:
                sites[importer, call["file"], call["line"]].add(imported)
    for module in known:
        package = module.rpartition(".")[0]
        if package in known:
            sites[module, PACKAGE, 0].add(package)
    reached = {imported for imported_here in sites.values() for imported in imported_here}
    for module, loaded_by in known.items():
        if module not in reached and module != PROGRAM:
            sites[loaded_by, NO_LINE, 0].add(module)
    rows = [(*site, imported) for site, found in sites.items() for imported in sorted(found)]
    return frames.IMPORT_EDGES.from_columns(
        {
            "importer": [row[0] for row in rows],
            "imported": [row[3] for row in rows],
            "file": [row[1] for row in rows],
            "line": [row[2] for row in rows],
            "first": [known.get(row[3]) == row[0] for row in rows],
        }
    )


def statements(imports: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
    """What would be saved if one statement were not there, predicted from who else leads to the same modules?

    ``imports`` is IMPORTS, ``edges`` IMPORT_EDGES; the result is STATEMENTS, the largest retained anonymous memory
    first.  A module is retained by a statement where every chain of imports from the program leads through it
    (dominators).  This is a prediction: what a statement brings may be wanted elsewhere, later.
    """
    import networkx

    graph = networkx.DiGraph()
    imports_of: dict[_Site, list[str]] = defaultdict(list)
    for importer, imported, file, line in edges.select("importer", "imported", "file", "line").iter_rows():
        site = (importer, file, line)
        imports_of[site].append(imported)
        graph.add_edge(importer, site)
        graph.add_edge(site, imported)
    if PROGRAM not in graph:
        return frames.STATEMENTS.empty()
    above = {**networkx.immediate_dominators(graph, PROGRAM), PROGRAM: PROGRAM}  # 3.6 leaves the root out
    retained = _retained(above, _costs(imports))
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


def _standing(imports: pl.DataFrame) -> dict[str, str]:
    """Which module that is there stands for each one: itself, or, of one that failed, who wanted it."""
    rows = {
        module: (importer, status)
        for module, importer, status in imports.select("module", "importer", "status").rows()
    }
    found = {}
    for module in rows:
        standing = module
        while rows[standing][1] != OK and rows[standing][0] is not None:
            standing = rows[standing][0]
        found[module] = standing
    return found


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
    """Number of modules, RSS, anonymous memory and ns of each module; a failed one is charged to who wanted it."""
    standing = _standing(imports)
    costs: dict[str, tuple[int, ...]] = {}
    names = ("module", "self_rss_bytes", "self_anon_bytes", "self_wall_s")
    for module, rss, anon, wall_s in imports.select(*names).rows():
        charged = standing[module]
        mine = (int(charged == module), rss, anon, round(wall_s * 1e9))
        costs[charged] = _sum(costs.get(charged, (0, 0, 0, 0)), mine)
    costs[PROGRAM] = _sum(costs.get(PROGRAM, (0, 0, 0, 0)), (-1, 0, 0, 0))  # it is no module
    return costs


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
