"""``diagtools imports``: what importing costs, who pays for what, and which statement holds it."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from diagtools.errors import BudgetBreached, UsageError
from diagtools.investigations.import_cost import (
    ImportCost,
    command_import_cost,
    forbid,
    import_cost,
    statement_of,
)
from diagtools.present.imports import process_summary, verified_table
from diagtools.units import format_bytes, parse_bytes
from diagtools.values import Target

if TYPE_CHECKING:
    from diagtools.investigations.import_verify import Verified


def run(chosen: argparse.Namespace) -> int:
    """Measures and prints; a breached budget exits with 1, after what was measured."""
    budget = None if chosen.budget is None else parse_bytes(chosen.budget)
    costs = _costs(chosen)
    verified = [] if chosen.verify is None else _verified(chosen, costs[0])
    _show(costs, verified, as_json=chosen.json)
    for cost in costs:
        forbid(chosen.forbid, cost.target, cost.edges)
    anon_bytes = int(costs[0].total["anon_bytes"])
    if budget is not None and anon_bytes > budget:
        raise BudgetBreached(
            f"The imports take {format_bytes(anon_bytes)}, more than the budget of {format_bytes(budget)}.",
            hint="the statements above say what holds most of it.",
        )
    return 0


def _costs(chosen: argparse.Namespace) -> list[ImportCost]:
    """Of the statements in one interpreter, or of every Python process of a command, the dearest first."""
    if bool(chosen.targets) == bool(chosen.argv):
        raise UsageError(
            "Name what is imported, or a command.", hint="diagtools imports json, or: -- pytest tests"
        )
    if chosen.argv:
        return command_import_cost(Target(argv=tuple(chosen.argv)), timeout_s=chosen.timeout)
    return [
        import_cost(*chosen.targets, python=chosen.python, repeat=chosen.repeat, timeout_s=chosen.timeout)
    ]


def _verified(chosen: argparse.Namespace, cost: ImportCost) -> list[Verified]:
    from diagtools.investigations.import_verify import verify_imports  # here: most calls verify nothing

    if chosen.argv:
        raise UsageError(
            "--verify takes statements, not a command.", hint="diagtools imports json --verify 3"
        )
    number = int(chosen.verify) if chosen.verify.isdigit() else None
    if number == 0:
        raise UsageError("--verify 0 verifies nothing.", hint="--verify 3, or --verify FILE:LINE.")
    return verify_imports(
        cost,
        [statement_of(target) for target in chosen.targets],
        n=number or 1,
        at=None if number else chosen.verify,
        python=chosen.python,
        timeout_s=chosen.timeout,
    )


def _show(costs: list[ImportCost], verified: list[Verified], *, as_json: bool) -> None:
    if as_json:
        more = {
            "processes": [cost.as_json() for cost in costs],
            "verified": [one.as_json() for one in verified],
        }
        print(json.dumps(costs[0].as_json() | more))
        return
    if len(costs) > 1:
        print(process_summary([cost.in_short() for cost in costs]), end="\n\n")
    print(costs[0].as_text())
    if verified:
        print(f"\n{verified_table([one.in_short() for one in verified])}")
