"""What is an interpreter, and what is installed for it?"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from diagtools.errors import UsageError

_PATIENCE_S = 60
_OLDEST = (3, 9)
_HINT = "name another Python: --python PATH"
#: Of two distributions of one name, the first on the path is the one that is imported.
_ASK = """
import json, platform, sys, sysconfig
told = {"python": list(sys.version_info[:3]), "implementation": platform.python_implementation()}
if sys.version_info >= (3, 9):
    from importlib.metadata import distributions
    told["is"] = [sys.version, sysconfig.get_platform(), sys.prefix, str(sysconfig.get_config_var("SOABI"))]
    told["path"] = [place for place in sys.path if place]
    told["installed"] = [
        [one.metadata["Name"], one.version, one.read_text("direct_url.json")] for one in distributions()
    ]
print(json.dumps(told))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An interpreter, ``identity``, its ``path``, and which versions are ``installed``, by their normalised names.

    ``projects`` are the folders of what is installed so that it can be edited (``pip install -e``).
    """

    python: str
    version: str
    identity: tuple[str, ...]
    path: tuple[Path, ...]
    installed: Mapping[str, str]
    projects: tuple[Path, ...]


def environment(python: str) -> Environment:
    """What does this interpreter have installed?  Raises ``UsageError`` for what is no CPython from 3.9 on."""
    told = _told(python)
    version = ".".join(map(str, told["python"]))
    if tuple(told["python"]) < _OLDEST or told["implementation"] != "CPython":
        raise UsageError(f"'{python}' is {told['implementation']} {version}, not CPython 3.9+.", hint=_HINT)
    named = [one for one in told["installed"] if one[0] and one[1]]
    return Environment(
        python=python,
        version=version,
        identity=tuple(told["is"]),
        path=tuple(map(Path, told["path"])),
        installed={canonicalize_name(name): number for name, number, _ in reversed(named)},
        projects=tuple(place for *_, url in named if url and (place := _project(url))),
    )


def _told(python: str) -> dict[str, Any]:
    word = os.path.abspath(python) if os.sep in python else python  # noqa: PTH100 - a link leads out of its venv
    try:
        done = subprocess.run(
            [word, "-c", _ASK],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE_S,
            check=True,
            cwd=os.sep,  # the folder we are in is on the path of `-c`: what lies there is not installed
        )
        told: dict[str, Any] = json.loads(done.stdout)
        return told
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise UsageError(f"'{python}' does not run as a Python.", hint=_HINT) from error


def _project(direct_url: str) -> Path | None:
    """The folder that a distribution can be edited in; null where it was copied."""
    try:
        told = json.loads(direct_url)
        is_editable = told.get("dir_info", {}).get("editable") is True
        url = str(told.get("url", ""))
    except (ValueError, AttributeError):
        return None
    return Path(unquote(urlsplit(url).path)) if is_editable and url.startswith("file:") else None
