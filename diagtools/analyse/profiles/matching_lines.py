"""Which line of a file is which of another, where nothing but the lines' order is known?

Where a capture names no functions (tracemalloc), an edit in the middle of a file moves the lines below it and not those
above: the shift changes along the file.  Of all ways to pair lines in their order that one is taken which has the most
pairs less the number of changes of the shift, which begins at 0; then that with the most pairs, with the most lines
where they were, and with the smallest shifts.  A lone pair of a shift of its own proves nothing, and is none of them.
What then is left between two paired neighbours is paired in its order where both sides have as many lines.

The longest chain is found by dynamic programming over all pairs, as differences of texts are (Needleman and Wunsch
1970), with a price for each change of the shift.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

Pair = tuple[int, int]
#: A pair, and the chain before it.
_Chain = tuple[Pair, "_Chain"] | None

_CHANGE = 1  # pairs that a change of the shift has to gain at least
#: How good a chain is, as one number: pairs less changes, then pairs, then those that stayed, then small shifts.
_STAYED = 1 << 64
_PAIR = _STAYED << 32
_SCORE = _PAIR << 32


def aligned(before: Sequence[int], after: Sequence[int]) -> list[Pair]:
    """Which lines are the same?  Both in ascending order; with the sides exchanged the same pairs come out."""
    old, new = list(before), list(after)
    if new < old:
        return [(left, right) for right, left in aligned(new, old)]
    stayed = sorted(set(old) & set(new))
    if len(stayed) == min(len(old), len(new)):
        return [(line, line) for line in stayed]
    return list(_filled(old, new, _longest(old, new)))


def _longest(old: Sequence[int], new: Sequence[int]) -> list[Pair]:
    """The best chain.  ``row`` has the best of all pairs before a place of ``new``, ``last`` the best of each shift.

    A pair that begins a shift is in ``last`` alone until another one follows it.
    """
    last: dict[int, tuple[int, _Chain]] = {0: (0, None)}
    row: list[tuple[int, _Chain]] = [(0, None)] * (len(new) + 1)
    for line in old:
        above, row = row, row[:1]
        for place, other in enumerate(new):
            shift = other - line
            gain = _SCORE + _PAIR - abs(shift) + (0 if shift else _STAYED)
            worth, chain = above[place]
            begun = (worth + gain - _CHANGE * _SCORE, ((line, other), chain))
            best = row[place] if row[place][0] >= above[place + 1][0] else above[place + 1]
            same = last.get(shift)
            if same is not None:
                together = (
                    same[0] + gain,
                    ((line, other), same[1]),
                )  # more than it was, for a gain is above 0
                if together[0] > best[0]:
                    best = together
                if together[0] >= begun[0]:
                    begun = together
            if shift == 0 and begun[0] > best[0]:
                best = begun
            last[shift] = begun
            row.append(best)
    return _pairs(row[-1][1])


def _pairs(chain: _Chain) -> list[Pair]:
    pairs = []
    while chain is not None:
        pair, chain = chain
        pairs.append(pair)
    return pairs[::-1]


def _filled(old: Sequence[int], new: Sequence[int], pairs: Sequence[Pair]) -> Iterator[Pair]:
    """The pairs, and the lines between two of them, or at an end, where both sides have as many."""
    begin_old = begin_new = 0
    for pair in (*pairs, None):
        end_old, end_new = (len(old), len(new)) if pair is None else (old.index(pair[0]), new.index(pair[1]))
        if end_old - begin_old == end_new - begin_new:
            yield from zip(old[begin_old:end_old], new[begin_new:end_new], strict=True)
        if pair is not None:
            yield pair
            begin_old, begin_new = end_old + 1, end_new + 1
