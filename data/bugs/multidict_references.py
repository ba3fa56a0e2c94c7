"""multidict 6.3.1: the headers of many requests, each dropped before the next is read."""

from __future__ import annotations

from multidict import CIMultiDict

REQUESTS = 1_000


def read(number: int) -> None:
    """The headers of one request; nobody keeps them."""
    headers: CIMultiDict[str] = CIMultiDict()
    headers.extend([("Cookie", f"{number} " + "x" * 8_000)])


for number in range(REQUESTS):
    read(number)
