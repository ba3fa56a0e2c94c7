"""``diagtools investigate``: a notebook of ours, executed, and one offline page of it."""

from __future__ import annotations

import argparse
import json
import sys

from diagtools.investigations import notebook


def run(chosen: argparse.Namespace) -> int:
    """Shows progress on stderr and ends with the case's summary and the two files; 1 for a breached budget."""
    if chosen.name is None:
        return _list()
    executed = notebook.execute(
        chosen.name, notebook.parse_parameters(chosen.parameters), chosen.folder, tell=_tell
    )
    files = {"notebook": str(executed.notebook), "page": str(executed.page)}
    if chosen.json:
        print(json.dumps({**executed.case, **files}))
    else:
        print(executed.case.get("summary", "The notebook did not come to its conclusion."))
        print(f"\nNotebook  {executed.notebook}\nPage      {executed.page}")
    if executed.error is not None:
        raise executed.error
    return 0


def _list() -> int:
    for name, path in notebook.names().items():
        print(f"{name:20} {path.name}")
    return 0


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
