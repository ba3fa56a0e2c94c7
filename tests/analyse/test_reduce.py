"""How is a long series drawn with few points without losing its extremes?"""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.reduce import reduce_timeline
from diagtools.errors import UsageError

_ROWS = st.lists(
    st.tuples(st.floats(0, 1000, allow_nan=False, allow_subnormal=False), st.none() | st.integers(0, 10**12)),
    max_size=200,
    unique_by=lambda row: row[0],
)


def _frame(rows):
    return pl.DataFrame(rows, schema={"t_s": pl.Float64, "rss_bytes": pl.Int64}, orient="row")


def test_a_spike_of_one_sample_survives():
    frame = _frame([(i / 100, 10**9 if i == 71_234 else i % 7) for i in range(100_000)])
    reduced = reduce_timeline(frame, n_buckets=300)
    assert reduced.height <= 600
    assert reduced["rss_bytes"].max() == 10**9
    assert reduced.filter(pl.col("rss_bytes") == 10**9)["t_s"].to_list() == [712.34]


def test_by_hand():
    """Two buckets over 0–9 but for the ends: the only inner one keeps 1 (t 4) and 9 (t 6)."""
    frame = _frame([(float(t), v) for t, v in enumerate([5, 5, 5, 5, 1, 5, 9, 5, 5, 5])])
    assert reduce_timeline(frame, n_buckets=2).rows() == [(0.0, 5), (4.0, 1), (6.0, 9), (9.0, 5)]


def test_a_short_series_stays_as_it_is():
    frame = _frame([(2.0, 1), (1.0, None)])
    assert reduce_timeline(frame, n_buckets=2).rows() == [(1.0, None), (2.0, 1)]


def test_other_columns_and_names_are_kept():
    frame = pl.DataFrame({"when": range(50), "v": range(50), "label": [str(i) for i in range(50)]})
    reduced = reduce_timeline(frame, n_buckets=3, t="when", value="v")
    assert all(str(row["v"]) == row["label"] for row in reduced.to_dicts())


def test_one_bucket_is_refused():
    with pytest.raises(UsageError, match="1 buckets"):
        reduce_timeline(_frame([]), n_buckets=1)


@given(_ROWS, st.integers(2, 20))
def test_extremes_and_ends_survive_in_real_rows_in_order(rows, n_buckets):
    frame = _frame(rows).sort("t_s")
    reduced = reduce_timeline(_frame(rows), n_buckets=n_buckets)
    assert reduced.height <= max(2 * n_buckets, 0)
    assert set(reduced.rows()) <= set(frame.rows())
    assert reduced["t_s"].is_sorted()
    assert reduced["rss_bytes"].max() == frame["rss_bytes"].max()
    assert reduced["rss_bytes"].min() == frame["rss_bytes"].min()
    if rows:
        assert (reduced.row(0), reduced.row(-1)) == (frame.row(0), frame.row(-1))


@given(_ROWS, st.integers(2, 20))
def test_the_order_of_the_rows_does_not_matter(rows, n_buckets):
    forward = reduce_timeline(_frame(rows), n_buckets=n_buckets)
    assert reduce_timeline(_frame(rows[::-1]), n_buckets=n_buckets).equals(forward)
