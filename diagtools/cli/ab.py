"""``diagtools ab``: a command as it is, and with one change at a time."""

from __future__ import annotations

import argparse
import json

from diagtools.cli.changes import changes_of
from diagtools.investigations.ab import AbCase
from diagtools.investigations.command import as_target


def run(chosen: argparse.Namespace) -> int:
    """Prints the verdict on each change; with ``--gate`` one that raises a metric is an error."""
    wanted = changes_of(chosen.changes)
    case = AbCase(
        as_target(chosen.argv, chosen.limit),
        wanted,
        metrics=chosen.metric or ("peak",),
        both=chosen.both,
        in_fresh_folder=chosen.fresh_folder,
    )
    if chosen.gate:
        case.try_until_clear()
    else:
        case.try_quickly(chosen.pairs)
    if chosen.png:
        from diagtools.investigations.pictures import draw  # here: most calls draw nothing

        draw(case.chart(), chosen.png)
    print(json.dumps(case.as_json()) if chosen.json else case.as_text())
    if chosen.gate:
        case.check_gate()
    return 0
