"""The nodes of memray's flamegraphs: a tree that is checked before anything follows its indexes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from diagtools.errors import DamagedError
from diagtools.read.profiles import export_json
from diagtools.read.profiles.call_tree import DEEPEST, NO_STACK, CallTree, Place
from diagtools.read.profiles.export_file import check_stack
from diagtools.read.profiles.memray_page import Page, plain
from diagtools.values import State, Validity

#: All frames of all stacks of an inverted report, which has to be walked stack by stack.
_MOST_STEPS = 20_000_000
_TOO_DEEP: Place = ("<STACK TOO DEEP>", "...", 0)
_TOO_DEEP_FUNCTION = "..."
_MERGED = "merged thread"


@dataclass(slots=True)
class Nodes:
    """Nodes by their index: each one's parent (-1 for the root), place, and thread (empty where they are merged)."""

    parents: list[int]
    places: list[Place]
    threads: list[str]
    n_too_deep: int = 0
    _depths: list[int] = field(default_factory=list)

    def stacks_in(self, tree: CallTree, used: Sequence[bool], *, is_inverted: bool) -> list[int]:
        """Which stack of the tree ends in each node?  Of nodes that are not used, of an inverted report, -1."""
        if is_inverted:
            return _turned(self, tree, used)
        found = [-1]
        for parent, place in zip(self.parents[1:], self.places[1:], strict=True):
            found.append(check_stack(tree.child(found[parent], place)))
        if used[0]:
            found[0] = tree.add((NO_STACK,))
        return found

    def validity(self) -> tuple[Validity, ...]:
        """Which stacks did memray cut?"""
        if not self.n_too_deep:
            return ()
        note = f"{self.n_too_deep} stacks were deeper than memray shows, and are cut there"
        return (Validity(what="stacks", state=State.TRUNCATED, note=note),)


def nodes_of(page: Page) -> Nodes:
    """Which nodes has this report?  Raises ``DamagedError`` where they are no tree."""
    what = f"The nodes of '{page.name}'"
    raw = export_json.member(page.data, "nodes", what)
    strings = export_json.texts(
        export_json.member(page.data, "strings", what), f"The strings of '{page.name}'"
    )
    columns = {
        name: export_json.wholes(export_json.member(raw, name, what), f"{what}: {name}", below=len(strings))
        for name in ("function", "filename", "thread_id")
    }
    lines = export_json.wholes(export_json.member(raw, "lineno", what), f"{what}: lineno", below=1 << 31)
    children = export_json.listed(export_json.member(raw, "children", what), what)
    export_json.same_length(what, lines, children, *columns.values())
    if not lines:
        raise DamagedError(f"{what} are none: a report has at least its root.")
    clean = [plain(text) for text in strings]
    places = _places(columns["function"], columns["filename"], lines, clean)
    return Nodes(
        parents=_parents(children, what),
        places=places,
        threads=_threads(columns["thread_id"], strings, merged=page.merge_threads),
        n_too_deep=places.count(_TOO_DEEP),
    )


def _places(
    functions: Sequence[int], files: Sequence[int], lines: Sequence[int], strings: Sequence[str]
) -> list[Place]:
    places = [
        (strings[function], strings[file], line)
        for function, file, line in zip(functions, files, lines, strict=True)
    ]
    too_deep = (_TOO_DEEP_FUNCTION, "...", 0)
    return [_TOO_DEEP if place == too_deep else place for place in places]


def _threads(indexes: Sequence[int], strings: Sequence[str], *, merged: bool) -> list[str]:
    if merged:  # what name is left then is that of one of them
        return [""] * len(indexes)
    return ["" if strings[index] == _MERGED else strings[index] for index in indexes]


def _parents(children: list[object], what: str) -> list[int]:
    """Each node's parent.  memray numbers a node after its parent, so a number that is not larger closes a circle."""
    n = len(children)
    parents = [-1] * n
    for parent, below in enumerate(children):
        for child in export_json.wholes(below, what, below=n):
            if child <= parent or parents[child] >= 0:
                raise DamagedError(f"{what} are no tree: node {child} stands below two, or above itself.")
            parents[child] = parent
    if n_lost := parents.count(-1) - 1:
        raise DamagedError(f"{what} are no tree: {n_lost} of {n} hang nowhere.")
    return parents


def _turned(nodes: Nodes, tree: CallTree, used: Sequence[bool]) -> list[int]:
    """A path of an inverted report begins with the innermost frame: read from its end, it is a stack."""
    found = [-1] * len(nodes.parents)
    n_steps = 0
    for node, is_used in enumerate(used):
        if not is_used:
            continue
        path, at = [], node
        while at > 0:
            path.append(nodes.places[at])
            at = nodes.parents[at]
        n_steps += len(path)
        if n_steps > _MOST_STEPS or len(path) > DEEPEST:
            raise DamagedError("The report holds more and deeper stacks than any program has.")
        found[node] = check_stack(tree.add(path))
    return found
