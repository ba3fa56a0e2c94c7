"""``diagtools export``: a notebook as one offline HTML file, or a capture for other tools."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from diagtools.errors import UsageError


def run(chosen: argparse.Namespace) -> int:
    """Writes the file and says where."""
    written = _page(chosen) if chosen.notebook.suffix == ".ipynb" else _profile(chosen)
    key = "page" if written.suffix == ".html" else "file"
    print(json.dumps({key: str(written)}) if chosen.json else written)
    return 0


def _page(chosen: argparse.Namespace) -> Path:
    from diagtools.present.exporter import export_notebook

    return export_notebook(chosen.notebook, chosen.page)


def _profile(chosen: argparse.Namespace) -> Path:
    from diagtools.investigations.profiles import export_profile, open_profile

    if chosen.page is None:
        raise UsageError(
            f"'{chosen.notebook}' is no notebook, and there is no name for what is to be written.",
            hint="diagtools export CAPTURE -o out.folded (or .speedscope.json, .parquet)",
        )
    export_profile(open_profile(chosen.notebook), chosen.page)
    written: Path = chosen.page
    return written
