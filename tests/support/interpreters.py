"""The CPythons that stand on this machine: whatever runs inside the target is tried on each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

_FIRST, _LAST = 9, 15
_VERSIONS = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
#: The interpreter below our environment: it has no diagtools of its own.
BARE: str = getattr(sys, "_base_executable", sys.executable)


@cache
def installed(version: str) -> tuple[str, ...]:
    """Interpreters of this version, such as ``"3.6"``, that run here: of pyenv or on the PATH."""
    paths = [str(path) for path in sorted(_VERSIONS.glob(f"{version}.*/bin/python"))]
    paths += [path for path in [shutil.which(f"python{version}")] if path]
    return tuple(
        path for path in paths if subprocess.run([path, "-c", ""], capture_output=True).returncode == 0
    )


def interpreters(own: str = sys.executable) -> list[Any]:
    """Every CPython from 3.9 on that is found here, one of each version; ``own``, which runs the tests, first."""
    found = {sys.version_info[1]: own}
    for minor in range(_FIRST, _LAST + 1):
        for path in installed(f"3.{minor}")[:1]:
            found.setdefault(minor, path)
    return [pytest.param(path, id=f"3.{minor}") for minor, path in found.items()]


every_python = pytest.mark.parametrize("python", interpreters())
