"""``diagtools compare``: what grew from one run or capture to another, where, and how sure that is."""

from __future__ import annotations

import argparse
import json

from diagtools.investigations.compare import compare, peaks_compared


def run(chosen: argparse.Namespace) -> int:
    """Prints the difference; ``--png`` draws it too, and a breached budget is an error."""
    before, after = [chosen.before, *chosen.more_before], [chosen.after, *chosen.more_after]
    found = compare(before, after, by=chosen.by, view=chosen.view, unit=chosen.unit)
    peaks = peaks_compared(chosen.before, chosen.after)
    if chosen.png:
        from diagtools.investigations.pictures import draw

        draw(found.bars(), chosen.png)
    if chosen.json:
        told = [str(one) for one in (*([peaks] if peaks else []), *found.findings())]
        print(json.dumps({**found.as_json(), "findings": told}))
    else:
        print(*([str(peaks)] if peaks else []), found.as_text(), sep="\n")
    if chosen.budget:
        found.check(chosen.budget)
    return 0
