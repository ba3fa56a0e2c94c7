"""A small table that shows itself: in a notebook, trusted or not, online or not, and in a terminal.

The HTML holds no script and no style sheet: inline styles only, in colours that work on white and on black.
Every cell is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import polars as pl

from diagtools.present.names import printable, shortened
from diagtools.redact import redact_text
from diagtools.units import format_bytes, format_seconds, format_share

UNKNOWN = "—"
_MIB = 2**20
_LINE = "1px solid rgba(128,128,128,0.35)"
_UNIT = r"(?:%|[KMGT]?i?B|m?s|min(?: \d\d s)?|h(?: \d\d min)?)"
_NUMBER = re.compile(rf"[≥≤~−+±-]?\s*[\d,]*\.?\d+\s*{_UNIT}?(?: / .*)?|—|not (?:known|measured)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """How one column of a frame is shown: its heading, the words of a value, and which way it is aligned."""

    heading: str
    words: Callable[[Any], str]
    is_number: bool = True


def text(heading: str, *, n_characters: int = 60) -> Column:
    """Names and sentences; long paths lose folders in the middle, the file name stays."""
    return Column(heading=heading, words=lambda value: shortened(str(value), n_characters), is_number=False)


def count(heading: str) -> Column:
    """Whole numbers, with separators."""
    return Column(heading=heading, words=lambda value: f"{value:,}")


def mib(heading: str) -> Column:
    """Bytes as MiB, so that a column compares at a glance; the unit stands in the heading."""
    return Column(heading=f"{heading}, MiB", words=_mib)


def size(heading: str) -> Column:
    """Bytes, each with the unit that suits it."""
    return Column(heading=heading, words=format_bytes)


def share(heading: str) -> Column:
    """A share between 0 and 1 as percent."""
    return Column(heading=heading, words=format_share)


def seconds(heading: str) -> Column:
    """A duration."""
    return Column(heading=heading, words=format_seconds)


class Table:
    """A frame as a reader sees it.

    ``columns`` says which columns are shown, in which order and how; without it every column is shown as it is,
    and one whose values are mostly numbers, with or without a unit, is aligned to the right.  Null is ``—``; secrets
    are redacted.  More than ``n`` rows are counted, not shown.
    """

    def __init__(
        self,
        frame: pl.DataFrame,
        columns: Mapping[str, Column] | None = None,
        *,
        title: str | None = None,
        note: str | None = None,
        n: int = 50,
    ) -> None:
        shown = columns or {name: _plain(frame[name]) for name in frame.columns}
        self.columns = list(shown.values())
        self.rows = [
            [_cell(column, value) for column, value in zip(self.columns, row, strict=True)]
            for row in frame.head(n).select(list(shown)).iter_rows()
        ]
        self.headings = [_shown(column.heading) for column in self.columns]
        self.title = _shown(title) if title else None
        more = [f"and {frame.height - n:,} more rows"] if frame.height > n else []
        self.note = " · ".join([*more, *([_shown(note)] if note else [])])

    def __str__(self) -> str:
        return "\n".join(self.lines())

    __repr__ = __str__

    def lines(self, indent: str = "") -> list[str]:
        """The table for a terminal, a line a row."""
        table = [self.headings, *self.rows] if any(self.headings) else self.rows
        widths = [max((len(row[place]) for row in table), default=0) for place in range(len(self.columns))]
        body = [indent + self._line(row, widths) for row in table]
        head = [indent + self.title] if self.title else []
        return [*head, *body, *([indent + self.note] if self.note else [])]

    def _line(self, row: Sequence[str], widths: Sequence[int]) -> str:
        cells = zip(self.columns, row, widths, strict=True)
        padded = [
            cell.rjust(width) if column.is_number else cell.ljust(width) for column, cell, width in cells
        ]
        return "  ".join(padded).rstrip()

    def _repr_html_(self) -> str:
        head = "".join(_tag("th", *one) for one in zip(self.columns, self.headings, strict=True))
        body = "".join(f"<tr>{''.join(map(_data, self.columns, row))}</tr>" for row in self.rows)
        title = (
            f"<div style='font-weight:600;margin:8px 0 4px'>{escape(self.title)}</div>" if self.title else ""
        )
        note = (
            f"<div style='font-size:85%;opacity:0.7;margin:4px 0'>{escape(self.note)}</div>"
            if self.note
            else ""
        )
        rows = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
        table = f"<table style='border-collapse:collapse;font-variant-numeric:tabular-nums'>{rows}</table>"
        return f"<div style='overflow-x:auto'>{title}{table}{note}</div>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self._repr_html_(), "text/plain": str(self)}


def _mib(n_bytes: int) -> str:
    value = n_bytes / _MIB
    digits = 0 if abs(value) >= 99.5 else 1 if abs(value) >= 9.95 else 2
    return f"{value:,.{digits}f}".replace("-", "−")


def _plain(values: pl.Series) -> Column:
    if values.dtype.is_integer():
        return count(values.name)
    if values.dtype.is_float():
        return Column(heading=values.name, words=lambda value: f"{value:,.4g}")
    words = [str(value) for value in values.drop_nulls()]
    n_numbers = sum(_NUMBER.fullmatch(word) is not None for word in words)
    return Column(heading=values.name, words=str, is_number=n_numbers > len(words) / 2)


def _cell(column: Column, value: Any) -> str:
    return UNKNOWN if value is None else _shown(column.words(value))


def _shown(words: str) -> str:
    return printable(redact_text(words))


def _data(column: Column, cell: str) -> str:
    return _tag("td", column, cell)


def _tag(tag: str, column: Column, content: str) -> str:
    side = "right" if column.is_number else "left"
    weight = "600" if tag == "th" else "400"
    style = f"text-align:{side};vertical-align:top;padding:4px 14px 4px 0;border-bottom:{_LINE};font-weight:{weight}"
    space = ";white-space:nowrap" if column.is_number else ""
    return f"<{tag} align='{side}' style='{style}{space}'>{escape(content)}</{tag}>"
