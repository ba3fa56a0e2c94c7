"""At which line does more come to be in use, where no tracker sees who asks for it?

memray does not see a ``malloc`` or ``mmap`` that is called by its address, as ctypes calls those of the C library.  So
the function is called under a trace function, and what the C library and the kernel count is read at every line.  What
is read is asked before and after the tracing itself, so that nothing of ours is in it; what a line takes and another
gives back is in both.
"""

# No "from __future__": it would be an import of the program.

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Callable, Sequence
    from types import CodeType, FrameType
    from typing import Any

    Stack = tuple[tuple[CodeType, int], ...]

#: Between the frames of a stack, innermost first, and between function, file and line of a frame.
FRAMES, FIELDS = "\x1e", "\x1f"

_PROBES = os.path.dirname(os.path.abspath(__file__))
_MOST_STACK = 1800  # letters
_MOST_ROWS = 40


class Lines:
    """What each stack has taken and not given back; ``used`` says what is in use."""

    def __init__(self, used: "Callable[[], int]") -> None:
        self._used = used
        self._net: dict[Stack, int] = {(): 0}
        self._at: Stack = ()
        self._last = 0

    def begin(self) -> None:
        """Trace this thread from here on; what was seen before counts no more, its stacks stay known."""
        for stack in self._net:
            self._net[stack] = 0
        self._at = ()
        self._last = self._used()
        sys.settrace(self._trace)

    def end(self) -> None:
        """Trace no more."""
        sys.settrace(None)

    def rows(self) -> "list[tuple[int, str]]":
        """Bytes and stack of those that took most."""
        taken = [(net, stack) for stack, net in self._net.items() if net > 0 and stack]
        most = sorted(taken, key=lambda each: -each[0])[:_MOST_ROWS]
        return [
            (net, words([(code.co_name, code.co_filename, line) for code, line in stack]))
            for net, stack in most
        ]

    def _trace(self, frame: "FrameType", event: str, _: "Any") -> "Any":
        now = self._used()
        self._net[self._at] = self._net.get(self._at, 0) + now - self._last
        stack = []
        at = frame.f_back if event == "return" else frame
        while at is not None and not at.f_code.co_filename.startswith(_PROBES):
            stack.append((at.f_code, at.f_lineno))
            at = at.f_back
        self._at = tuple(stack)
        self._last = self._used()
        return self._trace


def words(stack: "Sequence[tuple[str, str, int]]") -> str:
    """Function, file and line of each frame, innermost first, as they stand in the log."""
    found = ""
    for function, file, line in stack:
        more = FIELDS.join((function, file, str(line)))
        if len(found) + len(more) > _MOST_STACK:
            break
        found += FRAMES * bool(found) + more
    return found
