"""``diagtools leaks``: does a function keep memory at each call, which line asks for it and who keeps it?

Exits with 1 for a leak; with 0 for what is clean, comes to an end or is inconclusive, which is said; with 2 where the
function cannot be called so often.
"""

from __future__ import annotations

import argparse
import json
import sys

from diagtools.analyse.leaks import Leaking
from diagtools.cli.changes import changes_of
from diagtools.errors import UsageError
from diagtools.investigations.leaks import leaks
from diagtools.values import Target


def run(chosen: argparse.Namespace) -> int:
    """Prints the verdict with its evidence; ``--png`` draws the counters too."""
    if chosen.png is not None and chosen.png.suffix.lower() != ".png":  # before a check of minutes
        raise UsageError(f"'{chosen.png}' is not the name of a PNG.", hint="--png leaks.png")
    python = chosen.python or sys.executable
    world = Target(argv=(python,))
    for change in changes_of(chosen.changes):
        world = change.apply(world)
    check = leaks(
        chosen.function,
        python=python,
        env=world.env,
        changes=world.changes,
        calls=chosen.calls,
        timeout_s=chosen.timeout,
        explain=not chosen.no_explain,
        folder=chosen.folder,
    )
    if chosen.png is not None:
        from diagtools.investigations.pictures import draw

        draw(check.chart(), chosen.png)
    print(json.dumps(check.as_json()) if chosen.json else check.as_text())
    return int(check.verdict is Leaking.LEAK)
