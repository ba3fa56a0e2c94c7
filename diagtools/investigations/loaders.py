"""Which ways of loading a model are there to measure?  Those of the program under study, or callables of one's own."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import workloads
from diagtools.errors import UsageError
from workloads.rag.models import find_package

OWN_INFER = "workloads.rag.loaders.run:embed"
_MODULES = {
    "file": "onnx_file",
    "bytes": "onnx_bytes",
    "no arena": "onnx_no_arena",
    "int8": "onnx_int8",
    "shared": "onnx_shared",
    "numpy": "numpy_copied",
    "mapped": "numpy_mapped",
    "lazy": "on_first_use",
    "torch": "torch_sentences",
}
MEANING = {
    "file": "onnxruntime reads the graph's file",
    "bytes": "onnxruntime is given the file's bytes",
    "no arena": "from the file, without onnxruntime's arena",
    "int8": "onnxruntime, weights quantised to 8 bits",
    "shared": "onnxruntime maps weights written once for all processes",
    "numpy": "weights copied into arrays of numpy",
    "mapped": "weights mapped from the file, computed by numpy",
    "lazy": "as 'file', imported and loaded at first use, and counted together",
    "torch": "sentence-transformers on torch",
}
OPTIONAL = "torch"
#: What an import of it fails with where it is not installed.
OPTIONAL_PACKAGES = ("torch", "sentence_transformers")
_HINT = "write MODULE:CALLABLE, for instance mypkg.models:load."


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way of loading: ``loader`` and ``infer`` are ``module:callable``; ``infer`` is empty where it is not run."""

    name: str
    loader: str
    infer: str
    meaning: str
    python: str = sys.executable
    is_optional: bool = False
    search_path: str = ""  #: where the module lies besides the working folder


def own_ways(names: str, *, torch_python: str = "") -> list[Way]:
    """Ways of the program under study, by name with commas between.  Raises ``UsageError`` for an unknown one."""
    wanted = list(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    unknown = [name for name in wanted if name not in _MODULES]
    if unknown:
        raise UsageError(
            f"There is no way of loading called {unknown[0]!r}.", hint=f"some of: {', '.join(_MODULES)}."
        )
    return [
        Way(
            name=name,
            loader=f"workloads.rag.loaders.{_MODULES[name]}:load",
            infer=OWN_INFER,
            meaning=MEANING[name],
            python=(name == OPTIONAL and torch_python) or sys.executable,
            is_optional=name == OPTIONAL,
            search_path=str(Path(workloads.__path__[0]).parent),
        )
        for name in wanted
    ]


def ways_of(loaders: str, infer: str, *, python: str = "") -> list[Way]:
    """Loaders of one's own, ``module:callable`` with commas between.  Raises ``UsageError`` for what names nothing."""
    wanted = list(dict.fromkeys(name.strip() for name in loaders.split(",") if name.strip()))
    for parameter, name in [*(("loader", name) for name in wanted), *([("infer", infer)] if infer else [])]:
        module, _, path = name.partition(":")
        if not all(part.isidentifier() for part in [*module.split("."), *path.split(".")]):
            raise UsageError(f"{parameter}={name!r} does not name a callable.", hint=_HINT)
    return [
        Way(
            name=name,
            loader=name,
            infer=infer,
            meaning="a loader of one's own",
            python=python or sys.executable,
        )
        for name in wanted
    ]


def own_model_bytes() -> int:
    """How large are the weights of the program's own model?  Raises ``ModelError`` where it is not installed."""
    return find_package().weights.stat().st_size
