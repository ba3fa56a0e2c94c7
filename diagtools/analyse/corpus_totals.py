"""What do the files of a corpus sum to, by kind and by folder, while they stream by?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import polars as pl

from diagtools import frames
from diagtools.analyse.corpus import GENERATED

#: So many folders are kept; where there are more, the deepest are counted with their parents.
MOST_FOLDERS = 20_000
_N_LARGEST = 100  # files of each kind kept in full


@dataclass(slots=True)
class Tally:
    """What was added so far: totals that sum exactly, and the largest files.

    ``rank`` is the column of CORPUS that ``largest`` ranks by, ``most`` the value from which on files are counted in
    ``over`` (null: none are), ``suffixes`` restricts both to the files that an indexer takes (null: all).
    """

    rank: str = "n_chunks"
    most: float | None = None
    suffixes: Collection[str] | None = None
    kinds: pl.DataFrame = field(default_factory=frames.CORPUS_TOTALS.empty)
    folders: pl.DataFrame = field(default_factory=frames.CORPUS_TOTALS.empty)
    vendored: pl.DataFrame = field(default_factory=frames.CORPUS_TOTALS.empty)
    passed_over: pl.DataFrame = field(default_factory=frames.PASSED_OVER_TOTALS.empty)
    largest: pl.DataFrame = field(default_factory=frames.CORPUS.empty)
    n_taken: int = 0
    n_over: int = 0
    is_folded: bool = False

    def add(self, corpus: pl.DataFrame, passed_over: pl.DataFrame) -> None:
        """Adds a part: CORPUS with kinds and chunks, and PASSED_OVER."""
        self.kinds = _added(self.kinds, totals(corpus, pl.col("kind")))
        self.vendored = _added(self.vendored, totals(corpus.drop_nulls("vendored"), pl.col("vendored")))
        self.folders = _added(self.folders, totals(corpus, folder_of(pl.col("path"))))
        if self.folders.height > MOST_FOLDERS:
            self.folders, self.is_folded = fold_deepest(self.folders, MOST_FOLDERS), True
        self.passed_over = _passed(self.passed_over, passed_over_totals(passed_over))
        taken = (
            corpus
            if self.suffixes is None
            else corpus.filter(suffix_of(pl.col("path")).is_in([*self.suffixes]))
        )
        self.n_taken += taken.height
        if self.most is not None:
            self.n_over += taken.filter(pl.col(self.rank) > self.most).height
        both = pl.concat([self.largest, taken])
        order = both.sort(self.rank, "size_bytes", "path", descending=[True, True, False], nulls_last=True)
        self.largest = order.group_by("kind", maintain_order=True).head(_N_LARGEST).select(both.columns)

    @property
    def whole(self) -> dict[str, int]:
        """Files, bytes and chunks of the whole."""
        return {name: int(self.kinds[name].sum()) for name in ("n_files", "size_bytes", "n_chunks")}


def totals(corpus: pl.DataFrame, key: pl.Expr) -> pl.DataFrame:
    """How many files, bytes and chunks has each key?  CORPUS in, CORPUS_TOTALS out; they sum to those of the files."""
    is_generated = (pl.col("kind") == GENERATED).fill_null(value=False)
    found = corpus.group_by(key=key).agg(
        n_files=pl.len().cast(pl.Int64),
        size_bytes=pl.col("size_bytes").sum(),
        n_chunks=pl.col("n_chunks").sum(),
        generated_bytes=pl.col("size_bytes").filter(is_generated).sum(),
    )
    return _ranked(found)


def folder_of(path: pl.Expr) -> pl.Expr:
    """The direct parent of a path, ``.`` where it has none."""
    return path.str.extract(r"^(.*)/[^/]*$").fill_null(".")


def fold_deepest(folders: pl.DataFrame, most: int) -> pl.DataFrame:
    """The same totals in at most ``most`` rows: the deepest folders are counted with their parents.

    CORPUS_TOTALS by folder in and out.  Sums stay as they are.
    """
    while folders.height > most:
        depth = pl.when(pl.col("key") == ".").then(0).otherwise(pl.col("key").str.count_matches("/") + 1)
        deepest = folders.select(depth.max()).item()
        if deepest == 0:
            break
        parent = pl.when(depth == deepest).then(folder_of(pl.col("key"))).otherwise(pl.col("key"))
        folders = summed(folders.with_columns(key=parent))
    return folders


def suffix_of(path: pl.Expr) -> pl.Expr:
    """The end of a file's name from its last dot on, in lower case; the whole name where it has none."""
    name = path.str.split("/").list.last().str.to_lowercase()
    return pl.coalesce(name.str.extract(r"(\.[^.]*)$"), name)


def passed_over_totals(passed_over: pl.DataFrame) -> pl.DataFrame:
    """How much was passed over, by reason?  PASSED_OVER in, PASSED_OVER_TOTALS out."""
    found = passed_over.group_by("reason").agg(
        n_files=(~pl.col("is_folder")).sum().cast(pl.Int64),
        n_folders=pl.col("is_folder").sum().cast(pl.Int64),
        size_bytes=pl.col("size_bytes").sum(),
        example=pl.col("path").min(),
    )
    return frames.PASSED_OVER_TOTALS.check(_most_first(found))


def _passed(one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    found = (
        pl.concat([one, other])
        .group_by("reason")
        .agg(pl.col("n_files", "n_folders", "size_bytes").sum(), pl.col("example").first())
    )
    return frames.PASSED_OVER_TOTALS.check(_most_first(found))


def _most_first(found: pl.DataFrame) -> pl.DataFrame:
    count = pl.col("n_files") + pl.col("n_folders")
    order = found.sort(count, "reason", descending=[True, False])
    return order.select(*frames.PASSED_OVER_TOTALS.columns)


def _added(one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    return summed(pl.concat([one, other]))


def summed(rows: pl.DataFrame) -> pl.DataFrame:
    """CORPUS_TOTALS with one row a key, the most chunks first."""
    counts = pl.col("n_files", "size_bytes", "n_chunks", "generated_bytes")
    return _ranked(rows.group_by("key").agg(counts.sum()))


def _ranked(found: pl.DataFrame) -> pl.DataFrame:
    size = pl.col("size_bytes")
    share = pl.when(size > 0).then(pl.col("generated_bytes") / size)
    named = found.with_columns(generated_share=share)
    order = named.sort("n_chunks", "size_bytes", "key", descending=[True, True, False])
    return frames.CORPUS_TOTALS.check(order.select(*frames.CORPUS_TOTALS.columns))
