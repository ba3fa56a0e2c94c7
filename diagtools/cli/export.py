"""``diagtools export``: one offline HTML file of a notebook."""

from __future__ import annotations

import argparse
import json

from diagtools.present.exporter import export_notebook


def run(chosen: argparse.Namespace) -> int:
    """Writes the page and says where."""
    page = export_notebook(chosen.notebook, chosen.page)
    print(json.dumps({"page": str(page)}) if chosen.json else page)
    return 0
