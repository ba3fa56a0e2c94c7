"""Snapshots made by hand: objects a letter each, and who refers to whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from diagtools.frames import GRAPH_EDGES, GRAPH_MARKS, GRAPH_NAMES, GRAPH_NODES, GRAPH_TYPES, ObjectGraph

MODULE, MODULE_DICT = "m", "d"


def graph(
    edges: str,
    *,
    sizes: Mapping[str, int] | None = None,
    types: Mapping[str, str] | None = None,
    named: Mapping[str, str] | None = None,
    references: Mapping[str, int | None] | None = None,
    counts: bool = True,
) -> ObjectGraph:
    """``"da ab"``: the dict ``d`` of the module ``app`` refers to ``a``, that to ``b``; ``named`` are its variables.

    Each takes 1 byte and is of type ``T``, but for what is given; an object has the references that can be seen, but
    for what ``references`` says.
    """
    pairs = ["md", *edges.split()]
    letters = sorted({letter for pair in pairs for letter in pair})
    number = {letter: node for node, letter in enumerate(letters)}
    kind = {"m": "module", "d": "dict", **(types or {})}
    names = sorted({kind.get(letter, "T") for letter in letters})
    seen = {letter: sum(pair[1] == letter for pair in pairs) for letter in letters}
    counted = {**seen, **(references or {})}
    variables = named if named is not None else {pair[1]: pair[1] for pair in pairs if pair[0] == "d"}
    return ObjectGraph(
        pid=1,
        index=0,
        t_s=0.0,
        kind="phase",
        edge="end",
        label="x",
        python="3.11.7",
        pause_s=0.1,
        n_threads=1,
        n_unseen=0,
        counts_references=counts,
        nodes=GRAPH_NODES.from_columns(
            {
                "type_id": [names.index(kind.get(letter, "T")) for letter in letters],
                "size_bytes": [(sizes or {}).get(letter, 1) for letter in letters],
                "n_references": [counted[letter] for letter in letters],
            }
        ),
        edges=_rows(GRAPH_EDGES.columns, [(number[one], number[other]) for one, other in pairs]),
        types=GRAPH_TYPES.from_columns(
            {
                "type_id": list(range(len(names))),
                "node": [None] * len(names),
                "type": list(names),
                "module": [""] * len(names),
                "is_ours": [name.startswith("diagtools.") for name in names],
            }
        ),
        names=_rows(
            GRAPH_NAMES.columns,
            [(number["d"], number[one], "global", name) for one, name in variables.items()],
        ),
        marks=_rows(
            GRAPH_MARKS.columns, [(number["m"], "module", "app", ""), (number["d"], "module dict", "app", "")]
        ),
    )


def _rows(schema: Mapping[str, pl.DataType], rows: Sequence[tuple[object, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict(schema), orient="row")


def node(graph_of: str, letter: str) -> int:
    """Which node is this letter in the graph of these edges?"""
    return sorted({each for pair in ["md", *graph_of.split()] for each in pair}).index(letter)
