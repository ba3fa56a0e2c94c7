"""Bytes and seconds as people write them, and back.

``MB`` is 10⁶ bytes and ``MiB`` is 2²⁰; a size without a unit is refused, because ``--limit 400``
has meant bytes, kilobytes and megabytes to different tools.
"""

from __future__ import annotations

import re

from diagtools.errors import UsageError

_BYTES_PER = {
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}
#: What to do about a limit that is none.
SIZE_HINT = "a limit is a size above zero such as 2GiB."
_SECONDS_PER = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_QUANTITY = re.compile(r"\s*([-−]?)([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([A-Za-z]*)\s*")


def parse_bytes(text: str) -> int:
    """How many bytes does ``"400 MB"`` or ``"2GiB"`` mean?

    Raises ``UsageError`` for a missing or unknown unit and for anything that is not a positive size.
    """
    number, unit = _quantity(text, "size", "'400 MB' or '2 GiB'")
    if unit not in _BYTES_PER:
        raise _bad_unit(text, unit, "size", ["B", "KB", "MB", "GB", "KiB", "MiB", "GiB"])
    size = round(number * _BYTES_PER[unit])
    if size <= 0:
        raise UsageError(f"The size {text!r} is not above zero.", hint=SIZE_HINT)
    return size


def parse_seconds(text: str) -> float:
    """How many seconds does ``"90 s"``, ``"1.5 min"`` or ``"3d"`` mean?  Raises ``UsageError``."""
    number, unit = _quantity(text, "duration", "'90 s', '5 min' or '30 d'")
    if unit not in _SECONDS_PER:
        raise _bad_unit(text, unit, "duration", list(_SECONDS_PER))
    if number < 0:
        raise UsageError(f"The duration {text!r} is below zero.", hint="write '90 s', '5 min' or '30 d'.")
    return number * _SECONDS_PER[unit]


def format_bytes(n_bytes: int | float) -> str:
    """How does a person read this many bytes?  Binary units, three significant digits: ``1.95 GiB``."""
    sign = "−" if n_bytes < 0 else ""
    size = abs(float(n_bytes))
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if size < 999.5 or unit == "TiB":
            break
        size /= 1024
    if unit == "B":
        return f"{sign}{size:.0f} B"
    digits = 0 if size >= 99.95 else 1 if size >= 9.995 else 2
    return f"{sign}{size:.{digits}f} {unit}"


def format_seconds(seconds: float) -> str:
    """How does a person read this duration?  ``350 ms``, ``21.4 s``, ``3 min 05 s``, ``2 h 10 min``."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def format_share(share: float) -> str:
    """How does a person read a share between 0 and 1?  ``17 %``."""
    percent = share * 100
    return f"{percent:.1f} %" if 0 < abs(percent) < 9.95 else f"{percent:.0f} %"


def _quantity(text: str, what: str, example: str) -> tuple[float, str]:
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise UsageError(f"{text!r} is not a {what}.", hint=f"write {example}.")
    number = float(match[2])
    return -number if match[1] else number, match[3].lower()


def _bad_unit(text: str, unit: str, what: str, known: list[str]) -> UsageError:
    fact = f"The {what} {text!r} has no unit." if not unit else f"The {what} {text!r} has an unknown unit."
    number = text.strip()[: -len(unit)].rstrip() if unit else text.strip()
    return UsageError(fact, hint=f"its unit is one of {', '.join(known)}: '{number} {known[2]}'.")
