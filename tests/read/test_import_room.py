"""Before which line an import in a function would stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.imports import place_of


def test_an_import_in_a_function_begins_after_its_docstring(tmp_path: Path) -> None:
    place = place_of(
        tmp_path,
        '''
        import heavy
        @deco
        def f():
            """Two
            lines."""
            # a comment
            x = 1
            return heavy.a(x)
        def g(): return heavy
        ''',
    )
    functions = [use.function for use in place.uses if use.function]
    assert [(each.line, each.first, each.indent) for each in functions] == [(3, 7, "    "), (9, 0, "")]


@pytest.mark.parametrize(
    ("body", "guarded"),
    [
        ("if not HAS:\n        return 1\n    x = 1\n    return heavy.a", 6),
        ("if HAS:\n        x = 1\n        return heavy.a", 5),
        ("if not HAS:\n        return 1\n    elif y:\n        return heavy.a", 6),
        ("for x in y:\n        if HAS:\n            heavy.a", 5),
        ("if heavy.a:\n        return heavy.b", 3),
        ("if HAS:\n        heavy.a\n    return heavy.b", 3),
        ("if HAS and heavy.a:\n        return 1", 0),
        ("return heavy.a if HAS else None", 0),
    ],
)
def test_behind_a_guard_the_line_is_the_one_before_the_use(tmp_path: Path, body: str, guarded: int) -> None:
    place = place_of(tmp_path, f"import heavy\ndef f():\n    {body}\n")
    assert {use.function.guarded for use in place.uses if use.function} == {guarded}
