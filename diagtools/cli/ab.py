"""``diagtools ab``: a command as it is, and with one change at a time."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping

from diagtools.investigations import changes
from diagtools.investigations.ab import AbCase
from diagtools.investigations.changes import Change
from diagtools.investigations.command import as_target
from diagtools.investigations.stock import stock

_OF: Mapping[str, Callable[[str], list[Change]]] = {
    "env": lambda text: [changes.env(text)],
    "args": lambda text: [changes.arguments(text)],
    "instead": lambda text: [changes.instead(text)],
    "without": lambda text: [changes.without(*text.split(","))],
    "lazy": lambda text: [changes.lazily(text)],
    "patch": lambda text: [changes.patch_file(text)],
    "with": lambda text: [changes.versions(*text.split())],
    "python": lambda text: [changes.interpreter(text)],
    "rev": lambda text: [changes.revision(text)],
    "stock": stock,
}


def run(chosen: argparse.Namespace) -> int:
    """Prints the verdict on each change; with ``--gate`` one that raises a metric is an error."""
    wanted = [change for kind, text in chosen.changes for change in _OF[kind](text)]
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
