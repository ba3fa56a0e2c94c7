"""``diagtools imports``: what importing costs, who pays for what, and which statement holds it."""

from __future__ import annotations

import argparse
import json

from diagtools.errors import BudgetBreached
from diagtools.investigations.import_cost import forbid, import_cost
from diagtools.units import format_bytes, parse_bytes


def run(chosen: argparse.Namespace) -> int:
    """Measures and prints; a breached budget exits with 1, after what was measured."""
    budget = None if chosen.budget is None else parse_bytes(chosen.budget)
    cost = import_cost(*chosen.targets, python=chosen.python, repeat=chosen.repeat, timeout_s=chosen.timeout)
    print(json.dumps(cost.as_json()) if chosen.json else cost.as_text())
    forbid(chosen.forbid, "; ".join(chosen.targets), cost.edges)
    anon_bytes = int(cost.total["anon_bytes"])
    if budget is not None and anon_bytes > budget:
        raise BudgetBreached(
            f"The imports take {format_bytes(anon_bytes)}, more than the budget of {format_bytes(budget)}.",
            hint="the statements above say what holds most of it.",
        )
    return 0
