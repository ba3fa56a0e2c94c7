"""Which files are made once of the graph and kept for every process and run, and are they what was written?

Beside each lies ``<name>.json``: the version of what made it, the hash of the graph that it was made of, and the hash
of each file.  Another version or another hash is an error, never a model that is slightly different.
"""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from workloads.rag.errors import ModelError

INT8, SHARED = "int8", "shared"
VERSION = 1  # counts changes of build.py
GRAPH, WEIGHTS = "model.onnx", "weights.bin"
RECORD = "made.json"
_HINT = "delete the folder; it is made again."


def find_derived(graph: Path, kind: str) -> Path:
    """Where is the graph of that kind made of this one?  Makes it where there is none.

    Raises ModelError where it cannot be made, and where what lies there is of another version, was made of another
    graph, or was changed since.
    """
    folder = graph.with_name(f"{graph.stem}-{kind}")
    if not folder.is_dir():
        _make(graph, kind, folder)
    check(folder, graph, kind)
    return folder / GRAPH


def check(folder: Path, graph: Path, kind: str) -> None:
    """Is it what was written, by this version, of this graph?  Raises ModelError where not."""
    try:
        told = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        made_by, made_of, files = told["version"], told["graph"], dict(told["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"The {kind} model in {folder} has no record of what it is: {error}.", hint=_HINT
        ) from error
    if made_by != VERSION:
        fact = f"The {kind} model in {folder} is of version {made_by}, and version {VERSION} is wanted."
        raise ModelError(fact, hint=_HINT)
    if made_of != graph.name:
        raise ModelError(
            f"The {kind} model in {folder} was made of {made_of}, not of {graph.name}.", hint=_HINT
        )
    for name in _names(kind):
        found, wanted = sha256(folder / name), str(files.get(name))
        if found != wanted:
            fact = (
                f"{name} of the {kind} model in {folder} was changed: sha256 {found[:12]}, not {wanted[:12]}."
            )
            raise ModelError(fact, hint=_HINT)


def sha256(path: Path) -> str:
    """The hash of a file; raises ModelError where it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}.", hint=_HINT) from error


def _names(kind: str) -> tuple[str, ...]:
    return (GRAPH, WEIGHTS) if kind == SHARED else (GRAPH,)


def _make(graph: Path, kind: str, folder: Path) -> None:
    """Beside the place, then renamed: whoever comes at the same time sees all of it or nothing."""
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=graph.parent))
    try:
        _build(graph, kind, partial)
        files = {name: sha256(partial / name) for name in _names(kind)}
        record = {"version": VERSION, "graph": graph.name, "files": files}
        (partial / RECORD).write_text(json.dumps(record), encoding="utf-8")
        with contextlib.suppress(OSError):  # somebody else was first: theirs is checked as ours would be
            partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _build(graph: Path, kind: str, partial: Path) -> None:
    """In a process of its own: what building takes is not the program's memory."""
    root = str(Path(__file__).resolve().parents[3])
    search_path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "workloads.rag.loaders.build", kind, str(graph), str(partial)]
    try:
        subprocess.run(
            command,
            env={**os.environ, "PYTHONPATH": search_path},
            check=True,
            capture_output=True,
            text=True,
            errors="replace",
        )
    except subprocess.CalledProcessError as error:
        why = (error.stderr.strip().splitlines() or [f"exit status {error.returncode}"])[-1]
        hint = "pip install onnx; 100 MB must be free in the cache."
        raise ModelError(f"The {kind} model could not be made: {why}.", hint=hint) from error
