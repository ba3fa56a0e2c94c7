"""Stacks as they come from a file, put together into one tree of calls."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from diagtools import frames
from diagtools.errors import DamagedError
from diagtools.read.fields import clean

#: Deeper than any real program; a hand-made file may hold a stack without an end.
DEEPEST = 20_000
#: Function, file, line.
Place = tuple[str, str, int]
#: Where memory was asked for outside any Python code that the tracker saw.
NO_STACK: Place = ("[no Python stack]", "", 0)

_BITS = 32


class CallTree:
    """Grows by one stack at a time; equal beginnings are stored once."""

    def __init__(self) -> None:
        self._nodes: dict[int, int] = {}
        self._parents: list[int | None] = []
        self._depths: list[int] = []
        self._places: list[int] = []
        self._locations: dict[Place, int] = {}
        self._last: list[Place] = []
        self._path: list[int] = []  # the nodes of the last stack

    def add(self, stack: Iterable[Place]) -> int:
        """Which stack id has this stack (outermost frame first)?  An empty one is ``NO_STACK``."""
        places = list(stack) or [NO_STACK]
        same = _common(self._last, places)
        path = self._path
        del path[same:]
        node = path[-1] if path else -1
        for place in places[same:]:
            node = self.child(node, place)
            path.append(node)
        self._last = places
        return node

    def child(self, parent: int, place: Place) -> int:
        """Which stack id has the stack ``parent`` (-1: the outermost) continued by a frame at this place?"""
        location = self._locations.setdefault(place, len(self._locations))
        key = (parent + 1) << _BITS | location
        node = self._nodes.get(key)
        if node is None:
            node = self._grow(parent, location, key)
        return node

    def _grow(self, parent: int, location: int, key: int) -> int:
        depth = self._depths[parent] + 1 if parent >= 0 else 0
        if depth >= DEEPEST:
            raise DamagedError(f"A stack is deeper than {DEEPEST:,} frames: no program's is.")
        node = self._nodes[key] = len(self._parents)
        self._parents.append(parent if parent >= 0 else None)
        self._depths.append(depth)
        self._places.append(location)
        return node

    def stacks(self) -> pl.DataFrame:
        """The tree as STACKS."""
        return pl.DataFrame(
            {
                "stack_id": range(len(self._parents)),
                "parent_id": self._parents,
                "depth": self._depths,
                "location_id": self._places,
            },
            schema=frames.STACKS.columns,
        )

    def places(self) -> pl.DataFrame:
        """What the ids of the locations stand for: ``location_id``, ``function``, ``file``, ``line``."""
        rows = list(self._locations)
        return pl.DataFrame(
            {
                "location_id": pl.Series(range(len(rows)), dtype=pl.Int64),
                "function": pl.Series([clean(row[0]) for row in rows], dtype=pl.String),
                "file": pl.Series([clean(row[1]) for row in rows], dtype=pl.String),
                "line": pl.Series([row[2] for row in rows], dtype=pl.Int64),
            }
        )


def _common(first: list[Place], second: list[Place]) -> int:
    """How many frames do both begin with?  Found by halving: stacks that follow each other differ at their end."""
    low, high = 0, min(len(first), len(second))
    while low < high:
        middle = (low + high + 1) // 2
        if first[low:middle] == second[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
