"""``diagtools show``: one run explained, as text or as the JSON of the contract."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from diagtools.capture.folder import store
from diagtools.errors import NotARunError
from diagtools.investigations.explain import explain
from diagtools.read.store import list_runs
from diagtools.run import Run


def run(chosen: argparse.Namespace) -> int:
    """Prints what the run shows; ``--png`` draws its timeline too."""
    path = chosen.run or _newest()
    if chosen.png:
        from diagtools.investigations.explain import draw

        draw(Run.open(path), chosen.png)
    if chosen.json:
        print(as_json(path))
    else:
        print(explain(Run.open(path)).as_text())
    return 0


def as_json(path: Path) -> str:
    """The JSON of one run."""
    return json.dumps(explain(Run.open(path)).as_json())


def _newest() -> Path:
    found = list_runs(store())
    if not found:
        raise NotARunError(f"There is no run in '{store()}'.", hint="diagtools record -- python app.py")
    return found[0].path
