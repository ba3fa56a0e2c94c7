"""Which file of a model is there from an earlier run?  It is fetched or built once, for all runs and all workers.

In a loader::

    path = kept_file("minilm.onnx", make=download, sha256="53aa…")

The folder is ``$DIAGTOOLS_MODELS``, or else ``diagtools-models`` in the user's cache: a CI job keeps it between runs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from diagtools.errors import DamagedError, UsageError

VARIABLE = "DIAGTOOLS_MODELS"
_SHOWN_DIGITS = 12


def kept_file(name: str, *, make: Callable[[Path], object], sha256: str = "", version: str = "") -> Path:
    """Where is this file of a model?  Where it is not there yet, ``make`` writes it to the path that it is given.

    A file that is fetched has its ``sha256``, one that is built the ``version`` of what builds it; other hashes and
    versions are other files.  One that was damaged is made again.  Whoever asks meanwhile waits, and never sees half a
    file.  Raises ``UsageError`` for a name that is a path, ``DamagedError`` where ``make`` wrote something else, and
    whatever ``make`` raises.
    """
    if bool(sha256) == bool(version):
        raise UsageError(
            f"{name!r} needs a sha256 or a version, not both.", hint="pass sha256=… of what is fetched."
        )
    if name in {"", ".."} or Path(name).name != name:
        raise UsageError(f"{name!r} is not the name of a file.", hint="pass a name such as 'model.onnx'.")
    path = _folder() / _plain(sha256[:_SHOWN_DIGITS] or version) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path.with_name(f".{name}.lock")):
        if _is_whole(path, sha256):
            return path
        partial = path.with_name(f".{name}.partial")
        partial.unlink(missing_ok=True)
        make(partial)
        found = _hash(partial)
        if sha256 and found != sha256.lower():
            raise DamagedError(
                f"'{name}' was made with sha256 {found[:_SHOWN_DIGITS]}, wanted is {sha256[:_SHOWN_DIGITS]}.",
                hint="correct the address or the hash that is passed to kept_file.",
            )
        _note(path).write_text(found)
        partial.replace(path)
    return path


def _folder() -> Path:
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (cache if cache.is_absolute() else Path.home() / ".cache") / "diagtools-models"


def _plain(text: str) -> str:
    """A name of a folder, whatever the version is."""
    return "".join(letter if letter.isalnum() or letter in "-_+" else "_" for letter in text)


def _is_whole(path: Path, sha256: str) -> bool:
    """Is it what was once made?  The note beside it holds the hash of that."""
    try:
        return _hash(path) == (sha256.lower() or _note(path).read_text())
    except OSError:
        return False


def _note(path: Path) -> Path:
    return path.with_name(f".{path.name}.sha256")


def _hash(path: Path) -> str:
    import hashlib

    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time; where files cannot be locked, whoever comes last wins."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)
