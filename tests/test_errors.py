"""Every deliberate error is a fact with a hint, has a kind for scripts, and stands in the tree."""

from __future__ import annotations

import inspect

import pytest

from diagtools import errors
from diagtools.errors import DiagtoolsError, NotARunError, StartError, UsageError

ALL = [
    value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, DiagtoolsError)
]


def test_message_and_hint_are_one_text() -> None:
    error = DiagtoolsError("It is gone.", hint="look elsewhere.")
    assert (str(error), error.message, error.hint) == (
        "It is gone. Hint: look elsewhere.",
        "It is gone.",
        "look elsewhere.",
    )
    assert str(DiagtoolsError("It is gone.")) == "It is gone."


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_the_tree_in_the_docstring_names_every_error(error: type[DiagtoolsError]) -> None:
    assert error.__name__ in (errors.__doc__ or "")


def test_no_two_kinds_are_the_same() -> None:
    assert len({error.kind for error in ALL}) == len(ALL)


def test_wrong_use_and_breached_budgets_have_their_own_exit_status() -> None:
    assert (UsageError("x").exit_status, NotARunError("x").exit_status) == (2, 2)
    assert errors.RecorderError("x").exit_status == 125
    assert errors.BudgetBreached("x").exit_status == 1
    assert StartError("x", exit_status=127).exit_status == 127
    assert StartError.exit_status == DiagtoolsError.exit_status == 1
