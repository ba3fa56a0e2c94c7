"""Does the fake answer as the model does, and without its libraries?"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from workloads.rag.corpus import walk_folder
from workloads.rag.fakes import (
    FakeEmbedder,
    fake_embedder,
    fake_indexer,
    features,
    mock_embedder,  # noqa: F401 - taken as fixtures
    mock_indexer,  # noqa: F401
    vector,
)
from workloads.rag.indexer import Indexer
from workloads.rag.models import WIDTH

READ = "def read_text(path): return path.read_bytes().decode()"
ALIKE = "def read_lines(path): return path.read_bytes().decode().splitlines()"
OTHER = "class Invoice: total_cents: int; due_date: date"


def nearness(one: str, other: str) -> float:
    return float(vector(one) @ vector(other))


def test_vectors_are_as_those_of_the_model() -> None:
    rows = fake_embedder().embed([READ, ALIKE, OTHER], batch=2, timeout_s=1.0)
    assert (rows.shape, rows.dtype) == ((3, WIDTH), np.float32)
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1, 1, 1], abs=1e-6)
    assert fake_embedder().embed([]).shape == (0, WIDTH)


def test_texts_that_share_words_are_near_and_others_are_not() -> None:
    assert nearness(READ, READ) == pytest.approx(1, abs=1e-6)
    assert nearness(READ, ALIKE) > 0.7
    assert abs(nearness(READ, OTHER)) < 0.3
    assert nearness("tokenise the text", "tokenising texts") > nearness("tokenise the text", "open a socket")


def test_words_are_found_in_names() -> None:
    found = [feature for feature, weight in features("readLines HTTP_code2") if weight > 1]
    assert found == ["read", "lines", "http", "code", "2"]
    assert [feature for feature, _ in features("ab")] == ["ab", "^ab", "ab$"]


@pytest.mark.parametrize("text", ["", " \n", "\ud800", "é", "日本語", "\0"])
def test_every_text_has_a_vector_of_length_one(text: str) -> None:
    assert float(np.linalg.norm(vector(text))) == pytest.approx(1, abs=1e-6)


def test_another_process_gives_the_same_vector() -> None:
    code = f"from workloads.rag.fakes import vector; print(vector({READ!r}).tobytes().hex())"
    environment = {"PYTHONHASHSEED": "7", "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == vector(READ).tobytes().hex()


def test_the_fake_indexer_loads_no_library_of_the_model(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    code = f"""
import sys
sys.path[:0] = {sys.path!r}
from pathlib import Path
from workloads.rag.config import IndexConfig
from workloads.rag.fakes import fake_indexer
from workloads.rag.corpus import walk_folder
indexer = fake_indexer(IndexConfig(folder=Path({str(tmp_path)!r}), threads=1))
for file in walk_folder(Path({str(tmp_path)!r})).files:
    indexer.add(file)
print(indexer.counts().chunks, sorted({{"onnxruntime", "tokenizers", "onnx"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("1 []\n", "")


def test_the_fixtures_are_ready(
    mock_embedder: FakeEmbedder,  # noqa: F811
    mock_indexer: Indexer,  # noqa: F811
    tree: Callable[..., Path],
) -> None:
    for file in walk_folder(tree({"a.py": READ, "b.py": "\0"})).files:
        mock_indexer.add(file)
    assert (mock_indexer.n_files, len(mock_indexer.failures)) == (1, 1)
    assert (mock_indexer.vectors.matrix() == mock_embedder.embed([READ])).all()
    assert isinstance(fake_indexer(mock_indexer.config).embedder, FakeEmbedder)
