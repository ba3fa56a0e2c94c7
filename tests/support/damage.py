"""What becomes of a file that is cut, or of which one bit is turned over: an error, or a number that is right."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

from diagtools.errors import DiagtoolsError
from diagtools.profile import Profile
from tests.support.runs import flipped

CAPTURES = Path(__file__).parents[2] / "data" / "captures"


def cuts(data: bytes, n: int = 80) -> Iterator[bytes]:
    """The file cut at many places, among them its last bytes."""
    places = {len(data) * part // n for part in range(n)} | set(range(max(0, len(data) - 20), len(data)))
    yield from (data[:place] for place in sorted(places))


def flips(data: bytes, first: int = 0, last: int | None = None, n: int = 400) -> Iterator[tuple[int, bytes]]:
    """The file with one bit turned over, at places within a range of it; and which bit that was."""
    chosen = random.Random(7)
    for _ in range(n):
        bit = chosen.randrange(first * 8, (len(data) if last is None else last) * 8)
        yield bit, flipped(data, bit)


def is_digit_for_digit(data: bytes, bit: int) -> bool:
    """Is it a digit that became another?  A file without any check of its own cannot tell."""
    return data[bit // 8 : bit // 8 + 1].isdigit() and flipped(data, bit)[bit // 8 : bit // 8 + 1].isdigit()


def outcome(read: Callable[[Path], Profile], path: Path, data: bytes, whole: Profile) -> str:
    """What does the reader make of it: "refused", "right", "said" (with a doubt that the whole has not), or "WRONG"?"""
    path.write_bytes(data)
    try:
        found = read(path)
    except DiagtoolsError:
        return "refused"
    if (found.total, found.unit, found.view) == (whole.total, whole.unit, whole.view):
        return "right"
    return (
        "said" if found.validity != whole.validity else f"WRONG {found.total} {found.view} for {whole.total}"
    )
