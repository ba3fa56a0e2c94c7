"""One program of the held-out sets, and its right answer.

The first set (`variables`, `running`, `containers`, `libraries`) and `second` were written from a list of the ways in
which programs keep objects, before the code that names them was read, and frozen; `third` when the first was mended.
The first figures, on CPython 3.11, and those with the mends that the first set led to:

    first    54 of 68, then 65; on 3.9 and 3.13 52 of 67 (of one program the stated answer was wrong for 3.9)
    second   16 of 16, then 16
    third    13 of 16, with the mends and without them
"""

from __future__ import annotations

from dataclasses import dataclass

BEGINNING = """
import os
def wait():
    probing.snapshot()
    os._exit(0)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A program that calls ``wait()`` where it is to be looked at.

    The first row of HOLDERS must have each of ``right`` in its root, path or those that share it (one of several words
    where a ``|`` stands), and none of ``wrong``.  ``gap`` says why an answer is known to be missed.
    """

    name: str
    program: str
    right: tuple[str, ...]
    wrong: tuple[str, ...] = ()
    gap: str = ""

    def is_right(self, said: str) -> bool:
        """Has what is said all the words it must have?"""
        has_all = all(any(word in said for word in part.split("|")) for part in self.right)
        return has_all and not any(word in said for word in self.wrong)
