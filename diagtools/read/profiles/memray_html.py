"""The HTML that memray writes: flamegraphs, plain and over time, and tables."""

from __future__ import annotations

from pathlib import Path

from diagtools.profile import Profile, View
from diagtools.read.profiles import export_json
from diagtools.read.profiles.memray_flamegraph import flamegraph
from diagtools.read.profiles.memray_page import page_of
from diagtools.read.profiles.memray_table import table
from diagtools.read.profiles.memray_temporal import temporal


def read_memray_html(path: Path, *, view: View | None = None) -> Profile:
    """What does a flamegraph or table of memray say?

    An inverted flamegraph is turned the right way round.  ``view`` is what the report shows; without one the report's
    own marks are taken: leaks are marked, and what is not and does not sum to the peak shows temporary allocations.
    Raises ``DamagedError`` for a report that is cut or contradicts itself.
    """
    page = page_of(path)
    if isinstance(page.data, list):
        return table(page, view)
    if export_json.member(page.data, "intervals", f"The data of '{page.name}'") is not None:
        return temporal(page, view)
    return flamegraph(page, view)
