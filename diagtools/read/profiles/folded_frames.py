"""How the tools that write folded stacks write one frame: function, file and line in each one's own order."""

from __future__ import annotations

import re
from functools import lru_cache

from diagtools.read.profiles.call_tree import NO_STACK, Place

#: ``main (app.py:12)``, ``mmap64 (libc.so.6)``: py-spy and others.  A name of Python's holds no blank.
_PYTHON_NAME = re.compile(r"[\w.<>$]++ \(")
#: ``app.py:12 (main)``: Fil.
_FIL = re.compile(r"(.*):(\d{1,9}) \((.*)\)", re.DOTALL)
#: ``app.py:main:12``: austin.
_AUSTIN = re.compile(r"(.*?):([^:]*(?:::[^:]+)*):(\d{1,9})", re.DOTALL)
_LINE = re.compile(r"(.*):(\d{1,9})", re.DOTALL)


@lru_cache(maxsize=100_000)
def place_of(frame: str) -> Place:
    """Which place does this frame name?  One in a notation that is not known is a function without a file."""
    if frame.lower() == NO_STACK[0].lower():  # Fil's is written almost as ours
        return NO_STACK
    if frame.endswith(")") and " (" in frame:
        if fil := _FIL.fullmatch(frame):
            return fil[3], fil[1], int(fil[2])
        return _in_brackets(frame)
    if austin := _AUSTIN.fullmatch(frame):
        return (austin[2], austin[1], int(austin[3])) if austin[1] else (frame, "", 0)
    module, found, function = frame.partition("`")
    if found and module and function:
        return function, module, 0
    return frame, "", 0


def _in_brackets(frame: str) -> Place:
    at = frame.index(" (") if _PYTHON_NAME.match(frame) else frame.rindex(" (")
    function, where = frame[:at], frame[at + 2 : -1]
    if numbered := _LINE.fullmatch(where):
        return function, numbered[1], int(numbered[2])
    return function, where, 0
