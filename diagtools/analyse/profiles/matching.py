"""Which line of one capture is which of another, when the source changed between them?

A line is matched within its function, in a file that is matched (``matching_files``).  An edit above a function moves
all its lines by the same number: the number for which most lines meet is taken.  Of several with as many votes the
lines where they are win, then the move nearest to that of the function's first line, then the smaller one, then that
which moves the side whose lines come first in order downwards.  What no move has matched is matched by its place in the
function where both sides have as many lines.  Of a file whose functions have no names the lines are matched in their
order, with several moves (``matching_lines``).  Every rule treats both sides alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from diagtools import frames
from diagtools.analyse.profiles.matching_files import matched_files
from diagtools.analyse.profiles.matching_lines import aligned
from diagtools.analyse.profiles.places import lasting, named
from diagtools.profile import Profile

_FUNCTION = ("file_id", "function")
#: Above so many pairs of lines in a file, half a second's work, all its lines are taken to have moved alike.
_MOST_PAIRS = 400_000


def matched(before: Sequence[Profile], after: Sequence[Profile]) -> pl.DataFrame:
    """Which lines of the functions before and after are the same?  MATCHES, each line of either side once.

    With the sides exchanged the same rows come out, with their sides exchanged.
    """
    sides = (_files(before), _files(after))
    lines = (_lines_of(before), _lines_of(after))
    whose = [line.join(side, on="path", how="left") for line, side in zip(lines, sides, strict=True)]
    files = matched_files(whose[0], whose[1])
    old, new = (
        line.join(files, left_on="path", right_on=f"path_{side}", how="left").select(*_FUNCTION, "line")
        for line, side in zip(lines, ("before", "after"), strict=True)
    )
    rows = (
        _matched_lines(old, new)
        .join(_described(files, *sides), on="file_id", how="left")
        .sort(*_FUNCTION, pl.min_horizontal("line_before", "line_after"), "line_before", nulls_last=True)
        .with_row_index("place_id")
        .with_columns(pl.col("place_id").cast(pl.Int64), *_whose())
    )
    return frames.MATCHES.check(rows.select(list(frames.MATCHES.columns)))


def places_of(locations: pl.DataFrame, matches: pl.DataFrame, side: str) -> pl.DataFrame:
    """Which place of MATCHES has each location of a profile on this side, ``before`` or ``after``?"""
    known = matches.select("place_id", "function", path=f"path_{side}", line=f"line_{side}")
    return (
        _with_path(locations.select("location_id", "function", "line", "file"))
        .join(known, on=["path", "function", "line"], how="left", maintain_order="left")
        .select("location_id", "place_id")
    )


def _with_path(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the lasting ``path`` of their ``file``."""
    paths = rows.select("file").unique().with_columns(path=lasting(pl.col("file")))
    return rows.join(paths, on="file", how="left", maintain_order="left")


def _lines_of(profiles: Sequence[Profile]) -> pl.DataFrame:
    """One row a line of a function of all runs of a side: ``path``, ``function``, ``line``."""
    every = pl.concat([profile.locations.select("file", "function", "line") for profile in profiles]).unique()
    return _with_path(every).select("path", "function", "line").unique()


def _files(profiles: Sequence[Profile]) -> pl.DataFrame:
    """One row a file of all runs of a side; where they name its module differently, the longest name."""
    columns = ("file", "module", "package", "origin")
    every = pl.concat([profile.locations.select(columns).unique() for profile in profiles]).unique()
    by_module = [pl.col("module").str.len_chars(), pl.col("module"), pl.col("file")]
    return (
        _with_path(named(every).rename({"path": "short"}))
        .group_by("path")
        .agg(pl.col("file", "short", "module", "package", "origin").sort_by(by_module).last())
    )


