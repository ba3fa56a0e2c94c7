"""How another process finds a function."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from diagtools.errors import UsageError
from diagtools.investigations.leak_target import Called, called
from tests.support.leaky import bounded


def test_a_name_is_taken_as_it_is() -> None:
    assert called("app.index:embed") == Called(name="app.index:embed")
    assert called("app:Class.method").name == "app:Class.method"


def test_a_function_of_a_module_is_found_where_that_lies() -> None:
    found = called(bounded.nothing)
    assert found.name == "tests.support.leaky.bounded:nothing"
    assert (Path(found.folder) / "tests/support/leaky/bounded.py").is_file()


@pytest.mark.parametrize("name", ["app", "app:", ":f", "app:f()", "a b:f", "../app:f", ""])
def test_what_names_no_function(name: str) -> None:
    with pytest.raises(UsageError, match="does not name a function") as error:
        called(name)
    assert "MODULE:FUNCTION" in str(error.value.hint)


def test_what_no_other_process_can_import() -> None:
    def inner() -> None: ...

    def main() -> None: ...

    main.__module__, main.__qualname__ = "__main__", "main"
    for function, said in (
        (inner, "made within a function"),
        (lambda: None, "made within a function"),
        (main, "in the notebook or script itself"),
        (functools.partial(print), "has no name of its own"),
    ):
        with pytest.raises(UsageError, match=said):
            called(function)


def test_what_is_no_function() -> None:
    with pytest.raises(UsageError, match="cannot be called"):
        called(5)  # type: ignore[arg-type]
