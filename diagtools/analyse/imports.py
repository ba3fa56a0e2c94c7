"""What did each import cost, itself and with all that it brought?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import polars as pl

from diagtools import frames

#: What runs between the imports: the program, or the measured statement.
PROGRAM = "<program>"
OK, FAILED, UNFINISHED = "ok", "failed", "unfinished"

_T = TypeVar("_T")
_MEASURES = ("t_ns", "cpu_ns", "rss_bytes", "anon_bytes")


@dataclass(slots=True, kw_only=True, eq=False)
class _Node:
    order: int
    module: str
    importer: _Node | None
    step: int
    status: str = UNFINISHED
    own: list[int] = field(default_factory=lambda: [0] * len(_MEASURES))
    same: _Node | None = None  # the node that really executed this module, within this one


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel:
    """Imports of several threads at the same time: how this memory divides among these modules is not known.

    ``modules`` are in order of what ``attribute`` gives them of it; last the program, what ran outside of all imports.
    """

    n_threads: int
    modules: tuple[str, ...]
    anon_bytes: int


def attribute(events: pl.DataFrame, thread_importers: Mapping[str, str] | None = None) -> pl.DataFrame:
    """What did each module cost itself, and with all that was imported for it?

    ``events`` is IMPORT_EVENTS of one program; the result is IMPORTS in order of begin, the program itself first.
    What changed between two events belongs to the innermost import of the thread of the later one, so that the
    self costs sum to the change from the first event to the last, exactly, with threads, failures and early exits.
    What changed until the first event of a thread belongs to the last other one that imports: it had nothing open.

    A package that is imported because a module in it is wanted stands before that module, not within it, and an
    import that only found what the package had imported itself meanwhile is that one.

    The outermost imports of a thread belong to the program, or to the module that ``thread_importers`` names.
    """
    root = _Node(order=0, module=PROGRAM, importer=None, step=0, status=OK)
    nodes = [root]
    stacks: dict[int, list[_Node]] = defaultdict(list)
    before: tuple[int, ...] | None = None
    step = 0
    main_tid = events["tid"][0] if events.height else None
    for kind, tid, name, *measured in events.select("kind", "tid", "name", *_MEASURES).iter_rows():
        current = next(reversed(_running(stacks, tid)), root)
        stack = stacks[tid]
        if before is not None:
            _charge(current, measured, before)
        before = tuple(measured)
        if kind == "step":
            step += 1
        elif kind == "begin":
            importer = _importer(stack, name, root)
            if importer is root and tid != main_tid and thread_importers:
                importer = _latest(nodes, thread_importers.get(name, PROGRAM))
            node = _Node(order=len(nodes), module=name, importer=importer, step=step)
            _note_same(stack, node)
            nodes.insert(_place(nodes, stack, node), node)
            stack.append(node)
        elif kind in ("end", "fail") and stack:
            stack.pop().status = OK if kind == "end" else FAILED
    return _frame(_merged(nodes))


def in_parallel(events: pl.DataFrame) -> Parallel | None:
    """Which memory cannot be told apart because several threads had an import open; null where none has.

    ``events`` is IMPORT_EVENTS of one program.  What changes between two events is of one of the threads that import
    then, or of the thread of the later one; it is known only where all of them import the same, or there is but one.
    """
    stacks: dict[int, list[str]] = {}
    given: dict[str, int] = {}
    n_threads = before = 0
    for kind, tid, name, anon in events.select("kind", "tid", "name", "anon_bytes").iter_rows():
        current = next(reversed(_running(stacks, tid)), PROGRAM)
        stack = stacks.setdefault(tid, [])
        n_threads = max(n_threads, sum(map(bool, stacks.values())))
        others = {each[-1] for other, each in stacks.items() if each and other != tid} - {current}
        if others and anon != before:
            given |= {module: given.get(module, 0) for module in (current, *sorted(others))}
            given[current] += anon - before
        before = anon
        if kind == "begin":
            stack.append(name)
        elif kind in ("end", "fail") and stack:
            stack.pop()
    if n_threads < 2 or not given:
        return None
    latest = list(reversed(given))  # of those that were given the same: whoever waits began first
    modules = sorted(latest, key=lambda module: (module == PROGRAM, -given[module]))
    return Parallel(n_threads=n_threads, modules=tuple(modules), anon_bytes=sum(given.values()))


def total(imports: pl.DataFrame) -> dict[str, float]:
    """What did all of it cost together?  ``imports`` is IMPORTS; the keys are its ``self_`` columns without that."""
    names = [name for name in imports.columns if name.startswith("self_")]
    return {name.removeprefix("self_"): float(imports[name].sum()) for name in names}


def by_package(imports: pl.DataFrame) -> pl.DataFrame:
    """What did each top-level package cost itself, its small modules together?

    ``imports`` is IMPORTS; the result is IMPORT_PACKAGES, the dearest first.
    """
    top = pl.col("module").str.split(".").list.first()
    own = [pl.col(f"self_{name}").sum() for name in ("wall_s", "cpu_s", "rss_bytes", "anon_bytes")]
    found = imports.group_by(top.alias("package")).agg(pl.len().cast(pl.Int64).alias("n_modules"), *own)
    return frames.IMPORT_PACKAGES.check(
        found.sort("self_anon_bytes", "self_wall_s", "package", descending=[True, True, False]).select(
            *frames.IMPORT_PACKAGES.columns
        )
    )


def _running(stacks: Mapping[int, list[_T]], tid: int) -> list[_T]:
    """What was being imported until this event of a thread; until its first one by the thread that came before it."""
    others = [stack for stack in stacks.values() if stack]
    return stacks.get(tid, []) if tid in stacks or not others else others[-1]


def _charge(node: _Node, measured: Sequence[int], before: Sequence[int]) -> None:
    for position, (now, then) in enumerate(zip(measured, before, strict=True)):
        node.own[position] += now - then


def _importer(stack: Sequence[_Node], name: str, root: _Node) -> _Node:
    """Whoever wanted it: not the modules of which it is the package, which wait for it."""
    for node in reversed(stack):
        if not node.module.startswith(f"{name}.") and node.module != name:
            return node
    return root


def _latest(nodes: Sequence[_Node], module: str) -> _Node:
    """The last that was begun of this name, or the program."""
    return next((node for node in reversed(nodes) if node.module == module), nodes[0])


def _place(nodes: Sequence[_Node], stack: Sequence[_Node], node: _Node) -> int:
    """Before the module that waits for its package, but always behind who imported it."""
    waiting = next((each for each in stack if each.module.startswith(f"{node.module}.")), None)
    if waiting is None or node.importer is None:
        return len(nodes)
    place = nodes.index(waiting)
    return place if nodes.index(node.importer) < place else len(nodes)


def _note_same(stack: Iterable[_Node], node: _Node) -> None:
    for outer in stack:
        if outer.module == node.module:
            outer.same = node


def _merged(nodes: Sequence[_Node]) -> list[_Node]:
    kept = []
    for node in nodes:
        same = node.same
        if same is None:
            kept.append(node)
            continue
        while same.same is not None:
            same = same.same
        same.own = [one + other for one, other in zip(same.own, node.own, strict=True)]
    return kept


def _frame(nodes: Sequence[_Node]) -> pl.DataFrame:
    totals = {node.order: list(node.own) for node in nodes}
    for node in reversed(nodes):  # an importer begins before what it imports
        importer = _above(node)
        if importer is not None:
            above = totals[importer.order]
            totals[importer.order] = [
                one + other for one, other in zip(above, totals[node.order], strict=True)
            ]
    rows = [_row(order, node, totals[node.order]) for order, node in enumerate(nodes)]
    return frames.IMPORTS.from_columns({name: [row[name] for row in rows] for name in frames.IMPORTS.columns})


def _above(node: _Node) -> _Node | None:
    importer = node.importer
    while importer is not None and importer.same is not None:
        importer = importer.importer
    return importer


def _row(order: int, node: _Node, total: Sequence[int]) -> dict[str, object]:
    importer = _above(node)
    row: dict[str, object] = {
        "order": order,
        "module": node.module,
        "importer": None if importer is None else importer.module,
        "step": node.step,
        "status": node.status,
    }
    for prefix, (t_ns, cpu_ns, rss, anon) in (("self", node.own), ("total", total)):
        row[f"{prefix}_wall_s"] = t_ns / 1e9
        row[f"{prefix}_cpu_s"] = cpu_ns / 1e9
        row[f"{prefix}_rss_bytes"] = rss
        row[f"{prefix}_anon_bytes"] = anon
    return row
