"""Which distributions does an interpreter have, that bring these packages?"""

from __future__ import annotations

import functools
import json
import subprocess
from collections.abc import Sequence

_PATIENCE_S = 60
#: A distribution says what it brings in top_level.txt, or by its files.
_ASK = """
import json, sys
from importlib.metadata import distributions
wanted, found = set(sys.argv[1:]), []
for one in distributions():
    listed = (one.read_text("top_level.txt") or "").split()
    names = listed or {file.parts[0].partition(".")[0] for file in one.files or ()}
    if wanted & set(names):
        found.append(one.metadata["Name"])
print(json.dumps(sorted(filter(None, found))))
"""


def blocked(packages: Sequence[str], python: str) -> str:
    """What ``probes.patches.block`` is to be asked so that these packages are not installed; empty for none."""
    return f"{','.join(packages)};{','.join(_brought_by(tuple(packages), python))}" if packages else ""


@functools.cache
def _brought_by(packages: tuple[str, ...], python: str) -> tuple[str, ...]:
    """The names of the distributions; where the interpreter does not tell, none are known."""
    try:
        done = subprocess.run(
            [python, "-c", _ASK, *packages],
            capture_output=True,
            timeout=_PATIENCE_S,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        return tuple(map(str, json.loads(done.stdout)))
    except (OSError, ValueError, subprocess.SubprocessError):
        return ()
