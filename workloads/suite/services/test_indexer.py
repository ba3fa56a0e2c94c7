"""Does the indexer keep its books, file by file?"""

from collections.abc import Callable
from pathlib import Path

import pytest

from workloads.rag import indexer as indexing
from workloads.rag.config import IndexConfig
from workloads.rag.corpus import walk_folder
from workloads.rag.indexer import Indexer
from workloads.rag.models import WIDTH

FUNCTION = "import os\n\n\ndef add(left, right):\n    return left + right\n"
THREE = {"a.py": FUNCTION, "b.py": b"\0", "c.md": "some words\n"}


@pytest.fixture
def indexer(tree: Callable[..., Path]) -> Indexer:
    """One that has been given three files, one of which is not text."""
    root = tree(THREE)
    loaded = indexing.load_indexer(IndexConfig(folder=root, threads=1))
    for file in walk_folder(root).files:
        loaded.add(file)
    return loaded


def test_what_could_be_indexed_is_counted(indexer: Indexer) -> None:
    """Two files of one chunk each."""
    counts = indexer.counts()
    assert (counts.files_indexed, counts.chunks) == (2, 2)


def test_the_vectors_are_as_many_as_the_chunks(indexer: Indexer) -> None:
    """Each has the width of the model."""
    assert indexer.vectors.matrix().shape == (2, WIDTH)
    assert indexer.counts().vectors_bytes == 2 * WIDTH * 4


def test_the_graph_knows_only_what_was_indexed(indexer: Indexer) -> None:
    """Two files, one function, one module; two edges."""
    counts = indexer.counts()
    assert (counts.graph_nodes, counts.graph_edges) == (4, 2)


def test_a_failure_is_of_one_file(indexer: Indexer) -> None:
    """It is named with its reason."""
    assert [(one.path, one.error) for one in indexer.failures] == [("b.py", "binary: it holds NUL bytes")]


def test_a_file_that_went_away_is_a_failure(indexer: Indexer, tmp_path: Path) -> None:
    """It was there when the folder was listed."""
    (late,) = [one for one in walk_folder(tmp_path / "tree").files if one.relative == "a.py"]
    late.path.unlink()
    indexer.add(late)
    assert indexer.failures[-1].error == "No such file or directory"
    assert indexer.n_files == 2


def test_the_same_text_has_the_same_vector(indexer: Indexer, tree: Callable[..., Path]) -> None:
    """In whichever file."""
    root = tree({"d.py": FUNCTION})
    indexer.add(next(one for one in walk_folder(root).files if one.relative == "d.py"))
    rows = indexer.vectors.matrix()
    assert float(rows[0] @ rows[-1]) == pytest.approx(1, abs=1e-5)