def _matched_lines(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """``line_before`` and ``line_after`` of each function, null where a side has no such line."""
    nameless = _aligned(old, new)
    done = nameless.select(_FUNCTION).unique()
    sides = [side.join(done, on=_FUNCTION, how="anti", maintain_order="left") for side in (old, new)]
    met = pl.concat([_moved(*sides), nameless])
    return pl.concat([met, *_alone(old, new, met)], how="diagonal")


def _aligned(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """The lines of functions without a name that are the same: one row a pair."""
    sides = [
        side.filter(pl.col("function") == "")
        .group_by(_FUNCTION, maintain_order=True)
        .agg(pl.col("line").unique().sort())
        for side in (old, new)
    ]
    files = sides[0].join(sides[1], on=_FUNCTION, how="inner", suffix="_after", maintain_order="left")
    files = files.filter(pl.col("line").list.len() * pl.col("line_after").list.len() <= _MOST_PAIRS)
    rows = [
        (file_id, function, *pair)
        for file_id, function, before, after in files.rows()
        for pair in _paired(before, after)
    ]
    schema = {
        **old.select(_FUNCTION).schema,
        "line_before": old["line"].dtype,
        "line_after": old["line"].dtype,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _paired(before: list[int], after: list[int]) -> list[tuple[int, int]]:
    """An unknown line, 0, is only itself."""
    unknown = [(0, 0)] if before[:1] == after[:1] == [0] else []
    return unknown + aligned([line for line in before if line > 0], [line for line in after if line > 0])


def _moved(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """The lines that are the same where each function has moved as a whole."""
    target = pl.col("line_before") + pl.when(pl.col("line_before") > 0).then("move").otherwise(0)
    old = old.rename({"line": "line_before"}).join(
        _moves(old, new), on=_FUNCTION, how="left", maintain_order="left"
    )
    old = old.with_columns(pl.col("move").fill_null(0)).with_columns(line_after=target)
    after = new.rename({"line": "line_after"})
    keys = [*_FUNCTION, "line_after"]
    is_line = (pl.col("line_before") > 0) == (pl.col("line_after") > 0)
    met = old.join(after, on=keys, how="semi", maintain_order="left").filter(is_line)
    met = met.select(*_FUNCTION, "line_before", "line_after")
    return pl.concat([met, _in_place(old.select(*_FUNCTION, "line_before"), after, met)])


def _alone(old: pl.DataFrame, new: pl.DataFrame, met: pl.DataFrame) -> list[pl.DataFrame]:
    """The lines of each side that are none of the other's."""
    sides = ((old, "line_before"), (new, "line_after"))
    return [
        side.select(*_FUNCTION, pl.col("line").alias(line)).join(
            met, on=[*_FUNCTION, line], how="anti", maintain_order="left"
        )
        for side, line in sides
    ]


def _moves(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """By how many lines has each function moved?  ``move``, where not all its lines are where they were."""
    sides = [_with_order(side.filter(pl.col("line") > 0)) for side in (old, new)]
    functions = sides[0].join(sides[1], on=_FUNCTION, how="inner", suffix="_after")
    n_same = pl.col("line").list.set_intersection("line_after").list.len()
    fewest = pl.min_horizontal(pl.col("line").list.len(), pl.col("line_after").list.len())
    votes = (
        functions.filter(n_same < fewest)
        .with_columns(first=pl.col("line_after").list.min() - pl.col("line").list.min())
        .explode("line", empty_as_null=True)
        .explode("line_after", empty_as_null=True)
        .with_columns(move=pl.col("line_after") - pl.col("line"))
        .group_by(*_FUNCTION, "move")
        .agg(pl.len().alias("n_votes"), pl.col("first", "order", "order_after").first())
    )
    down = pl.when(pl.col("order") <= pl.col("order_after")).then("move").otherwise(-pl.col("move"))
    best = votes.sort(
        -pl.col("n_votes").cast(pl.Int64),
        pl.col("move") != 0,
        (pl.col("move") - pl.col("first")).abs(),
        pl.col("move").abs(),
        -down,
    )
    return best.group_by(_FUNCTION, maintain_order=True).agg(pl.col("move").first())


def _with_order(lines: pl.DataFrame) -> pl.DataFrame:
    """A row a function: its lines, and a text by which lines of two sides are put in order."""
    listed = lines.group_by(_FUNCTION, maintain_order=True).agg(pl.col("line").unique().sort())
    return listed.with_columns(
        order=pl.col("line").list.eval(pl.element().cast(pl.String).str.zfill(9)).list.join(",")
    )


def _in_place(old: pl.DataFrame, new: pl.DataFrame, met: pl.DataFrame) -> pl.DataFrame:
    """The lines without a partner that stand at the same place in functions of as many lines."""
    sides = []
    for side, line in ((old, "line_before"), (new, "line_after")):
        rank = pl.col(line).rank("dense").over(_FUNCTION)
        ranked = side.filter(pl.col(line) > 0).with_columns(
            rank=rank, n_lines=pl.col(line).n_unique().over(_FUNCTION)
        )
        sides.append(ranked.join(met, on=[*_FUNCTION, line], how="anti", maintain_order="left"))
    return (
        sides[0]
        .join(sides[1], on=[*_FUNCTION, "rank", "n_lines"], how="inner", maintain_order="left")
        .select(*_FUNCTION, "line_before", "line_after")
    )


def _described(files: pl.DataFrame, old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """The matched files with one name for what may have two: that which says more, whichever side it is from."""
    rows = files
    for side, described in (("before", old), ("after", new)):
        sided = described.rename({name: f"{name}_{side}" for name in described.columns})
        rows = rows.join(sided, on=f"path_{side}", how="left", maintain_order="left")
    names = ("module", "short", "package", "origin")
    saying = [
        _saying(f"module_{side}", *(f"{name}_{side}" for name in names)) for side in ("before", "after")
    ]
    from_after = saying[0].is_null() | (saying[1] >= saying[0]).fill_null(value=False)
    chosen = (
        pl.when(from_after).then(f"{name}_after").otherwise(f"{name}_before").alias(name) for name in names
    )
    whole = pl.max_horizontal("path_before", "path_after")
    is_one = pl.col("file_id").n_unique().over("short") == 1
    return rows.with_columns(*chosen, file=pl.coalesce("file_after", "file_before")).with_columns(
        path=pl.when(is_one).then("short").otherwise(whole)
    )


def _saying(module: str, *names: str) -> pl.Expr:
    """Orders names by how much they say: the longer module first, then by all of them."""
    return pl.concat_str(pl.col(module).str.len_chars().cast(pl.String).str.zfill(6), *names, separator="\0")


def _whose() -> list[pl.Expr]:
    """A path of a side only where the line stands on it."""
    return [
        pl.when(pl.col(f"line_{side}").is_not_null()).then(f"path_{side}").alias(f"path_{side}")
        for side in ("before", "after")
    ]
