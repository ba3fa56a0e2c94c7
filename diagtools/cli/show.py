"""``diagtools show``: one run, capture or export explained, as text or as the JSON of the contract."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from diagtools.capture.folder import store
from diagtools.errors import NotARunError
from diagtools.investigations.profile_report import ProfileReport, live_during
from diagtools.investigations.profiles import open_profile
from diagtools.profile import View
from diagtools.read.store import list_runs
from diagtools.run import Run

if TYPE_CHECKING:
    from diagtools.investigations.explain import Explanation


def run(chosen: argparse.Namespace) -> int:
    """Prints what a run, or a file of allocations, shows; ``--png`` draws its timeline, or its icicle, too."""
    shown = _shown(chosen.run or _newest(), chosen)
    if chosen.png:
        from diagtools.investigations.pictures import draw

        draw(shown.icicle() if isinstance(shown, ProfileReport) else shown.chart(), chosen.png)
    print(json.dumps(shown.as_json()) if chosen.json else shown.as_text())
    return 0


def as_json(path: Path) -> str:
    """The JSON of one run."""
    from diagtools.investigations.explain import explain

    return json.dumps(explain(Run.open(path)).as_json())


def _shown(path: Path, chosen: argparse.Namespace) -> Explanation | ProfileReport:
    if path.is_file():
        return ProfileReport(open_profile(path, view=chosen.view, unit=chosen.unit))
    if chosen.during is not None:
        return live_during(Run.open(path), chosen.during)
    if chosen.view is not None:
        return ProfileReport(Run.open(path).profile(View(chosen.view)))
    # Here: it draws, and a capture's text needs no charts.
    from diagtools.investigations.explain import explain

    return explain(Run.open(path))


def _newest() -> Path:
    found = list_runs(store())
    if not found:
        raise NotARunError(f"There is no run in '{store()}'.", hint="diagtools record -- python app.py")
    return found[0].path
