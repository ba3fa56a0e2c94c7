"""Rows of a chart in few bytes: two texts, one of nodes and one of the places in the code that they are at.

A notebook indents a list of rows until it is twice as long, and Vega reads CSV with ``eval``, which an exported page
forbids.  So the texts are split within the chart: rows at newlines, cells at tabs, which no printable name holds.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import altair as alt
import polars as pl

from diagtools.present.names import ELLIPSIS, printable
from diagtools.redact import MASK, redact_text

_LONGEST = 160  # characters of a name or a place
_PLACE = "place"


@lru_cache(maxsize=8192)
def shown(text: str) -> str:
    """A name as it stands in the data of a chart: one line, without secrets, not endless."""
    safe = " ".join(printable(redact_text(text)).split())
    return safe if len(safe) <= _LONGEST else f"{safe[: _LONGEST - 1]}{ELLIPSIS}"


def where(file: str, line: int | None) -> str:
    """Where is it?  ``polars/frame.py:12``; a file without a line is its name alone."""
    return shown(f"{file}:{line}" if line and file else file)


def data(nodes: pl.DataFrame, places: pl.DataFrame) -> alt.InlineData:
    """All rows as one: nodes are numbers, or rows of them, ``place`` the row number of theirs; places are texts."""
    row = {"nodes": "\n".join(lines(nodes)), "places": "\n".join(lines(places))}
    return alt.InlineData(values=[row])


def unpacked(nodes: pl.DataFrame, places: pl.DataFrame) -> list[dict[str, Any]]:
    """The transforms that make of this row the nodes again, each with the names of its place."""
    cells = [
        {
            "calculate": f"datum.cells[{at}]" if dtype == pl.String else f"toNumber(datum.cells[{at}])",
            "as": name,
        }
        for at, (name, dtype) in enumerate(nodes.schema.items())
    ]
    names = [{"calculate": f"datum.names[{at}]", "as": name} for at, name in enumerate(places.columns)]
    return [
        {"calculate": r"split(datum.nodes, '\n')", "as": "node"},
        {"calculate": r"split(datum.places, '\n')", "as": "all_places"},
        {"flatten": ["node"]},
        {"calculate": r"split(datum.node, '\t')", "as": "cells"},
        *cells,
        {"calculate": rf"split(datum.all_places[datum.{_PLACE}], '\t')", "as": "names"},
        *names,
    ]


def lines(frame: pl.DataFrame) -> list[str]:
    """Each row as a line, which no later redaction changes: it would take the columns apart."""
    rows = ["\t".join("" if value is None else str(value) for value in row) for row in frame.iter_rows()]
    text = "\n".join(rows)
    if pl.String not in frame.dtypes or redact_text(text) == text:
        return rows
    masked = "\t".join(MASK for _ in frame.columns)
    return [line if redact_text(line) == line else masked for line in rows]


def within(nodes: pl.DataFrame, places: pl.DataFrame, most_bytes: int) -> int:
    """How many of the first nodes fit, with the places that they name?"""
    of_place = [_size(line) for line in lines(places)]
    spent, seen = 0, set[int]()
    for n, (line, place) in enumerate(zip(lines(nodes), nodes[_PLACE], strict=True)):
        spent += _size(line) + (0 if place in seen else of_place[place])
        seen.add(place)
        if spent > most_bytes:
            return n
    return nodes.height


def _size(line: str) -> int:
    return len(json.dumps(line))
