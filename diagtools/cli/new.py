"""``diagtools new``: a copy of an investigation's notebook, to start one's own."""

from __future__ import annotations

import argparse
import json
import shutil

from diagtools.errors import UsageError
from diagtools.investigations import notebook


def run(chosen: argparse.Namespace) -> int:
    """Copies the notebook and says where; never overwrites one."""
    source = notebook.find(chosen.name)
    copy = chosen.folder / source.name
    if copy.exists():
        raise UsageError(f"'{copy}' exists already.", hint="name another folder with -o.")
    chosen.folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, copy)
    print(json.dumps({"notebook": str(copy)}) if chosen.json else f"{copy}\nOpen it: jupyter lab {copy}")
    return 0
