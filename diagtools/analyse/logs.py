"""What did the program say, above all at its end?"""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from diagtools.redact import mask_private_keys, redact_begin

_LONGEST = 500
_KEY_LINES = 100
_WARNING = r"(?i)\b(?:warn|warning|error|critical|fatal)\b"
_TRACEBACK = "Traceback (most recent call last):"
_TRACEBACK_LINES = 200
_LAST_LINES = 10
_LINKS = ("During handling of the above exception", "The above exception was the direct cause")
_EXCEPTION = re.compile(r"(?:[A-Za-z_]\w*\.)*([A-Za-z_]\w*)(?::\s|:?$)")
_EXCEPTION_NAME = re.compile(
    r"\w*(?:Error|Exception|Interrupt|Exit|Warning|Iteration|Timeout|Failure|Failed)"
)


def last_lines(logs: pl.DataFrame, n: int = 5, before_s: float | None = None) -> list[str]:
    """What were the last ``n`` lines of output (up to ``before_s``), without secrets?

    ``logs`` is LOGS.  In order of time across the streams, within one time as they stand; blank lines do not
    count, a line of more than 500 characters is cut.
    """
    known = _in_order(logs)
    if before_s is not None:
        known = known.filter(pl.col("t_s") <= before_s)
    return _shown(known["line"].tail(n + _KEY_LINES).to_list(), n)


def lines_near(logs: pl.DataFrame, t_s: float, *, n: int = 5, within_s: float = 1.0) -> list[str]:
    """Which ``n`` lines came closest to this time, in order of time and without secrets?  ``logs`` is LOGS."""
    distance = (pl.col("t_s") - t_s).abs()
    near = _in_order(logs).with_row_index("row").filter(distance <= within_s)
    closest = near.sort(distance, maintain_order=True).head(n).sort("row")
    return [line for text in closest["line"] for line in _shown([text], 1)]


def last_warnings(logs: pl.DataFrame, n: int = 1) -> pl.DataFrame:
    """Which were the last ``n`` lines that warn or tell of an error?  LOGS in, LOGS out, lines redacted."""
    found = _in_order(logs).filter(pl.col("line").str.contains(_WARNING)).tail(n)
    return found.with_columns(
        pl.Series("line", [redact_begin(line, _LONGEST) for line in found["line"]], dtype=pl.String)
    )


def final_exceptions(logs: pl.DataFrame) -> list[str]:
    """Which exception ended the program, after those that it was raised from?  Their lines, redacted.

    ``logs`` is LOGS.  Empty where the last 10 lines show none: an exception that was logged earlier and
    overcome does not count.  The last element is the one that was not caught.
    """
    lines = _in_order(logs)["line"].tail(_TRACEBACK_LINES).to_list()
    chain: list[str] = []
    linked = False
    for line in lines:
        linked = linked or line.startswith(_LINKS)
        if exception_name(line) is not None:
            chain = [*chain, line] if linked else [line]
            linked = False
    ended = bool(chain) and chain[-1] in lines[-_LAST_LINES:]
    has_traceback = any(_TRACEBACK in line for line in lines)
    return [redact_begin(line, _LONGEST) for line in chain] if ended and has_traceback else []


def exception_name(line: str) -> str | None:
    """Which exception does a traceback's last line name?  ``MemoryError`` of ``numpy.MemoryError: …``, or null."""
    match = _EXCEPTION.match(line)
    return match[1] if match is not None and _EXCEPTION_NAME.fullmatch(match[1]) else None


def _in_order(logs: pl.DataFrame) -> pl.DataFrame:
    """A line without a time was written after the last look at its file: it is among the newest."""
    return logs.filter(pl.col("line").str.strip_chars() != "").sort(
        "t_s", nulls_last=True, maintain_order=True
    )


def _shown(lines: Sequence[str], n: int) -> list[str]:
    """The last ``n`` of these lines, redacted; the lines before them show whether a key's text runs into them."""
    if any("PRIVATE KEY-----" in line for line in lines):
        lines = mask_private_keys("\n".join(lines)).split("\n")
    return [redact_begin(line, _LONGEST) for line in lines[-n:]] if n > 0 else []
