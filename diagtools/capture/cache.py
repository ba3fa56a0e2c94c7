"""Where is kept what can be made again: environments with other versions, checkouts of other revisions?"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path

from diagtools.errors import UnavailableError

CACHE_VARIABLE = "DIAGTOOLS_CACHE"
#: What is being made, or thrown away, has such a name; one that is a day old belongs to somebody who was killed.
UNFINISHED = ".unfinished-"
_ABANDONED_S = 86_400.0


def cache_folder(kind: str) -> Path:
    """The folder for things of this kind, made where it is missing, readable by its owner only.

    Below ``$DIAGTOOLS_CACHE``, else ``$XDG_CACHE_HOME/diagtools``, else ``~/.cache/diagtools``; all of it may be
    deleted at any time.  Raises ``UnavailableError`` where it cannot be written.
    """
    folder = _top() / kind
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sweep(folder)
    except OSError as error:
        raise UnavailableError(
            f"The cache '{folder}' cannot be written: {error.strerror}.",
            hint=f"set {CACHE_VARIABLE} to a writable folder.",
        ) from error
    return folder.resolve()


def _top() -> Path:
    if own := os.environ.get(CACHE_VARIABLE):
        return Path(own)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "diagtools"
    except RuntimeError as error:
        raise UnavailableError(
            "There is no home folder to keep a cache in.", hint=f"set {CACHE_VARIABLE} to a writable folder."
        ) from error


def _sweep(folder: Path) -> None:
    for path in folder.glob(f"{UNFINISHED}*"):
        with contextlib.suppress(OSError):  # somebody else swept it
            if time.time() - path.stat().st_mtime > _ABANDONED_S:
                shutil.rmtree(path, ignore_errors=True)
