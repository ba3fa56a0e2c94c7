"""What is a place in the code called, and which locations are the same place?"""

from __future__ import annotations

from typing import Literal, get_args

import polars as pl

from diagtools.errors import UsageError

#: What rows are made of.
By = Literal["line", "function", "module", "package"]

#: A temporary folder, by the names that tempfile and pytest give.
TEMPORARY = "<tmp>"

_INSTALLED = r"^.*/(?:site|dist)-packages/"
_LIBRARY = r"(?i)^.*/(?:lib(?:32|64)?/(?:python|pypy)3\.\d+t?|lib)/"
_CELL_FILE = r"^.*/ipykernel_\d+/(\d+)\.py$"
_CELL_INPUT = r"^<ipython-input-\d+-([0-9a-f]+)>$"
_TEMPORARY_FOLDER = r"^.*/(?:pytest-of-[^/]+/pytest-\d+|tmp[a-z0-9_]{8})/"
_TEMPORARY_ROOT = r"(?i)^(?:/private)?(?:/var)?/te?mp/|^.*/appdata/local/temp/|^.*/var/folders/[^/]+/[^/]+/T/"


def lasting(file: pl.Expr) -> pl.Expr:
    """What is left of a file's path when all is taken away that another run, machine or Python has otherwise?

    Files of installed packages and of the standard library are named from their package on, temporary folders lose
    their names, a notebook's cell is named by its text; any other path stays whole.
    """
    path = file.str.replace_all("\\", "/", literal=True)
    for pattern, put in (
        (_CELL_FILE, "<cell ${1}>"),
        (_CELL_INPUT, "<cell ${1}>"),
        (_INSTALLED, ""),
        (_TEMPORARY_FOLDER, f"{TEMPORARY}/"),
        (_TEMPORARY_ROOT, f"{TEMPORARY}/"),
    ):
        path = path.str.replace(pattern, put)
    of_python = path.str.replace(_LIBRARY, "")
    return (
        pl.when(path.str.contains(r"\.pyw?$") & of_python.str.contains(".")).then(of_python).otherwise(path)
    )


def named(locations: pl.DataFrame) -> pl.DataFrame:
    """LOCATIONS with ``path``: the file as its package names it, ``polars/io/csv.py``.

    An ``__init__.py`` keeps its package's name.  Where two files would be called the same, both keep their whole
    path: a path stands for one file.
    """
    files = locations.select("file", "module").unique(maintain_order=True)
    whole = lasting(pl.col("file"))
    parts = whole.str.split("/")
    of_package = pl.col("whole").str.contains(r"(?:^|/)__(?:init|main)__\.\w+$")
    n_module = pl.col("module").str.split(".").list.len()
    n = pl.when(of_package & ~pl.col("module").str.contains(r"__(?:init|main)__$")).then(n_module + 1)
    short = (
        files.with_columns(whole=whole, parts=parts)
        .with_columns(n=n.when(of_package).then(pl.max_horizontal(n_module, 2)).otherwise(n_module))
        .with_columns(short=pl.col("parts").list.tail(pl.col("n")).list.join("/"))
        .with_columns(is_one=pl.col("whole").n_unique().over("short") == 1)
        .with_columns(path=pl.when("is_one").then("short").otherwise("whole"))
        .select("file", "module", "path")
    )
    return locations.join(short, on=["file", "module"], how="left", maintain_order="left")


def keyed(locations: pl.DataFrame, by: By) -> pl.DataFrame:
    """LOCATIONS with ``path`` and ``key``: the name of the place that a location belongs to, unique to it.

    ``polars/io/csv.py:123 read_csv`` is a line, ``polars/io/csv.py read_csv`` a function.  What has no file, module or
    package goes by the name of its function.  Raises ``UsageError`` for a ``by`` that is none of the four.
    """
    return named(locations).with_columns(key=key(by))


def key(by: By) -> pl.Expr:
    """The name of a place, from ``function``, ``path``, ``line``, ``module`` and ``package``."""
    if by not in get_args(By):
        raise UsageError(
            f"Places cannot be put together by {by!r}.", hint=f"by is one of {', '.join(get_args(By))}."
        )
    if by in ("module", "package"):
        return pl.when(pl.col(by) == "").then("function").otherwise(by)
    line = pl.when(pl.col("line") > 0).then(pl.format(":{}", "line")).otherwise(pl.lit(""))
    place = pl.concat_str("path", line if by == "line" else pl.lit(""))
    return pl.when(pl.col("path") == "").then("function").otherwise(pl.format("{} {}", place, "function"))


def unnamed(by: By) -> list[str]:
    """Which columns of a place has a row by this no single value of?"""
    order = ["line", "function", "file", "module"]
    return {"line": [], "function": order[:1], "module": order[:2], "package": order}[by]
