"""Which parts of a tree of folders hold most?"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

import polars as pl

from diagtools.analyse.corpus_totals import summed

#: A folder with less of the whole is no row of its own.
_LEAST_SHARE = 0.01
#: The row of what lies in no folder that has a row.
OTHERS = "others"
ALL = "all files"


def branches(folders: pl.DataFrame, n: int = 12, by: str = "n_chunks") -> pl.DataFrame:
    """Which parts of the tree hold most of ``by``?  At most ``n`` rows that sum to the whole.

    CORPUS_TOTALS by folder in and out.  Again and again the heaviest row gives its heaviest folder a row of its own:
    the row ``a/b`` has all below that folder, ``a/b/…`` all but the folders that have rows themselves, and ``others``
    what is in none.
    """
    tree = _Tree()
    for key, weight in folders.select("key", by).iter_rows():
        tree.add(key, weight)
    tree.part(n)
    rows = [tree.row_of(key) for key in folders["key"]]
    return summed(folders.with_columns(key=pl.Series(rows, dtype=pl.String)))


@dataclass(slots=True)
class _Tree:
    """Folders by name, the root is the empty one: what each holds with all below it, and which have rows."""

    weights: dict[str, int] = field(default_factory=lambda: {"": 0})
    children: dict[str, list[str]] = field(default_factory=dict)
    rests: dict[str, int] = field(default_factory=dict)

    def add(self, key: str, weight: int) -> None:
        """Adds a folder and what is in it directly."""
        for name in _from_root(key):
            if name not in self.weights:
                self.weights[name] = 0
                self.children.setdefault(name.rpartition("/")[0], []).append(name)
            self.weights[name] += weight

    def part(self, n: int) -> None:
        """Gives rows to the folders that hold most."""
        for names in self.children.values():
            names.sort(key=lambda name: (-self.weights[name], name), reverse=True)  # the heaviest last
        whole = self.weights[""]
        self.rests[""] = whole
        heap = [(-whole, "")]
        while heap and sum(rest > 0 for rest in self.rests.values()) < n:
            _, name = heapq.heappop(heap)
            left = self.children.get(name, [])
            if not left or self.weights[left[-1]] < max(_LEAST_SHARE * whole, 1):
                continue
            child = left.pop()
            self.rests[child] = self.weights[child]
            self.rests[name] -= self.weights[child]
            for changed in (name, child):
                heapq.heappush(heap, (-self.rests[changed], changed))

    def row_of(self, key: str) -> str:
        """In which row does this folder count?"""
        name = next(place for place in reversed(_from_root(key)) if place in self.rests)
        if not name:
            return ALL if len(self.rests) == 1 else OTHERS
        return name if self.rests[name] == self.weights[name] else f"{name}/…"


def _from_root(key: str) -> list[str]:
    """The folders from the root down to this one."""
    names = [] if key == "." else key.split("/")
    return ["", *("/".join(names[: depth + 1]) for depth in range(len(names)))]
