"""Which lines left memory behind, as `tracemalloc` has it?  For an interpreter that has no memray.

It knows what Python's allocators hold, by the files and lines of a stack, without the names of functions.
"""

# No "from __future__": it would be an import of the program.

import os

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from types import ModuleType
    from typing import Any

    Places = tuple[tuple[str, int], ...]

_PROBES = os.path.dirname(os.path.abspath(__file__))
_N_FRAMES = 25
_MOST_ROWS = 40


class Traces:
    """What is held by stack, before some calls and after them; ``words`` is `leak_lines`."""

    def __init__(self, words: "ModuleType") -> None:
        import _tracemalloc

        self._tracer, self._words = _tracemalloc, words
        if not self._tracer.is_tracing():
            self._tracer.start(_N_FRAMES)
        self._before: dict[Places, int] = {}

    def begin(self) -> None:
        """What is held before the calls."""
        self._before = self._held()

    def rows(self) -> "list[tuple[int, str]]":
        """Bytes and stack of what is held now and was not before, the most first."""
        held = self._held()
        grown = [(size - self._before.get(stack, 0), stack) for stack, size in held.items()]
        most = sorted([each for each in grown if each[0] > 0])[: -_MOST_ROWS - 1 : -1]
        return [(size, self._words.words([("", file, line) for file, line in stack])) for size, stack in most]

    def _held(self) -> "dict[Places, int]":
        found: dict[Places, int] = {}
        traces: Any = self._tracer._get_traces()
        for _, size, places, _ in traces:
            stack = self._own(places)
            if stack:
                found[stack] = found.get(stack, 0) + size
        return found

    def _own(self, places: "Places") -> "Places":
        """The frames of the function, innermost first; none for what we have asked for ourselves."""
        for at, (file, _) in enumerate(places):
            if file.startswith(_PROBES):
                return places[:at]
        return places
