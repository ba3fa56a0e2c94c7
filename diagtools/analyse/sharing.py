"""Who is charged with a change of memory when several items of one process are in flight?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from diagtools.analyse.levels import Levels
from diagtools.analyse.spans import Span


def shared_out(items: Sequence[Span], process: Levels) -> list[int]:
    """How much memory did each of these items of one process keep?

    Between two neighbouring begins or ends, the change of RSS goes in equal parts to the items in flight.
    Of items nested in one thread only the innermost is in flight in this sense, so an outer item keeps what
    it did itself.  Tasks that take turns in one thread are not nested, as far as it is known in whose context
    each item began.
    The result is in the order of ``items``: integers that sum to the change of RSS while any was in flight.
    """
    parts = [0] * len(items)
    times = sorted({time for item in items for time in (item.begin_s, item.end_s)})
    levels = [process.at(time) for time in times]
    running = _Running(items)
    for time, before, after in zip(times, levels, levels[1:], strict=False):
        running.move_to(time)
        if after != before:
            _add_evenly(parts, running.innermost(), after - before)
    return parts


def _add_evenly(parts: list[int], members: Sequence[int], change: int) -> None:
    """Adds integers that differ by at most one and sum to ``change``; to nobody where there is no member."""
    if members:
        share, rest = divmod(change, len(members))
        for position, member in enumerate(members):
            parts[member] += share + (position < rest)


class _Running:
    """Which items are in flight while time moves on, and which of them hold no other item of their thread?"""

    def __init__(self, items: Sequence[Span]) -> None:
        self._items = items
        self._outer: dict[int, list[int]] = {}
        self._n_inner: dict[int, int] = {}
        self._by_thread: dict[int, list[int]] = defaultdict(list)
        self._position = {item.index: i for i, item in enumerate(items)}
        self._begins: dict[float, list[int]] = defaultdict(list)
        self._ends: dict[float, list[int]] = defaultdict(list)
        for i, item in enumerate(items):
            if item.end_s > item.begin_s:
                self._begins[item.begin_s].append(i)
                self._ends[item.end_s].append(i)

    def move_to(self, time: float) -> None:
        """Ends what ends at this time, then begins what begins, the longest first: it is the outer one."""
        for i in self._ends[time]:
            self._end(i)
        for i in sorted(self._begins[time], key=lambda i: -self._items[i].end_s):
            self._begin(i)

    def innermost(self) -> list[int]:
        """Which items are charged with what happens now, in their given order?"""
        return sorted(i for i, n_inner in self._n_inner.items() if n_inner == 0)

    def _begin(self, i: int) -> None:
        item = self._items[i]
        thread = self._by_thread[item.tid]
        within = self._contexts(i)
        self._outer[i] = [
            other
            for other in thread
            if self._items[other].end_s >= item.end_s and (within is None or other in within)
        ]
        for other in self._outer[i]:
            self._n_inner[other] += 1
        self._n_inner[i] = 0
        thread.append(i)

    def _contexts(self, i: int) -> set[int] | None:
        """In the contexts of which items did this one begin?  Null where that is not known to the outermost."""
        found: set[int] = set()
        position: int | None = i
        while position is not None and position not in found:
            found.add(position)
            parent = self._items[position].parent
            if parent is None:
                return None
            position = self._position.get(parent)
        return found

    def _end(self, i: int) -> None:
        del self._n_inner[i]
        self._by_thread[self._items[i].tid].remove(i)
        for other in self._outer.pop(i):
            if other in self._n_inner:
                self._n_inner[other] -= 1
