"""A command that writes files is given an empty folder to work in, so that one run does not find what another left."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from diagtools.values import Target


@contextlib.contextmanager
def fresh_folder(target: Target) -> Iterator[Target]:
    """The same command in an empty folder, which is removed afterwards.

    Words of the command that name something where it would have worked are made absolute, and modules there are still
    found by ``python -m``.
    """
    usual = Path(target.cwd or Path.cwd()).resolve()
    paths = [*filter(None, [{**os.environ, **target.env}.get("PYTHONPATH", "")])]
    with tempfile.TemporaryDirectory(prefix="diagtools-") as folder:
        yield dataclasses.replace(
            target,
            argv=tuple(_absolute(word, usual) for word in target.argv),
            cwd=Path(folder),
            env={**target.env, "PYTHONPATH": os.pathsep.join([str(usual), *paths])},
        )


def _absolute(word: str, usual: Path) -> str:
    is_path = not Path(word).is_absolute() and word not in ("", ".", "..") and (os.sep in word or "." in word)
    return str(usual / word) if is_path and (usual / word).exists() else word
