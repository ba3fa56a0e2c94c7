"""Into how many chunks would an indexer cut each file?"""

from __future__ import annotations

import polars as pl

from diagtools import frames
from diagtools.analyse.corpus import MEAN_LINE

#: The longest chunk of an indexer that was not asked: about 500 tokens of code.
CHUNK_CHARS = 2_000
#: How full chunks get where functions and paragraphs stay whole; a text of long lines has none, and fills them.
_PACKED = 0.8
#: By how much estimates are off.  Of 859 files of 8 and more chunks in nine packages, beside the chunker of
#: ``workloads.rag``, 9 in 10 lay within this share and all within 30 %; the sums of the packages within 9 %.
CHUNKS_ERROR_SHARE = 0.12


def estimate_chunks(corpus: pl.DataFrame, chunk_chars: int = CHUNK_CHARS) -> pl.DataFrame:
    """How many chunks of at most ``chunk_chars`` would each file make?

    ``corpus`` is CORPUS with its shape columns filled; so is the result, with ``n_chunks``: an estimate from the number
    of characters and the mean length of the lines, 0 for a file of blanks, null where the shape is unknown.
    """
    chars = pl.col("mean_line") * pl.col("n_lines")
    packed = pl.when(pl.col("mean_line") >= MEAN_LINE).then(1.0).otherwise(_PACKED)
    several = (chars / (chunk_chars * packed)).round().clip(1)
    estimated = (
        pl.when((pl.col("n_lines") == 0) | (pl.col("space_share") == 1.0))
        .then(0)
        .when(chars <= chunk_chars)
        .then(1)
        .otherwise(several)
    )
    return frames.CORPUS.check(corpus.with_columns(n_chunks=estimated.cast(pl.Int64)))


def learned_chunk_chars(corpus: pl.DataFrame, counted: pl.DataFrame) -> int | None:
    """How long are the chunks of an indexer that told how many it made of some of these files?

    ``corpus`` is CORPUS, ``counted`` has a row a file, ``path`` and ``n_real``.  Null where fewer than 8 files of
    several chunks are in both, or the chunks told are none.
    """
    files = estimate_chunks(corpus).filter(pl.col("n_chunks") >= 2)
    both = files.join(counted.filter(pl.col("n_real") > 0), on="path")
    if both.height < 8:
        return None
    return max(1, round(CHUNK_CHARS * int(both["n_chunks"].sum()) / int(both["n_real"].sum())))
