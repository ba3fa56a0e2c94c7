"""Reads the headers of requests, into the case-insensitive dictionary that web frameworks use for them.

Nobody keeps them. The releases of multidict that leak come in overlays.
"""

from collections.abc import Iterable
from itertools import count

from multidict import CIMultiDict

_COOKIE = "x" * 8_000
_NUMBERS = count()


def read(lines: Iterable[tuple[str, str]]) -> CIMultiDict[str]:
    """Which headers are these?"""
    headers: CIMultiDict[str] = CIMultiDict()
    headers.extend(lines)
    return headers


def serve() -> int:
    """How many headers did one more request have?"""
    return len(read([("Cookie", f"{next(_NUMBERS)} {_COOKIE}"), ("Accept", "text/html")]))
