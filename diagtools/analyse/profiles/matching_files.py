"""Which file of one capture is which of another, when folders, machines and Pythons differ?

In this order, and never twice; all steps treat both sides alike, so the matches of (B, A) are those of (A, B):

1. The same lasting path (``places.lasting``): packages from their own name on, temporary folders without theirs.
2. The longest common end of two paths that no other file on either side has.  A path that begins with its package's
   name has to be the end as a whole.  A bare file name counts only where at least half of all functions that either
   side has in it are in both.
3. Cells of a notebook whose text changed, where they have a function in common that no other cell has.
"""

from __future__ import annotations

import polars as pl

_FROM_PACKAGE = ("third-party", "standard library")
_LEAST_COMMON = 0.5


def matched_files(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Which files are one?  ``path_before``, ``path_after`` (null where a side has not got it), ``file_id``.

    Both sides have ``path`` (lasting), ``function`` and ``origin``, one row a place.
    """
    sides = (_files(before), _files(after))
    same = sides[0].join(sides[1], on="path", how="inner").select(path_before="path", path_after="path")
    pairs = [same]
    for n_parts in range(_deepest(*sides), -1, -1):
        left = _left(*sides, pairs)
        if left[0].is_empty() or left[1].is_empty():
            break
        pairs.append(_by_end(*left, n_parts) if n_parts else _cells(*left))
    gone, come = _left(*sides, pairs)
    lonely = [gone.select(path_before="path"), come.select(path_after="path")]
    rows = pl.concat([*pairs, *lonely], how="diagonal").sort("path_before", "path_after")
    return rows.with_row_index("file_id").with_columns(pl.col("file_id").cast(pl.Int64))


def _files(places: pl.DataFrame) -> pl.DataFrame:
    """One row a file: its path, the parts of it, its functions, and whether it begins with its package's name."""
    return (
        places.group_by("path", maintain_order=True)
        .agg(pl.col("function").unique().sort(), is_whole=pl.col("origin").is_in(_FROM_PACKAGE).any())
        .with_columns(parts=pl.col("path").str.split("/"), is_cell=pl.col("path").str.starts_with("<cell "))
    )


def _deepest(before: pl.DataFrame, after: pl.DataFrame) -> int:
    depths = [side["parts"].list.len().max() or 0 for side in (before, after)]
    return min(int(depth) for depth in depths)  # type: ignore[arg-type]  # lengths


def _left(
    before: pl.DataFrame, after: pl.DataFrame, pairs: list[pl.DataFrame]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The files of either side that are in no pair."""
    done = pl.concat(pairs)
    return (
        before.join(done.select(path="path_before"), on="path", how="anti", maintain_order="left"),
        after.join(done.select(path="path_after"), on="path", how="anti", maintain_order="left"),
    )


def _by_end(before: pl.DataFrame, after: pl.DataFrame, n_parts: int) -> pl.DataFrame:
    """The files whose last parts are the same, and nobody else's."""
    found = _ends(before, n_parts).join(_ends(after, n_parts), on="end", how="inner", suffix="_after")
    if n_parts == 1:
        common = pl.col("function").list.set_intersection("function_after").list.len()
        either = pl.col("function").list.set_union("function_after").list.len()
        is_package = pl.col("end").str.contains(r"^__\w+__\.")
        found = found.filter((common >= _LEAST_COMMON * either) & ~is_package)
    return found.select(path_before="path", path_after="path_after")


def _ends(side: pl.DataFrame, n_parts: int) -> pl.DataFrame:
    n = pl.col("parts").list.len()
    return (
        side.filter(pl.when("is_whole").then(n == n_parts).otherwise(n >= n_parts) & (pl.col("path") != ""))
        .with_columns(end=pl.col("parts").list.tail(n_parts).list.join("/"))
        .filter(pl.len().over("end") == 1)
    )


def _cells(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """The changed cells that define the same functions."""
    found = _defined(before).join(_defined(after), on="function", how="inner", suffix="_after")
    pairs = found.select(path_before="path", path_after="path_after").unique(maintain_order=True)
    is_one = (pl.len().over("path_before") == 1) & (pl.len().over("path_after") == 1)
    return pairs.filter(is_one)


def _defined(side: pl.DataFrame) -> pl.DataFrame:
    """The functions that only one of the cells has."""
    functions = side.filter("is_cell").select("path", "function").explode("function", empty_as_null=True)
    return functions.filter(~pl.col("function").str.starts_with("<") & (pl.len().over("function") == 1))
