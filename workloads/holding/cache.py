"""A cache that fills, request by request: it is bounded, and its bound is too large for what it holds."""

from functools import lru_cache

from diagtools import mark

_ENTRIES = 512
_DAYS = 365


class Rates:
    """The exchange rates of one currency over a year, and the page that they were read from."""

    def __init__(self, currency: str, page: bytes) -> None:
        self.currency = currency
        self.by_day = {f"{currency} {day}": float(day) for day in range(_DAYS)}
        self.page = page


@lru_cache(maxsize=_ENTRIES)
def rates(currency: str, size: int) -> Rates:
    """Which rates has this currency?"""
    return Rates(currency, b"x" * size)


def hold(size: int) -> str:
    """What is held? `size` bytes of pages in a full cache, and the rates beside them."""
    for number in range(_ENTRIES):
        with mark.item(f"request {number}"):
            rates(f"currency {number}", size // _ENTRIES)
    return f"{rates.cache_info().currsize} of {_ENTRIES} entries"
