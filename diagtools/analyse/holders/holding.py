"""Who keeps these objects alive?  Each object belongs to one holder, so that the rows sum to the whole.

The tree of dominators is cut where holders begin: at variables (what a module, a class, a frame, a function's defaults
or its closure refers to by name) and at what is a holder by itself (`words.SPECIAL`).  What several hold together hangs
directly below a source: who they are is found along the references into it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import polars as pl

from diagtools import frames
from diagtools.analyse.holders.cuts import Cuts
from diagtools.analyse.holders.paths import Paths
from diagtools.analyse.holders.reach import GARBAGE, HIDDEN, KNOWN, OURS
from diagtools.analyse.holders.tree import Tree, tree_of
from diagtools.analyse.holders.words import Label, Words, said_together, words_of
from diagtools.frames import ObjectGraph

#: Variables with less than this are summed up, one row a kind.
SMALL_BYTES = 4_096
_N_PATHS = 15
_MOST_OWNERS = 4

UNSEEN = "no visible holder"
TRASH = "garbage: cycles that the collector has not freed yet"
MANY = "many holders"
CODE = "code and modules"
INTERNED = "texts that the interpreter keeps once"
SMALLER = "smaller "
_NEARLY_ALL = 0.9
_LEAST_INTERNED_BYTES = 16_384
#: Nothing that a person would let go of: these rows stand last.
_LAST = (CODE, "interpreter")
_PLURALS = {
    "global": "global variables",
    "class attribute": "class attributes",
    "local": "local variables",
    "default argument": "default arguments",
    "closure": "closures",
    "function attribute": "function attributes",
    "context variable": "context variables",
    "signal handler": "signal handlers",
    "thread": "variables of threads",
    "interpreter": "variables of the interpreter",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Holding:
    """Which holder has each object.

    ``holder_of`` is a number for each object, -1 for what the recording brought; ``labels`` are the holders by number,
    ``tops`` the nodes that each begins at, ``shared_with`` who else holds the same, ``within`` which holder it hangs on
    itself (empty where there is none, or not one).
    """

    tree: Tree
    words: Words
    holder_of: pl.Series
    labels: Sequence[Label]
    tops: Sequence[Sequence[int]]
    shared_with: Sequence[Sequence[str]]
    within: Sequence[str]


def holders(graph: ObjectGraph) -> pl.DataFrame:
    """Who keeps what alive, the largest first?

    The result is HOLDERS.  A holder is a variable, or what people know by a name of its own (a cache, a task, a
    queue); what several hold together is a row of its own, with ``shared_with``.  A holder within another counts
    apart.  What has no such name says why; code and what is small stand last.  The rows sum to what all objects of
    the program take.
    """
    holding = holding_of(graph)
    paths = Paths(graph, holding.tree, holding.words)
    types = graph.types["type"]
    found: list[tuple[object, ...]] = []
    for holder, type_id, n, size in _sums(graph, holding).iter_rows():
        label = holding.labels[holder]
        path = f"{holding.within[holder]} → {label.root}" if holding.within[holder] else label.root
        if len(found) < _N_PATHS and holding.tops[holder]:
            region = (holding.holder_of == holder).arg_true().cast(pl.Int64)
            path += paths.below(region, holding.tops[holder])
        shared = list(holding.shared_with[holder])
        found.append((label.root, label.kind, path, types[type_id], n, size, shared))
    columns = list(zip(*found, strict=True)) or [()] * len(frames.HOLDERS.columns)
    named = zip(frames.HOLDERS.columns, columns, strict=True)
    return frames.HOLDERS.from_columns({name: list(column) for name, column in named})


def _sums(graph: ObjectGraph, holding: Holding) -> pl.DataFrame:
    """Of each holder: the type that most of it is, how many objects, how many bytes."""
    sizes, type_ids = graph.nodes["size_bytes"], graph.nodes["type_id"]
    rows = pl.DataFrame({"holder": holding.holder_of, "size": sizes, "type_id": type_ids})
    of_type = (
        rows.filter(pl.col("holder") >= 0)
        .group_by("holder", "type_id")
        .agg(n=pl.len().cast(pl.Int64), size=pl.col("size").sum())
        .sort("size", "type_id", descending=[True, False])
    )
    sums = of_type.group_by("holder", maintain_order=True).agg(
        pl.col("type_id").first(), pl.col("n", "size").sum()
    )
    is_last = [label.kind in _LAST or label.root.startswith(SMALLER) for label in holding.labels]
    sums = sums.with_columns(is_last=pl.Series(is_last, dtype=pl.Boolean).gather(sums["holder"]))
    return sums.sort("is_last", "size", "holder", descending=[False, True, False]).drop("is_last")


@lru_cache(maxsize=2)
def holding_of(graph: ObjectGraph) -> Holding:
    """Which holder has each object of this snapshot?"""
    tree, words = tree_of(graph), words_of(graph)
    cuts = Cuts(graph, tree, words)
    naming = _Naming(tree, words, cuts, graph)
    of_cut = naming.by_cut()
    code = naming.code()
    cut_of = pl.DataFrame(
        {"cut": cuts.cut_of.head(tree.n_objects), "source": tree.source_of.head(tree.n_objects)}
    )
    numbers = pl.DataFrame([*of_cut.items()], schema={"cut": pl.Int64, "holder": pl.Int64}, orient="row")
    found = cut_of.join(numbers, on="cut", how="left", maintain_order="left")
    is_ours = pl.col("source") == OURS
    found = found.select(holder=pl.when(is_ours).then(-1).otherwise(pl.col("holder").fill_null(code)))
    return Holding(
        tree=tree,
        words=words,
        holder_of=found["holder"].cast(pl.Int64),
        labels=[holder.label for holder in naming.holders],
        tops=[holder.own or holder.loose for holder in naming.holders],
        shared_with=[holder.shared_with for holder in naming.holders],
        within=[holder.hangs_on() for holder in naming.holders],
    )


@dataclass(slots=True, kw_only=True)
class _Holder:
    """One holder: the objects that have its name, and others that it alone leads to."""

    label: Label
    shared_with: list[str]
    own: list[int] = field(default_factory=list)
    loose: list[int] = field(default_factory=list)
    within: Counter[str] = field(default_factory=Counter)

    def hangs_on(self) -> str:
        """Which holder has nearly all that have this name?"""
        (root, n), *_ = [*self.within.most_common(1), ("", 0)]
        return root if n and n >= _NEARLY_ALL * len(self.own) else ""


class _Naming:
    """Finds out who the holders are at which the tree is cut."""

    def __init__(self, tree: Tree, words: Words, cuts: Cuts, graph: ObjectGraph) -> None:
        self.holders: list[_Holder] = []
        self._tree, self._words, self._graph, self._types = tree, words, graph, graph.types["type"]
        self._numbers: dict[tuple[str, ...], int] = {}
        self._shared: dict[tuple[int, ...], int] = {}
        self._owners = cuts.owners()
        self._cut_of = cuts.cut_of
        tops = cuts.tops
        self._source = dict(zip(tops.to_list(), tree.source_of.gather(tops).to_list(), strict=True))
        self._above = dict(zip(tops.to_list(), tree.above.gather(tops).to_list(), strict=True))
        names = graph.types["type"].gather(graph.nodes["type_id"].gather(tops))
        self._type = dict(zip(tops.to_list(), names.to_list(), strict=True))
        self._size = cuts.sizes(graph.nodes["size_bytes"])

    def by_cut(self) -> dict[int, int]:
        """The number of the holder that begins at each cut; what belongs to the code is left out."""
        found = {node: self._holder(node) for node in self._source if self._source[node] != OURS}
        return {node: number for node, number in found.items() if number is not None}

    def code(self) -> int:
        """The number of what belongs to no holder: modules, classes, functions."""
        return self._number(Label(root=CODE, kind=CODE), [])

    def _holder(self, node: int) -> int | None:
        if self._source[node] == GARBAGE:
            return self._number(Label(root=TRASH, kind="garbage"), [], loose=node)
        special, names = None, list[Label]()
        if node in self._words.known:
            special, names = self._words.special(node), self._words.names_of(node)
        if special is not None:
            return self._special(node, special)
        if names and self._size.get(node, 0) < SMALL_BYTES:
            kind = names[0].kind
            return self._number(Label(root=f"{SMALLER}{_PLURALS[kind]}", kind=kind), [])
        owners = tuple(self._owners.get(node, ()))
        if names:
            labels = _without_repeats([*names, *self._labels_of(owners)])
            number = self._number(labels[0], said_together(labels[1:]), own=node)
            self._add_function(number, node, labels[0])
            return number
        known = self._shared.get(owners)
        if known is not None:
            self.holders[known].loose.append(node)
            return known
        return self._first_shared(owners, node)

    def _special(self, node: int, label: Label) -> int:
        number = self._number(label, [], own=node)
        above = self._label_above(node)
        if above is not None and above.root != label.root:
            self.holders[number].within[above.root] += 1
        return number

    def _add_function(self, number: int, node: int, label: Label) -> None:
        """A variable of inner functions hangs on the one that has them all: which of its kind is meant?"""
        function, _ = self._words.marks["function"].get(self._above[node], ("", ""))
        if function and not label.root.startswith(function):
            self.holders[number].within[function] += 1

    def _first_shared(self, owners: tuple[int, ...], node: int) -> int | None:
        """The first of the objects that these hold: a million others may follow, with the same holder."""
        labels = self._labels_of(owners)
        if not labels:
            return self._nameless(node)
        is_many = len(labels) > _MOST_OWNERS
        label = Label(root=MANY, kind="shared") if is_many else labels[0]
        self._shared[owners] = self._number(label, [] if is_many else said_together(labels[1:]), loose=node)
        return self._shared[owners]

    def _nameless(self, node: int) -> int | None:
        """Nothing that has a name refers to it."""
        module, _ = self._words.marks["module"].get(self._above[node], ("", ""))
        if module and self._size.get(node, 0) >= SMALL_BYTES:
            return self._number(Label(root=f"C code of the module {module}", kind="global"), [], own=node)
        if self._source[node] == KNOWN:
            return None
        if self._type[node] == "dict" and self._is_interned(node):
            return self._number(Label(root=INTERNED, kind="interpreter"), [], own=node)
        return self._number(Label(root=f"{UNSEEN}: {self._type[node]}", kind="unseen"), [], loose=node)

    def _is_interned(self, node: int) -> bool:
        """Is it the interpreter's dict of texts that are there once?  Each of them is its own value."""
        if self._size.get(node, 0) < _LEAST_INTERNED_BYTES:
            return False
        held = self._graph.edges.filter(pl.col("source") == node)["target"]
        kinds = self._graph.nodes["type_id"].gather(held.unique())
        return (
            2 * held.n_unique() == len(held) and kinds.n_unique() == 1 and self._types[int(kinds[0])] == "str"
        )

    def _label_above(self, node: int) -> Label | None:
        """Which holder is the nearest on every way to this one?"""
        cut = int(self._cut_of[self._above[node]])
        return self._label_of(cut) if cut in self._source else None

    def _labels_of(self, cuts: tuple[int, ...]) -> list[Label]:
        labels = [label for cut in cuts if (label := self._label_of(cut)) is not None]
        return _without_repeats(sorted(labels, key=lambda label: label.root))

    def _label_of(self, cut: int) -> Label | None:
        special = self._words.special(cut)
        names = [special] if special is not None else self._words.names_of(cut)
        if names:
            return names[0]
        if self._source.get(cut) == HIDDEN:
            return Label(root=UNSEEN, kind="unseen")
        return None

    def _number(
        self, label: Label, shared: Sequence[str], *, own: int | None = None, loose: int | None = None
    ) -> int:
        """The number of this holder; of several nodes with one name, and with the same others, there is one."""
        number = self._numbers.setdefault((label.root, *shared), len(self.holders))
        if number == len(self.holders):
            self.holders.append(_Holder(label=label, shared_with=list(shared)))
        if own is not None:
            self.holders[number].own.append(own)
        if loose is not None:
            self.holders[number].loose.append(loose)
        return number


def _without_repeats(labels: Sequence[Label]) -> list[Label]:
    """Each once, and no thread where one of its variables stands already."""
    roots = {label.root: label for label in labels}
    variables = {
        root[: root.index("': ") + 1] for root in roots if root.startswith("thread '") and "': " in root
    }
    return [
        label
        for root, label in roots.items()
        if root[: root.rfind("'") + 1] not in variables or "': " in root
    ]
