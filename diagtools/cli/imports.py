"""``diagtools imports``: what importing costs, who pays for what, and which statement holds it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from diagtools.errors import BudgetBreached, DiagtoolsError, NoDataError, UsageError
from diagtools.investigations.import_command import command_import_cost
from diagtools.investigations.import_cost import import_cost, statement_of
from diagtools.investigations.measured_imports import ImportCost, package_names
from diagtools.investigations.parameters import above_zero
from diagtools.present.imports import (
    LAZY_IN_COMMAND,
    LAZY_STATEMENTS,
    NOT_INSTALLED,
    process_summary,
    savings_table,
)
from diagtools.redact import redact_text
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
    breach = _breach(costs, budget, chosen.forbid)
    if chosen.json:
        _print_json(costs, verified, left_out, breach, is_command=bool(chosen.argv))
        return breach.exit_status if breach else 0
    _print_text(costs, left_out)
    if chosen.verify is not None:
        _print_verified(verified, is_command=isinstance(program, Target))
    if breach:
        sys.stdout.flush()
        raise breach
    return 0


def _breach(costs: list[ImportCost], budget: Budget | None, forbidden: list[str]) -> DiagtoolsError | None:
    """What of the checks was not kept, or could not be judged?"""
    try:
        for cost in costs:
            cost.check(budget, forbid=forbidden)
    except (BudgetBreached, NoDataError) as error:
        return error
    return None


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
    package_names(chosen.forbid)
    if chosen.argv and chosen.python is not None:
        hint = "diagtools imports -- /path/to/python app.py"
        raise UsageError("A command names its own Python: --python is for what is imported.", hint=hint)
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
    return [
        import_cost(
            *chosen.targets, python=chosen.python or sys.executable, repeat=repeat, timeout_s=chosen.timeout
        )
    ]


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
        python=_python(chosen, cost, program),
        timeout_s=chosen.timeout,
    )


def _without(chosen: argparse.Namespace, cost: ImportCost, program: Sequence[str] | Target) -> Without:
    from diagtools.investigations.import_without import without  # here: most calls leave nothing out

    python = _python(chosen, cost, program)
    return without(cost, program, chosen.without, python=python, timeout_s=chosen.timeout)


def _python(chosen: argparse.Namespace, cost: ImportCost, program: Sequence[str] | Target) -> str:
    """The interpreter of the measured process of a command, or the one that was asked for."""
    return cost.executable if isinstance(program, Target) else str(chosen.python or sys.executable)


def _print_json(
    costs: list[ImportCost],
    verified: list[Verified],
    left_out: Without | None,
    breach: DiagtoolsError | None,
    *,
    is_command: bool,
) -> None:
    said = breach and {"kind": breach.kind, "message": breach.message, "hint": breach.hint}
    more = {
        "processes": [cost.as_json() for cost in costs],
        "verified": [one.as_json() | {"advice": _advice(one, is_command=is_command)} for one in verified],
        "without": left_out.as_json() if left_out else None,
        "breach": said and {name: text and redact_text(text) for name, text in said.items()},
    }
    print(json.dumps(costs[0].as_json() | more))


def _print_text(costs: list[ImportCost], left_out: Without | None) -> None:
    if len(costs) > 1:
        print(process_summary([cost.in_short() for cost in costs]), end="\n\n")
    print(costs[0].as_text())
    if left_out:
        print(f"\n{savings_table(NOT_INSTALLED, [left_out.in_short()])}")


def _print_verified(verified: list[Verified], *, is_command: bool) -> None:
    """What was predicted beside what was measured; of one the edit for its place, of several how to get it."""
    from diagtools.investigations.import_advice import advice_for  # here: most calls verify nothing
    from diagtools.investigations.import_suspects import NOTHING

    if not verified:
        print(f"\n{NOTHING}")
        return
    heading = LAZY_IN_COMMAND if is_command else LAZY_STATEMENTS
    print(f"\n{savings_table(heading, [one.in_short() for one in verified])}")
    if len(verified) == 1:
        print(f"\n{advice_for(verified[0], is_command=is_command)}")
    else:
        print("\nThe edit for one of them: --verify FILE:LINE, as above.")


def _advice(one: Verified, *, is_command: bool) -> dict[str, Any] | None:
    from diagtools.investigations.import_advice import advice_json  # here: most calls verify nothing

    return advice_json(one, is_command=is_command)
