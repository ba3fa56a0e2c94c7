"""``diagtools imports``: what importing costs, who pays for what, and which statement holds it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from diagtools.errors import UsageError
from diagtools.investigations.import_command import command_import_cost
from diagtools.investigations.import_cost import import_cost, statement_of
from diagtools.investigations.measured_imports import ImportCost
from diagtools.investigations.parameters import above_zero
from diagtools.present.imports import (
    LAZY_IN_COMMAND,
    LAZY_STATEMENTS,
    NOT_INSTALLED,
    process_summary,
    savings_table,
)
from diagtools.units import parse_bytes
from diagtools.values import Budget, Target

if TYPE_CHECKING:
    from diagtools.investigations.import_verify import Verified
    from diagtools.investigations.import_without import Without


def run(chosen: argparse.Namespace) -> int:
    """Measures and prints; a breached budget exits with 1, after what was measured."""
    limit = None if chosen.budget is None else parse_bytes(chosen.budget)
    budget = None if limit is None else Budget(metric="anon_bytes", limit_bytes=limit)
    program = _program(chosen)
    _check(chosen)
    costs = _costs(chosen, program)
    verified = [] if chosen.verify is None else _verified(chosen, costs[0], program)
    left_out = _without(chosen, costs[0], program) if chosen.without else None
    if chosen.json:
        _print_json(costs, verified, left_out)
    else:
        _print_text(costs, verified, left_out, is_command=isinstance(program, Target))
    for cost in costs:
        cost.check(budget, forbid=chosen.forbid)
    return 0


def _program(chosen: argparse.Namespace) -> list[str] | Target:
    """The statements to execute in one interpreter, or the command."""
    if bool(chosen.targets) == bool(chosen.argv):
        raise UsageError(
            "Name what is imported, or a command.", hint="diagtools imports json, or: -- pytest tests"
        )
    if chosen.argv:
        return Target(argv=tuple(chosen.argv))
    return [statement_of(target) for target in chosen.targets]


def _check(chosen: argparse.Namespace) -> None:
    """Mistakes are said before anything is measured."""
    above_zero("--timeout", chosen.timeout)
    if chosen.verify is not None and chosen.verify.isdigit() and int(chosen.verify) == 0:
        raise UsageError("--verify 0 verifies nothing.", hint="--verify 3, or --verify FILE:LINE.")
    if chosen.without:
        from diagtools.investigations.import_without import check_packages

        check_packages(chosen.without)


def _costs(chosen: argparse.Namespace, program: list[str] | Target) -> list[ImportCost]:
    """Of the statements in one interpreter, or of every Python process of a command, the dearest first."""
    if isinstance(program, Target):
        repeat = 1 if chosen.repeat is None else chosen.repeat
        return command_import_cost(program, repeat=repeat, timeout_s=chosen.timeout)
    repeat = 5 if chosen.repeat is None else chosen.repeat
    return [import_cost(*chosen.targets, python=chosen.python, repeat=repeat, timeout_s=chosen.timeout)]


def _verified(
    chosen: argparse.Namespace, cost: ImportCost, program: Sequence[str] | Target
) -> list[Verified]:
    from diagtools.investigations.import_verify import verify_imports  # here: most calls verify nothing

    number = int(chosen.verify) if chosen.verify.isdigit() else None
    return verify_imports(
        cost,
        program,
        n=number or 1,
        at=None if number else chosen.verify,
        python=cost.executable if isinstance(program, Target) else chosen.python,
        timeout_s=chosen.timeout,
    )


def _without(chosen: argparse.Namespace, cost: ImportCost, program: Sequence[str] | Target) -> Without:
    from diagtools.investigations.import_without import without  # here: most calls leave nothing out

    python = cost.executable if isinstance(program, Target) else chosen.python
    return without(cost, program, chosen.without, python=python, timeout_s=chosen.timeout)


def _print_json(costs: list[ImportCost], verified: list[Verified], left_out: Without | None) -> None:
    more = {
        "processes": [cost.as_json() for cost in costs],
        "verified": [one.as_json() | {"advice": _advice(one)} for one in verified],
        "without": left_out.as_json() if left_out else None,
    }
    print(json.dumps(costs[0].as_json() | more))


def _print_text(
    costs: list[ImportCost], verified: list[Verified], left_out: Without | None, *, is_command: bool
) -> None:
    if len(costs) > 1:
        print(process_summary([cost.in_short() for cost in costs]), end="\n\n")
    print(costs[0].as_text())
    if verified:
        heading = LAZY_IN_COMMAND if is_command else LAZY_STATEMENTS
        print(f"\n{savings_table(heading, [one.in_short() for one in verified])}")
        _print_advice(verified)
    if left_out:
        print(f"\n{savings_table(NOT_INSTALLED, [left_out.in_short()])}")


def _advice(one: Verified) -> dict[str, Any] | None:
    from diagtools.investigations.import_advice import advice_json  # here: most calls verify nothing

    return advice_json(one)


def _print_advice(verified: list[Verified]) -> None:
    """Of one statement the edit for its place; of several, how to get it."""
    from diagtools.investigations.import_advice import advice_for  # here: most calls verify nothing

    if len(verified) == 1:
        print(f"\n{advice_for(verified[0])}")
    else:
        print("\nThe edit for one of them: --verify FILE:LINE, as above.")
