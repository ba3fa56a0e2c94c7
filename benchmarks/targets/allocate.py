"""Allocates along many stacks: ``allocate.py RECORDS STACKS``, to be run under a tracker that sees ``malloc``.

Calls go down through a framework of functions, then through one table of branches a level, each on a line of its own:
so many ways, so many stacks.  Along each of them one block stays until the end; all others are dropped a little later,
and are two records each: asked for, freed.
"""

from __future__ import annotations

import sys
from typing import Any

BASE, WIDTH = 20, 10
BLOCK_BYTES = 1_000  # more than what pymalloc hands out of its arenas
PER_VISIT, AT_ONCE = 50, 500

held: list[bytes] = []
passing: list[bytes] = [b""] * AT_ONCE


def keep(key: int, n: int, *, first: bool) -> None:
    """The innermost frame: keeps one block, the first time, and lets others pass."""
    if first:
        held.append(bytes(BLOCK_BYTES + key % 997))
    for number in range(n):
        odd = (
            (key * PER_VISIT + number) * 2_654_435_761 % 2**32
        )  # Knuth's multiplicative hash: no order in it
        passing[odd % AT_ONCE] = bytes(BLOCK_BYTES + odd % 7919)


def source(n_levels: int) -> str:
    """The functions between: ``framework_0`` calls ``framework_1`` and so on, the last one the first table."""
    lines = [
        f"def framework_{number}(*args, **options):\n    framework_{number + 1}(*args, **options)\n"
        for number in range(BASE)
    ]
    for level in range(n_levels):
        below = f"table_{level + 1}[key // {WIDTH**level} % {WIDTH}]" if level + 1 < n_levels else "keep"
        branch = f"    lambda key, n, first: {below}(key, n, first=first),"
        lines.append("\n".join([f"table_{level} = [", *[branch] * WIDTH, "]"]))
    top = f"table_0[key // {WIDTH ** (n_levels - 1)} % {WIDTH}]"
    lines.append(f"def framework_{BASE}(key, n, first):\n    {top}(key, n, first=first)\n")
    return "\n".join(lines)


def main() -> None:
    """Visits all stacks in turn, as often as it takes."""
    n_records, n_stacks = int(sys.argv[1]), int(sys.argv[2])
    names: dict[str, Any] = {"keep": keep}
    exec(compile(source(len(str(n_stacks - 1))), "branches.py", "exec"), names)
    n_visits = max(n_stacks, n_records // (2 * PER_VISIT))
    for visit in range(n_visits):
        names["framework_0"](visit % n_stacks, n_records // (2 * n_visits), first=visit < n_stacks)


main()
