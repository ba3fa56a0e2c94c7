"""What do people call the holders of objects?"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from diagtools.analyse.holders.reach import FINISHED
from diagtools.frames import ObjectGraph

#: How a reference is named that makes its target a variable.
VARIABLES = ("global", "class", "local", "default", "closure", "function", "context", "signal")
#: Kinds of objects that are holders themselves, whoever holds them.
SPECIAL = ("lru_cache", "generator", "coroutine", "task", "thread", "queue", "handler", "exception")
MAIN_THREAD = "MainThread"

#: What asyncio calls a task that the program gave no name: there may be thousands of them.
_NUMBERED_TASK = re.compile(r"^Task-\d+ (?=running )")
_OF_THREADING = " (threading._"

_KIND_OF = {
    "global": "global",
    "class": "class attribute",
    "local": "local",
    "default": "default argument",
    "closure": "closure",
    "function": "function attribute",
    "context": "context variable",
    "signal": "signal handler",
}
_SAID = {
    "lru_cache": "lru_cache",
    "generator": "generator",
    "coroutine": "coroutine",
    "task": "task",
    "thread": "thread",
    "queue": "executor queue",
    "handler": "logging handler",
    "exception": "exception traceback",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A holder in words: ``root`` is its name, ``kind`` what it is."""

    root: str
    kind: str


