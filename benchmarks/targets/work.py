"""A fixed amount of work that computes and allocates: ``work.py ROUNDS``.

It holds 200 MB throughout, makes and drops small objects, and touches fresh pages in every round.
"""

from __future__ import annotations

import sys

HELD_BYTES = 200_000_000
PAGE = 4096


def one_round() -> int:
    """A few ms of dictionaries, texts and sorting, and 4 MiB of fresh pages."""
    names = {number: str(number * 7919 % 10_007) for number in range(6_000)}
    ordered = sorted(names.values())
    block = bytearray(4 << 20)
    block[::PAGE] = b"x" * len(block[::PAGE])
    return len(ordered) + len(block)


held = b"x" * HELD_BYTES
for _ in range(int(sys.argv[1])):
    one_round()
