"""Is it the same model in whatever way it is loaded, and is a changed cache never taken for it?"""

import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from workloads.rag.errors import ModelError
from workloads.rag.loaders.derived import GRAPH, INT8, RECORD, SHARED, WEIGHTS, check, find_derived
from workloads.rag.loaders.forward import gelu
from workloads.rag.loaders.numpy_mapped import mapped
from workloads.rag.loaders.run import SHORT, embed
from workloads.rag.models import Model, find_package

EXACT = ("onnx_bytes", "onnx_no_arena", "onnx_shared", "numpy_copied", "numpy_mapped", "on_first_use")


def loaded(name: str):
    return importlib.import_module(f"workloads.rag.loaders.{name}").load()


@pytest.fixture(scope="module")
def reference(model: Model):
    return embed(loaded("onnx_file"))


@pytest.fixture(scope="module")
def shared(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph of its own in a cache of its own, its shared form made."""
    graph = tmp_path_factory.mktemp("cache") / model.graph.name
    shutil.copyfile(model.graph, graph)
    find_derived(graph, SHARED)
    return graph


@pytest.fixture
def cached(shared: Path, tmp_path: Path) -> tuple[Path, Path]:
    """The shared form's folder, to be spoilt, and the graph that it was made of."""
    source = shared.with_name(f"{shared.stem}-{SHARED}")
    folder = tmp_path / source.name
    shutil.copytree(source, folder)
    return folder, shared


@pytest.mark.parametrize("name", EXACT)
def test_every_way_gives_the_same_vectors(name: str, reference) -> None:
    found = embed(loaded(name))
    assert found.shape == (len(SHORT), 384)
    assert np.abs(found - reference).max() < 1e-6
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)


def test_sentence_transformers_gives_the_same_vectors_where_it_is_installed(reference) -> None:
    pytest.importorskip("sentence_transformers")
    assert np.abs(embed(loaded("torch_sentences")) - reference).max() < 1e-6


def test_eight_bits_give_others_that_are_near(reference) -> None:
    cosines = (embed(loaded("onnx_int8")) * reference).sum(1)
    assert 0.8 < cosines.min() < 0.999
    assert np.median(cosines) > 0.9


def test_a_number_of_texts_is_one_batch(model: Model) -> None:
    class Counted:
        def __init__(self) -> None:
            self.batches: list[int] = []

        def embed(self, texts):
            self.batches.append(len(texts))
            return np.zeros((len(texts), 384), np.float32)

    counted = Counted()
    assert embed(counted, 5).shape == (5, 384)
    assert counted.batches == [5]


def test_mapped_weights_are_views_of_the_file(model: Model) -> None:
    weights = mapped(find_package().weights)
    words = weights["embeddings.word_embeddings.weight"]
    assert words.shape == (30522, 384)
    assert not words.flags.owndata
    assert not words.flags.writeable


def test_what_is_no_file_of_weights_is_said(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes((2**60).to_bytes(8, "little") + b"{}")
    with pytest.raises(ModelError, match="is no file of safetensors: a header of"):
        mapped(path)
    path.write_bytes((2).to_bytes(8, "little") + b"{]" + bytes(8))
    with pytest.raises(ModelError, match="is no file of safetensors"):
        mapped(path)


def test_a_lazy_model_imports_and_loads_nothing_before_its_first_text(model: Model) -> None:
    code = (
        "import sys; from workloads.rag.loaders import on_first_use, run; made = on_first_use.load(); "
        "print('onnxruntime' in sys.modules); run.embed(made); print('onnxruntime' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_gelu_is_that_of_the_paper() -> None:
    """Gelu is x · Φ(x): 0.8413447 at 1, by a table of the normal distribution."""
    found = gelu(np.array([-1, 0, 1, 3], np.float32))
    assert np.allclose(found, [-0.1586553, 0, 0.8413447, 2.9959503], atol=2e-6)


# --- what is made once ---------------------------------------------------------------------------------


def test_what_was_made_is_taken_by_everybody_after(shared: Path) -> None:
    folder = shared.with_name(f"{shared.stem}-{SHARED}")
    made = (folder / WEIGHTS).stat()
    assert find_derived(shared, SHARED) == folder / GRAPH
    assert (folder / WEIGHTS).stat().st_mtime_ns == made.st_mtime_ns
    assert made.st_size > 80_000_000
    assert (folder / GRAPH).stat().st_size < 1_000_000
    assert [one.name for one in shared.parent.iterdir() if one.name.startswith(".")] == []


def test_a_changed_weight_is_no_model(cached: tuple[Path, Path]) -> None:
    folder, graph = cached
    check(folder, graph, SHARED)
    with (folder / WEIGHTS).open("r+b") as file:
        file.seek(12_345_678)
        byte = file.read(1)
        file.seek(12_345_678)
        file.write(bytes([byte[0] ^ 1]))
    with pytest.raises(
        ModelError, match=r"weights\.bin of the shared model in .* was changed: sha256 .*Hint: delete"
    ):
        check(folder, graph, SHARED)


def test_another_version_is_no_model(cached: tuple[Path, Path]) -> None:
    folder, graph = cached
    record = json.loads((folder / RECORD).read_text())
    (folder / RECORD).write_text(json.dumps({**record, "version": 99}))
    with pytest.raises(ModelError, match="is of version 99, and version 1 is wanted"):
        check(folder, graph, SHARED)


def test_one_made_of_another_graph_is_no_model(cached: tuple[Path, Path]) -> None:
    folder, graph = cached
    with pytest.raises(ModelError, match=r"was made of minilm-.*, not of other\.onnx"):
        check(folder, graph.with_name("other.onnx"), SHARED)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"version": 1}', '{"version": 1, "graph": "g", "files": 3}']
)
def test_a_broken_record_is_said(cached: tuple[Path, Path], text: str) -> None:
    folder, graph = cached
    (folder / RECORD).write_text(text)
    with pytest.raises(ModelError, match="has no record of what it is"):
        check(folder, graph, SHARED)


def test_a_missing_file_is_said(cached: tuple[Path, Path]) -> None:
    folder, graph = cached
    (folder / WEIGHTS).unlink()
    with pytest.raises(ModelError, match=r"weights\.bin cannot be read"):
        check(folder, graph, SHARED)


def test_what_cannot_be_made_leaves_nothing_behind(tmp_path: Path) -> None:
    graph = tmp_path / "broken.onnx"
    graph.write_bytes(b"no graph")
    with pytest.raises(ModelError, match="The int8 model could not be made"):
        find_derived(graph, INT8)
    assert [one.name for one in tmp_path.iterdir()] == ["broken.onnx"]
