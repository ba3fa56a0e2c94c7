"""What do objects take that ``sys.getsizeof`` leaves out?  The attributes that lie in or beside an instance itself.

Since CPython 3.11 an instance has no dict of its own until somebody asks for it.  Its attributes are an array of
references, of as many places as instances of the class have had attributes so far and one more.  The formulas were
measured with ``tracemalloc`` on 3.11 to 3.15, for 0 to 29 attributes: right to 8 bytes.
"""

from __future__ import annotations

import polars as pl

_MOST_PLACES = 30  # SHARED_KEYS_MAX_SIZE: with more, a class has dicts again
_WORD = 8


def with_values(
    nodes: pl.DataFrame, edges: pl.DataFrame, *, types: pl.Series, dicts: pl.Series, python: tuple[int, ...]
) -> pl.DataFrame:
    """GRAPH_NODES with the attributes of instances in their sizes.

    ``edges`` is GRAPH_EDGES; ``types`` are the types whose instances keep them so, ``dicts`` those of plain dicts
    (``type_id``), ``python`` is the version.  An instance refers to its class and to what its attributes are.
    """
    if types.is_empty():
        return nodes
    degrees = edges.group_by("source").len("degree").rename({"source": "node"})
    known = nodes.with_row_index("node").with_columns(pl.col("node").cast(pl.Int64))
    known = known.join(degrees, on="node", how="left", maintain_order="left").with_columns(
        pl.col("degree").fill_null(0).cast(pl.Int64)
    )
    instances = known.filter(pl.col("type_id").is_in(types.implode()))
    in_dicts = _in_dicts(instances, known.filter(pl.col("type_id").is_in(dicts.implode())), edges)
    places = pl.col("degree").clip(1, _MOST_PLACES)  # one attribute less than references, and one place more
    added = instances.join(in_dicts, on="node", how="anti").select("node", added=_array(places, python))
    if python >= (3, 13):  # the array is part of the instance: it is there, whether it is used or not
        unused = in_dicts.filter(pl.col("n_keys") >= _MOST_PLACES)
        added = pl.concat(
            [added, unused.select("node", added=_array(pl.lit(_MOST_PLACES, pl.Int64), python))]
        )
    both = known.join(added, on="node", how="left", maintain_order="left")
    return both.select(
        "type_id", size_bytes=pl.col("size_bytes") + pl.col("added").fill_null(0), n_references="n_references"
    )


def _array(places: pl.Expr, python: tuple[int, ...]) -> pl.Expr:
    """The array with what stands before it: in which order the places were taken."""
    if python >= (3, 13):
        return _WORD * places + _up(places) + _WORD
    return _WORD * places + _up(places + 2)


def _up(n: pl.Expr) -> pl.Expr:
    return (n + _WORD - 1) // _WORD * _WORD


def _in_dicts(instances: pl.DataFrame, dicts: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
    """Those whose attributes are in a dict, which counts them: ``node`` and ``n_keys``.

    Such an instance refers to its class and the dict alone; or to the attributes too, and then the dict has as many
    keys, and may refer to their values or not.
    """
    to_dicts = edges.join(dicts.select(target="node", n="degree"), on="target").join(
        instances.select(source="node", degree="degree"), on="source"
    )
    beside = pl.col("degree") - 2
    own = to_dicts.filter((beside == 0) | (pl.col("n") == beside) | (pl.col("n") == 2 * beside))
    n_keys = pl.when(beside == 0).then(pl.col("n") // 2).otherwise(beside)
    return own.select(node="source", n_keys=n_keys).unique("node")
