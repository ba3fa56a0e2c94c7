"""The rows of a tree sum to the whole, and name where most lies."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.corpus_branches import branches
from diagtools.analyse.corpus_totals import fold_deepest
from diagtools.frames import CORPUS_TOTALS


def folders(*rows):
    """CORPUS_TOTALS of (folder, chunks), a file and ten bytes a chunk each."""
    return CORPUS_TOTALS.from_columns(
        {
            "key": [key for key, _ in rows],
            "n_files": [1] * len(rows),
            "size_bytes": [10 * n for _, n in rows],
            "n_chunks": [n for _, n in rows],
            "generated_bytes": [0] * len(rows),
            "generated_share": [0.0 if n else None for _, n in rows],
        }
    )


def shares(frame):
    return dict(frame.select("key", "n_chunks").iter_rows())


TREE = ((".", 5), ("src", 10), ("src/core", 50), ("src/core/deep", 20), ("web", 100), ("docs", 15))


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (1, {"all files": 200}),
        (2, {"web": 100, "others": 100}),
        (3, {"web": 100, "src": 80, "others": 20}),
        (4, {"web": 100, "src/core": 70, "src/…": 10, "others": 20}),
        (9, {"web": 100, "src/core/…": 50, "src/core/deep": 20, "src/…": 10, "docs": 15, "others": 5}),
    ],
)
def test_the_heaviest_row_is_parted_first(n, expected):
    assert shares(branches(folders(*TREE), n)) == expected


def test_folders_that_hold_nothing_themselves_take_no_row():
    found = branches(folders(("src/main/java/org", 9), ("src/test", 1)), 2)
    assert shares(found) == {"src/main": 9, "src/…": 1}


def test_nothing_has_no_rows():
    assert branches(CORPUS_TOTALS.empty()).is_empty()


PATHS = st.lists(st.sampled_from("ab"), max_size=5).map(lambda names: "/".join(names) or ".")


@given(st.dictionaries(PATHS, st.integers(0, 1_000), max_size=20), st.integers(1, 9))
def test_rows_sum_to_the_whole_and_are_no_more_than_asked(weights, n):
    frame = folders(*weights.items())
    found = CORPUS_TOTALS.check(branches(frame, n))
    assert found["n_chunks"].sum() == frame["n_chunks"].sum()
    assert found["n_files"].sum() == frame["n_files"].sum()
    assert found.filter(pl.col("n_chunks") > 0).height <= n
    assert fold_deepest(frame, 1)["n_chunks"].sum() == frame["n_chunks"].sum()
