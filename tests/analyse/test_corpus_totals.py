"""Totals of a corpus sum to its files, in whatever parts they come."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.corpus_totals import Tally, fold_deepest, folder_of, suffix_of, totals
from diagtools.frames import CORPUS_TOTALS, PASSED_OVER

COUNTS = ("n_files", "size_bytes", "n_chunks", "generated_bytes")


def passed(*rows):
    """PASSED_OVER of (path, reason, is_folder, size)."""
    names = PASSED_OVER.columns
    return PASSED_OVER.from_columns({name: [row[i] for row in rows] for i, name in enumerate(names)})


def corpus(build, *files):
    """CORPUS of (path, kind, size, chunks)."""
    names = ("path", "kind", "size_bytes", "n_chunks")
    return build.corpus(*(dict(zip(names, file, strict=True)) for file in files))


def sums(frame):
    return frame.select(pl.col(*COUNTS).sum()).row(0)


FILES = (
    ("a.py", "hand-written", 100, 1),
    ("web/b.js", "generated", 300, 9),
    ("web/c.py", "hand-written", 100, 2),
    ("web/deep/d.js", "generated", 0, 0),
)


def test_each_key_has_its_files_bytes_and_chunks(build):
    by_folder = totals(corpus(build, *FILES), folder_of(pl.col("path")))
    assert by_folder.rows() == [
        ("web", 2, 400, 11, 300, 0.75),
        (".", 1, 100, 1, 0, 0.0),
        ("web/deep", 1, 0, 0, 0, None),
    ]


def test_a_tally_of_parts_is_that_of_the_whole(build):
    whole, parts = Tally(), Tally()
    whole.add(corpus(build, *FILES), passed(("x", "FIFO", False, 0), ("y", "ignored by git", True, None)))
    for file in FILES:
        parts.add(corpus(build, file), passed())
    parts.add(corpus(build), passed(("x", "FIFO", False, 0)))
    parts.add(corpus(build), passed(("y", "ignored by git", True, None)))
    assert whole.whole == parts.whole == {"n_files": 4, "size_bytes": 500, "n_chunks": 12}
    for name in ("kinds", "folders", "vendored", "passed_over", "largest"):
        assert getattr(whole, name).equals(getattr(parts, name)), name
    assert whole.passed_over.rows() == [("FIFO", 1, 0, 0, "x"), ("ignored by git", 0, 1, 0, "y")]


FOLDERS = st.lists(st.sampled_from("abc"), max_size=4).map(lambda names: "/".join([*names, "f.py"]))
ROWS = st.lists(
    st.tuples(
        FOLDERS, st.sampled_from(["generated", "hand-written"]), st.integers(0, 10**6), st.integers(0, 500)
    ),
    max_size=25,
)


@given(ROWS, st.integers(1, 8))
def test_folded_folders_hold_what_all_hold_and_are_no_more_than_asked(build, rows, most):
    folders = totals(corpus(build, *rows), folder_of(pl.col("path")))
    folded = CORPUS_TOTALS.check(fold_deepest(folders, most))
    assert sums(folded) == sums(folders)
    assert folded.height <= most
    assert set(folded["key"]) <= {".", *(key[:n] for key in folders["key"] for n in range(1, len(key) + 1))}


@given(ROWS, st.integers(1, 7))
def test_a_tally_keeps_sums_and_the_largest_of_each_kind(build, rows, n_parts):
    tally = Tally(most=250)
    for start in range(n_parts):
        tally.add(corpus(build, *rows[start::n_parts]), passed())
    chunks = [row[3] for row in rows]
    assert tally.whole["n_chunks"] == sum(chunks)
    assert sums(tally.kinds) == sums(tally.folders)
    assert tally.n_over == sum(n > 250 for n in chunks)
    for kind in {row[1] for row in rows}:
        largest = tally.largest.filter(pl.col("kind") == kind)["n_chunks"].max()
        assert largest == max(row[3] for row in rows if row[1] == kind)


def test_many_folders_are_folded_and_it_is_known(build, monkeypatch):
    monkeypatch.setattr("diagtools.analyse.corpus_totals.MOST_FOLDERS", 2)
    tally = Tally()
    tally.add(corpus(build, *FILES), passed())
    assert tally.is_folded
    assert dict(tally.folders.select("key", "n_files").iter_rows()) == {"web": 3, ".": 1}


def test_only_the_files_that_an_indexer_takes_are_ranked(build):
    tally = Tally(suffixes={".py"}, most=1)
    tally.add(corpus(build, *FILES), passed())
    assert (tally.n_taken, tally.n_over, tally.largest["path"].to_list()) == (2, 1, ["web/c.py", "a.py"])
    assert tally.whole["n_files"] == 4


@pytest.mark.parametrize(
    ("path", "suffix"),
    [("a/b.PY", ".py"), ("b.tar.gz", ".gz"), ("a.d/Makefile", "makefile"), (".env", ".env"), ("a.", ".")],
)
def test_the_suffix_of_a_name(path, suffix):
    assert pl.DataFrame({"path": [path]}).select(suffix_of(pl.col("path"))).item() == suffix
