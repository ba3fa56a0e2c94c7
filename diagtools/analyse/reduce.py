"""How is a long series drawn with few points without losing its extremes?"""

from __future__ import annotations

import polars as pl

from diagtools.errors import UsageError


def reduce_timeline(
    frame: pl.DataFrame, *, n_buckets: int, t: str = "t_s", value: str = "rss_bytes"
) -> pl.DataFrame:
    """Which of these rows show the same curve at a width of ``n_buckets`` pixels?

    ``frame`` is any frame with a time and a value (TREE, SYSTEM, TIMELINE of one process); the result holds
    real rows of it in order of time, at most ``2 × n_buckets``.  Kept are the first and the last row and, of
    each of ``n_buckets − 1`` equal stretches of time between them, the lowest and the highest: the true peak
    survives.  Rows without a time are left out; rows without a value only stay as first or last.
    Raises ``UsageError`` for fewer than 2 buckets.
    """
    if n_buckets < 2:
        raise UsageError(
            f"{n_buckets} buckets cannot hold a curve.", hint="pass n_buckets=2 or more, one a pixel is best."
        )
    ordered = frame.filter(pl.col(t).is_not_null()).sort(t, maintain_order=True)
    if ordered.height <= 2 * n_buckets:
        return ordered
    row = pl.int_range(pl.len())
    kept = (
        ordered.select(row=row, bucket=_bucket(pl.col(t), n_buckets - 1), value=pl.col(value))
        .slice(1, ordered.height - 2)
        .drop_nulls("value")
        .group_by("bucket")
        .agg(
            low=pl.col("row").get(pl.col("value").arg_min()),
            high=pl.col("row").get(pl.col("value").arg_max()),
        )
    )
    rows = pl.concat([kept["low"], kept["high"], pl.Series([0, ordered.height - 1], dtype=kept["low"].dtype)])
    return ordered[rows.unique().sort()]


def _bucket(time: pl.Expr, n: int) -> pl.Expr:
    position = (time - time.min()) / (time.max() - time.min()) * n
    return position.fill_nan(0.0).floor().clip(0, n - 1).cast(pl.Int64)