class Words:
    """The names in a snapshot, by node."""

    def __init__(self, graph: ObjectGraph) -> None:
        self.marks: dict[str, dict[int, tuple[str, str]]] = defaultdict(dict)
        for node, kind, name, detail in graph.marks.iter_rows():
            self.marks[kind][node] = name, detail
        self.variables: dict[int, list[tuple[int | None, str, str]]] = defaultdict(list)
        self.attributes: dict[tuple[int, int], str] = {}
        self.own_dicts: dict[int, int] = {}
        self.class_dicts: set[int] = set()
        self.kept_apart: set[int] = set()
        self._cells: dict[int, int] = {}
        self._names: dict[int, list[Label]] = {}
        self._executors: dict[int, int] = {}
        for owner, target, how, name in graph.names.iter_rows():
            if how in VARIABLES:
                self.variables[target].append((owner, how, name))
                if owner is not None and how == "class":
                    self.class_dicts.add(owner)
                elif owner is not None and how in ("default", "closure", "function"):
                    self.kept_apart.add(owner)
                    self._cells.setdefault(target, owner)
            elif how == "dict":
                self.own_dicts[target] = owner
            if owner is not None and how != "dict":
                self.attributes[owner, target] = name
            if name == "_work_queue" and owner is not None:
                self._executors[target] = owner
        self._owners = self._owner_names(graph)
        self._task_of = self._tasks(graph)
        special = [node for kind in SPECIAL for node in self.marks[kind]]
        #: What may have a name: most objects have none.
        self.known = frozenset([*self.variables, *special, *self._task_of])

    def special(self, node: int) -> Label | None:
        """What it is, where it is a holder of its own; a coroutine that a task runs is the task."""
        node = self._task_of.get(node, node)
        for kind in SPECIAL:
            found = self.marks[kind].get(node)
            if found is not None:
                return Label(root=self._special_name(kind, node, *found), kind=_SAID[kind])
        return None

    def names_of(self, node: int) -> list[Label]:
        """Its names as a variable, each once, those of modules first."""
        if node not in self._names:
            self._names[node] = self._all_names(node)
        return self._names[node]

    def _all_names(self, node: int) -> list[Label]:
        found = {}
        for owner, how, name in self.variables.get(node, ()):
            label = self._variable(owner, how, name)
            if label is not None:
                found[label.root] = label
        order = list(_KIND_OF.values())
        return sorted(
            found.values(),
            key=lambda label: (order.index(label.kind) if label.kind in order else 9, _rank(label)),
        )

    def is_named(self, node: int) -> bool:
        """Has it a name that people know?"""
        return self.special(node) is not None or bool(self.names_of(node))

    def _variable(self, owner: int | None, how: str, name: str) -> Label | None:
        if how == "signal":
            return Label(root=f"handler of the signal {name}", kind=_KIND_OF[how])
        if owner is None:
            return Label(root=name, kind="interpreter")
        if how == "context":
            return Label(root=f"context variable {name}{self._kept_as(owner)}", kind=_KIND_OF[how])
        holder = self._owners.get(owner)
        if holder is None:
            return None
        kind, said, thread = holder
        if kind == "frame":
            if thread == FINISHED:
                return None
            if thread not in ("", MAIN_THREAD):
                return Label(root=f"thread '{thread}': {said}: local {name}", kind="thread")
            return Label(root=f"{said}: local {name}" if name else said, kind="local")
        if how in ("default", "closure"):
            return Label(root=f"{said}: {_KIND_OF[how]} {name}", kind=_KIND_OF[how])
        return Label(root=f"{said}.{name}", kind=_KIND_OF[how])

    def _owner_names(self, graph: ObjectGraph) -> dict[int, tuple[str, str, str]]:
        """Of each node that variables belong to: its kind, its name, its thread."""
        found: dict[int, tuple[str, str, str]] = {}
        for kind in ("module dict", "frame"):
            found.update({node: (kind, name, more) for node, (name, more) in self.marks[kind].items()})
        classes, functions = self.marks["class"], self.marks["function"]
        apart = pl.Series([*self.class_dicts, *self.kept_apart], dtype=pl.Int64)
        edges = graph.edges.filter(pl.col("target").is_in(apart.implode()))
        for source, target in edges.iter_rows():
            if target in self.class_dicts and source in classes:
                found[target] = "class", classes[source][0], ""
            elif target in self.kept_apart and source in functions:
                found[target] = "function", functions[source][0], ""
        cells = {cell: found[owner] for cell, owner in self._cells.items() if owner in found}
        return {**cells, **found}

    def _tasks(self, graph: ObjectGraph) -> dict[int, int]:
        tasks, coroutines = (
            pl.Series(list(self.marks[kind]), dtype=pl.Int64) for kind in ("task", "coroutine")
        )
        of_tasks = graph.edges.filter(pl.col("source").is_in(tasks.implode()))
        return {
            target: source
            for source, target in of_tasks.filter(pl.col("target").is_in(coroutines.implode())).iter_rows()
        }

    def _special_name(self, kind: str, node: int, name: str, detail: str) -> str:
        if kind == "lru_cache":
            return f"{name or self._first_name(node) or '?'}: lru_cache, {detail}"
        if kind == "exception":
            return f"exception {name}{self._held_as(node)}"
        if kind == "queue":
            owner = self._executors.get(node, node)
            return f"executor queue of {name}{self._held_as(self.own_dicts.get(owner, owner))}"
        if kind in ("generator", "coroutine"):
            return f"{kind} {name}{self._held_as(node)}"
        if kind == "task":
            return f"task {_NUMBERED_TASK.sub('', name)}"
        if kind == "handler":
            return f"{_SAID[kind]} {name}"
        held = self._held_as(node)
        return f"{kind} '{name}'{'' if held.startswith(_OF_THREADING) else held}"

    def _held_as(self, node: int) -> str:
        first = self._first_name(node)
        return f" ({first})" if first else ""

    def _kept_as(self, context: int) -> str:
        """Where a context is a variable itself; one that is in another, or in itself, is not."""
        plain = [each for each in self.variables.get(context, ()) if each[1] != "context"]
        found = [label.root for each in plain if (label := self._variable(*each)) is not None]
        return f" ({min(found)})" if found else ""

    def _first_name(self, node: int) -> str:
        names = self.names_of(node)
        return names[0].root if names else ""


@lru_cache(maxsize=2)
def words_of(graph: ObjectGraph) -> Words:
    """The names in this snapshot."""
    return Words(graph)


def _rank(label: Label) -> tuple[bool, int, str]:
    return label.root.startswith("__main__."), len(label.root), label.root


def said_together(labels: Sequence[Label], most: int = 4) -> list[str]:
    """Their names; of many the first few, and how many more."""
    roots = list(dict.fromkeys(label.root for label in labels))
    more = len(roots) - most
    return [*roots[:most], *([f"{more:,} more"] if more > 0 else [])]
