"""``diagtools sweep``: what does a unit of one parameter cost?"""

from __future__ import annotations

import argparse
import json

from diagtools.investigations.command import as_target
from diagtools.investigations.sweep import SweepCase


def run(chosen: argparse.Namespace) -> int:
    """Prints what a unit costs, and how that grows."""
    case = SweepCase(
        as_target(chosen.argv, chosen.limit),
        chosen.over,
        metrics=chosen.metric or ("peak",),
        in_fresh_folder=chosen.fresh_folder,
    ).run(chosen.repeat)
    if chosen.png:
        from diagtools.investigations.pictures import draw  # here: most calls draw nothing

        draw(case.chart(), chosen.png)
    print(json.dumps(case.as_json()) if chosen.json else case.as_text())
    return 0
