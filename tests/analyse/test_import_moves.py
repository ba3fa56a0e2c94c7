"""A statement moves into the functions that use it: the program does the same, and the heavy module waits."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagtools.analyse.import_edits import GETATTR, LAZY, LOCAL
from tests.support.imports import (
    Used,
    advice_of,
    applied,
    assert_waits,
    edit_text,
    reasons,
    said,
    written,
)


@pytest.mark.parametrize(
    "statement",
    [
        "from heavy import A, b, go",
        "from heavy import (\n    A,  # one\n    b,\n    go\n)",
        "import heavy as h\nA = None  # not read",
    ],
)
def test_a_function_local_import_runs_as_before(tmp_path: Path, statement: str) -> None:
    prefix = "h." if " as h" in statement else ""
    file = written(
        tmp_path,
        {
            "program.py": f'''
"""Text."""
{statement}


def first(x):
    """Text."""
    return {prefix}go(x)


class C:
    def second(self):
        def inner():
            return [{prefix}go(y) for y in range({prefix}b)]

        return inner()


def third(go):
    return go
'''
        },
    )
    edited = assert_waits(file, LOCAL, "program", "print(p.first(3), p.C().second(), p.third(5))")
    if not prefix:
        assert "    from heavy import go\n\n    return go(x)" in edited
        assert "            from heavy import b, go\n\n            return [" in edited, (
            "only what is used there"
        )


def test_a_dotted_import_beside_others_of_its_package_is_moved(tmp_path: Path) -> None:
    text = "import xml\nimport xml.dom.minidom  # heavy\n\n\ndef f():\n    return xml.dom.minidom.Node.__name__\n"
    file = written(tmp_path, {"program.py": text})
    assert_waits(file, LOCAL, "program", "print(p.f(), p.xml.__name__)", heavy="xml.dom.minidom")


@pytest.mark.parametrize("name", ["heavy", "absent_heavy"])
def test_a_flag_of_a_try_stays_right_and_guards_stay_guards(tmp_path: Path, name: str) -> None:
    """``import`` in the first line of the function would raise where the flag is asked."""
    file = written(
        tmp_path,
        {
            "program.py": f"""
            from __future__ import annotations

            try:
                import {name} as h
                HAS = True
            except ImportError:
                HAS = False


            def f(x: h.A = 1) -> int:
                if not HAS:
                    return -1
                return h.go(x)


            def g():
                if HAS:
                    return h.b
                else:
                    return None
            """
        },
    )
    program = "import sys, program as p\nprint('heavy' in sys.modules)\nprint(p.HAS, p.f(2), p.g())"
    before = said(tmp_path, program)
    advice = advice_of(file)
    assert "PEP 810 allows none in a `try` (line 3, except ImportError: HAS = False)" in reasons(advice)[LAZY]
    text = edit_text(advice, LOCAL)
    assert "typing import TYPE_CHECKING" in text, "the annotation is kept for type checkers"
    file.write_text(applied(file.read_text(), text))
    assert said(tmp_path, program) == ["False", *before[1:]]


@pytest.mark.parametrize("name", ["heavy", "absent_heavy"])
@pytest.mark.parametrize("kind", [LOCAL, GETATTR])
def test_a_try_that_binds_nothing_else_moves_as_a_whole(tmp_path: Path, name: str, kind: str) -> None:
    offers = '__all__ = ["h"]\n\n\n' if kind == GETATTR else ""
    text = f"try:\n    import {name} as h\nexcept ImportError:\n    h = None\n\n{offers}\n"
    text += "def f():\n    return h is None\n"
    file = written(tmp_path, {"program.py": text})
    use = "print(p.h is None, p.f())" if kind == GETATTR else "print(p.f())"
    program = f"import sys, program as p\nprint('heavy' in sys.modules)\n{use}"
    before = said(tmp_path, program)
    file.write_text(applied(text, edit_text(advice_of(file), kind)))
    assert said(tmp_path, program) == ["False", *before[1:]]


@pytest.mark.parametrize("name", ["heavy", "absent_heavy"])
def test_a_suppressed_import_stays_suppressed(tmp_path: Path, name: str) -> None:
    text = f"""
    from contextlib import suppress

    OFFERED = []
    with suppress(ImportError):
        from {name} import go as _go

        def f(x):
            return _go(x)

        OFFERED.append(f)
    """
    file = written(tmp_path, {"program.py": text})
    program = "import sys, program as p\nprint('heavy' in sys.modules)\nprint([f(1) for f in p.OFFERED])"
    before = said(tmp_path, program)
    advice = advice_of(file)
    file.write_text(applied(file.read_text(), edit_text(advice, LOCAL)))
    assert said(tmp_path, program) == ["False", *before[1:]]
    assert "no longer catches it" in reasons(advice)[LAZY]


def test_annotations_that_forced_are_mended_by_the_edit(tmp_path: Path) -> None:
    file = written(tmp_path, {"program.py": "import heavy\n\n\ndef f(x: heavy.A):\n    return heavy.go(x)\n"})
    advice = advice_of(file, "forced", Used("heavy", str(file), 4))
    assert "from __future__ import annotations" in edit_text(advice, LOCAL)
    assert_waits(file, LOCAL, "program", "print(p.f(1))")
