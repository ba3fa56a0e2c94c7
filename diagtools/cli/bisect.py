"""``diagtools bisect``: in which release of a package did a number move?"""

from __future__ import annotations

import argparse
import json

from diagtools.investigations.bisect import bisect
from diagtools.values import Limit, Target


def run(chosen: argparse.Namespace) -> int:
    """Prints the first bad, or the first good, release and how it was found; ``--png`` draws it too."""
    limit = None if chosen.limit is None else Limit.parse(chosen.limit)
    found = bisect(
        chosen.package,
        Target(argv=tuple(chosen.argv), limit=limit),
        good=chosen.good,
        bad=chosen.bad,
        metric=chosen.metric,
        python=chosen.python,
        pairs=chosen.pairs,
        in_fresh_folder=chosen.fresh_folder,
    )
    if chosen.png:
        from diagtools.investigations.pictures import draw  # here: most calls draw nothing

        draw(found.chart(), chosen.png)
    print(json.dumps(found.as_json()) if chosen.json else found.as_text())
    return 0
