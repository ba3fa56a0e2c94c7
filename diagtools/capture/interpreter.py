"""Which Python interpreter does a command start, as far as its first word tells?"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

_PYTHON = re.compile(r"python(\d+(\.\d+)*)?[td]*")
_MOST_BYTES = 512  # of a script's first line: the kernel reads no more than 256


def interpreter_of(word: str, env: Mapping[str, str], cwd: Path | None) -> str | None:
    """The path of the interpreter: the word itself, or what the first line of a script names.

    Null where it is neither: a shell, a launcher or another program may still start a Python.
    """
    found = _found(word, env, cwd)
    if found is None or _is_python(found):
        return found
    words = _first_line(found)
    if words and Path(words[0]).name == "env":
        given = [each for each in words[1:] if not each.startswith("-") and "=" not in each]
        words = [_found(given[0], env, cwd) or ""] if given else []
    return words[0] if words and _is_python(words[0]) else None


def _found(word: str, env: Mapping[str, str], cwd: Path | None) -> str | None:
    if os.sep in word:
        path = Path(cwd or "") / word
        return os.path.abspath(path) if path.is_file() else None  # noqa: PTH100 - a link leads out of its venv
    return shutil.which(word, path=env.get("PATH"))


def _is_python(path: str) -> bool:
    return _PYTHON.fullmatch(Path(path).name) is not None


def _first_line(path: str) -> list[str]:
    try:
        with Path(path).open("rb") as file:
            line = os.fsdecode(file.readline(_MOST_BYTES))
        return shlex.split(line[2:]) if line.startswith("#!") else []
    except (OSError, ValueError):
        return []
