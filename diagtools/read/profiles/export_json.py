"""JSON that somebody else wrote: bounded, and every value of it checked before it is used."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from diagtools.errors import DamagedError
from diagtools.read.profiles.export_file import LARGEST

#: A list or an object costs twenty times its two bytes of text.
_MOST_BRACKETS = 16_000_000
_LONGEST_NUMBER = 400
_LARGEST_EXPONENT = 400


def parsed(text: bytes, what: str) -> Any:
    """Which value does this text stand for?  Numbers with a point are ``Decimal``; raises ``DamagedError``."""
    if text.count(b"[") + text.count(b"{") > _MOST_BRACKETS:
        raise DamagedError(f"{what} holds more than {_MOST_BRACKETS:,} lists: no report does.")
    try:
        return json.loads(text.decode("utf-8"), parse_float=_decimal, parse_constant=_constant)
    except RecursionError as error:
        raise DamagedError(f"{what} is nested deeper than any report.") from error
    except ValueError as error:  # also not UTF-8, and numbers of thousands of digits
        raise DamagedError(
            f"{what} is cut off or changed: {error}.", hint="export it again and copy it whole."
        ) from error


def _decimal(text: str) -> Decimal:
    try:
        value = Decimal(text) if len(text) <= _LONGEST_NUMBER else None
    except InvalidOperation:  # an exponent of more digits than it can hold
        value = None
    if value is None or abs(value.adjusted()) > _LARGEST_EXPONENT:
        raise ValueError(f"{text[:20]} is no measured number")
    return value


def _constant(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def member(value: Any, name: str, what: str) -> Any:
    """What does the object ``value`` hold under this name?  ``None`` for nothing; raises ``DamagedError``."""
    if not isinstance(value, dict):
        raise DamagedError(f"{what} is not an object.")
    return value.get(name)


def listed(value: Any, what: str) -> list[Any]:
    """The same value, if it is a list."""
    if not isinstance(value, list):
        raise DamagedError(f"{what} is not a list.")
    return value


def text(value: Any, what: str) -> str:
    """The same value, if it is a text; halves of surrogate pairs are replaced."""
    if not isinstance(value, str):
        raise DamagedError(f"{what} is not a text.")
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def whole(value: Any, what: str, *, below: int = LARGEST + 1) -> int:
    """The same value, if it is a whole number that is not negative and smaller than ``below``."""
    if type(value) is not int or not 0 <= value < below:
        raise DamagedError(f"{what} is not a whole number from 0 to {below - 1}.")
    return value


def wholes(values: Any, what: str, *, below: int = LARGEST + 1) -> list[int]:
    """The same list, if it holds nothing but such whole numbers."""
    found = listed(values, what)
    for value in found:
        if type(value) is not int or not 0 <= value < below:
            raise DamagedError(f"{what}: not every one is a whole number from 0 to {below - 1}.")
    return found


def texts(values: Any, what: str) -> list[str]:
    """The same list, if it holds nothing but texts."""
    return [text(value, what) for value in listed(values, what)]


def same_length(what: str, *columns: Sequence[object]) -> None:
    """Raises ``DamagedError`` where the columns of one table are not equally long."""
    if len({len(column) for column in columns}) > 1:
        raise DamagedError(f"{what} are not equally many: {[len(column) for column in columns]}.")
