"""A corpus becomes one Parquet file, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from diagtools.errors import UsageError
from diagtools.frames import CORPUS
from diagtools.read.corpus_file import CorpusWriter


def corpus(*paths: str) -> pl.DataFrame:
    """CORPUS of files of 7 bytes."""
    columns: dict[str, list[object]] = {name: [None] * len(paths) for name in CORPUS.columns}
    return CORPUS.from_columns({**columns, "path": [*paths], "size_bytes": [7] * len(paths)})


@pytest.mark.parametrize("rows", [1, 2, 1_000])
def test_batches_become_one_file_in_their_order(
    tmp_path: Path, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diagtools.read.corpus_file._ROWS_OF_A_PART", rows)
    with CorpusWriter(tmp_path / "all.parquet") as file:
        for batch in (corpus("a", "b"), corpus(), corpus("c")):
            file.write(batch)
    assert CORPUS.check(pl.read_parquet(tmp_path / "all.parquet")).equals(corpus("a", "b", "c"))
    assert [path.name for path in tmp_path.iterdir()] == ["all.parquet"]


def test_an_empty_corpus_is_a_file_without_rows(tmp_path: Path) -> None:
    with CorpusWriter(tmp_path / "all.parquet"):
        pass
    assert CORPUS.check(pl.read_parquet(tmp_path / "all.parquet")).is_empty()


def test_what_fails_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    (tmp_path / "all.parquet").write_text("before")

    def fail() -> None:
        with CorpusWriter(tmp_path / "all.parquet") as file:
            file.write(corpus("a"))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]


@pytest.mark.parametrize("name", ["all.csv", "nowhere/all.parquet"])
def test_what_cannot_be_written_is_refused_before_anything_is_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="Hint: "), CorpusWriter(tmp_path / name):
        pytest.fail("nothing is to be read")
