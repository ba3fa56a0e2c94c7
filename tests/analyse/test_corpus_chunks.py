"""Into how many chunks would an indexer cut each file?"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.corpus_chunks import CHUNKS_ERROR_SHARE, estimate_chunks, learned_chunk_chars
from diagtools.read.corpus import read_corpus
from workloads.rag.chunking import chunk
from workloads.rag.symbols import outline

SOURCE = Path(__file__).resolve().parents[2] / "diagtools"


def n_chunks(build, chunk_chars=2_000, **file):
    return estimate_chunks(build.corpus(file), chunk_chars)["n_chunks"][0]


@pytest.mark.parametrize(
    ("shape", "n"),
    [
        ({"n_lines": 0, "mean_line": None, "space_share": None}, 0),
        ({"n_lines": 9, "mean_line": 1.0, "space_share": 1.0}, 0),
        ({"n_lines": 1, "mean_line": 1.0}, 1),
        ({"n_lines": 50, "mean_line": 40.0}, 1),
        ({"n_lines": 400, "mean_line": 40.0}, 10),  # 16,000 characters, chunks four fifths full
        ({"n_lines": 1, "mean_line": 16_000.0}, 8),  # one line: chunks are full
        ({"n_lines": None, "mean_line": None}, None),
    ],
)
def test_chunks_follow_from_characters_and_lines(build, shape, n):
    assert n_chunks(build, **shape) == n


def test_shorter_chunks_are_more(build):
    assert n_chunks(build, 500, n_lines=400, mean_line=40.0) == 40


def test_the_chunker_of_the_program_under_study_makes_about_as_many():
    """Held out: the estimate was fitted to other packages."""
    paths = [str(path.relative_to(SOURCE)) for path in sorted(SOURCE.rglob("*.py"))]
    estimated = estimate_chunks(read_corpus(SOURCE, paths))
    texts = [(SOURCE / path).read_text(encoding="utf-8") for path in paths]
    real = sum(len(chunk(text, outline(text, "a.py").symbols).chunks) for text in texts)
    assert estimated["n_chunks"].sum() == pytest.approx(real, rel=CHUNKS_ERROR_SHARE)


@pytest.mark.parametrize(("times", "chars"), [(1, 2_000), (4, 500), (0.5, 4_000)])
def test_what_a_run_told_gives_the_length_of_a_chunk(build, times, chars):
    corpus = build.corpus(*({"path": str(n), "n_lines": 400, "mean_line": 40.0} for n in range(8)))
    told = pl.DataFrame({"path": [str(n) for n in range(8)], "n_real": [10.0 * times] * 8})
    assert learned_chunk_chars(corpus, told) == chars
    assert learned_chunk_chars(corpus, told.head(7)) is None
    assert learned_chunk_chars(corpus, told.with_columns(n_real=pl.lit(0.0))) is None


@given(st.lists(st.tuples(st.integers(0, 10**6), st.floats(0, 10**6)), max_size=6), st.integers(1, 10**4))
def test_a_text_is_at_least_one_chunk_and_never_less_than_its_characters_need(build, shapes, chunk_chars):
    files = [{"n_lines": n, "mean_line": mean} for n, mean in shapes]
    for row in estimate_chunks(build.corpus(*files), chunk_chars).iter_rows(named=True):
        chars = row["n_lines"] * row["mean_line"]
        assert (
            row["n_chunks"] == 0
            if row["n_lines"] == 0
            else row["n_chunks"] >= max(1, chars / chunk_chars - 1)
        )
