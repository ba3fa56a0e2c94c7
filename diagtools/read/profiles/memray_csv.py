"""``memray transform csv``: one row a stack and allocator, the innermost frame first.

The table has neither a count of its rows nor a checksum: a row that is cut is noticed, rows that are missing are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from diagtools.errors import DamagedError, UsageError
from diagtools.profile import Profile, Source, Unit, View
from diagtools.read.profiles.assemble import Gathered
from diagtools.read.profiles.call_tree import Place
from diagtools.read.profiles.export_file import LARGEST, check_stack, check_sums, content_of
from diagtools.values import State, Validity

HEADER = "allocator,num_allocations,size,tid,thread_name,stack_trace"

_FIELD = r'("[^"]*+(?:""[^"]*+)*+"|[^",\r\n]*+)'
_ROW = re.compile(rf"([A-Z][A-Z_]*+),(\d{{1,19}}+),(\d{{1,19}}+),(-?\d{{1,20}}+),{_FIELD},{_FIELD}\r?\n")
_UNMARKED = Validity(
    what="view",
    state=State.SKIPPED,
    note="the file does not say which allocations it holds: taken as those of the peak; pass view= to say so",
)


def read_memray_csv(path: Path, *, view: View | None = None) -> Profile:
    """What does a table of ``memray transform csv`` say?

    ``view`` is what was asked of memray (``--leaks``: LEAKED); the file does not tell.  Raises ``DamagedError`` for a
    row that is not whole.
    """
    text = content_of(path).decode("utf-8", "replace")
    gathered = Gathered()
    for allocator, n, size, stack in _rows(text, path.name):
        gathered.add_to(check_stack(gathered.tree.add(stack)), size, n=n, allocator=allocator.lower())
    return check_sums(gathered).profile(
        name=path.name,
        source=Source.MEMRAY_CSV,
        view=view or View.PEAK,
        unit=Unit.BYTES,
        validity=() if view else (_UNMARKED,),
    )


def stack_of(text: str) -> list[Place]:
    r"""Which stack (outermost first) is ``function;file;line|…``?  A name may hold a ``|``: that of ``operator|``."""
    places: list[Place] = []
    held = ""
    for piece in text.split("|") if text else ():
        held = f"{held}|{piece}" if held else piece
        named, _, line = held.rpartition(";")
        function, found, file = named.rpartition(";")
        if found and line.isascii() and line.isdigit() and len(line) <= 9:
            places.append((function, file, int(line)))
            held = ""
    if held:
        raise DamagedError(f"No place in the code is named by {held[:80]!r}.")
    return places[::-1]


def _rows(text: str, name: str) -> Iterator[tuple[str, int, int, list[Place]]]:
    """Rows of allocator, count, size, stack.  Threads are left out: memray merges them before it writes this table."""
    first, _, _ = text.partition("\n")
    if first.rstrip("\r") != HEADER:
        raise UsageError(f"'{name}' is not a table of memray.", hint="memray transform csv CAPTURE")
    at, n_rows = len(first) + 1, 1
    while at < len(text):
        row = _ROW.match(text, at)
        n_rows += 1
        if row is None or max(int(row[2]), int(row[3])) > LARGEST or (int(row[3]) and not int(row[2])):
            raise DamagedError(
                f"Row {n_rows:,} of '{name}' is not whole: {text[at : at + 60]!r}.",
                hint="write it again: memray transform csv -f CAPTURE",
            )
        yield row[1], int(row[2]), int(row[3]), stack_of(_unquoted(row[6]))
        at = row.end()


def _unquoted(field: str) -> str:
    return field[1:-1].replace('""', '"') if field.startswith('"') else field
