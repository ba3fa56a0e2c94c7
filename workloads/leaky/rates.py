"""Converts prices, with the rates of the last five thousand customers at hand."""

from functools import lru_cache
from itertools import count

_CUSTOMERS = 5_000
_CURRENCIES = 120
_NUMBERS = count()


@lru_cache(maxsize=_CUSTOMERS)
def rates(customer: int) -> dict[str, float]:
    """Which rates has this customer?"""
    return {f"{customer}-{number}": number / 7 for number in range(_CURRENCIES)}


def serve() -> float:
    """What does one more request, of a customer who has not asked before, pay in all?"""
    return sum(rates(next(_NUMBERS)).values())
