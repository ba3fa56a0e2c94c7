"""The advised edits are applied: others find what they found, and the heavy module waits until it is used."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

from diagtools.analyse.import_advice import advise_file
from diagtools.analyse.import_edits import GETATTR, LAZY, LAZY_LOADER, LOCAL, REMOVE, TYPES_ONLY
from diagtools.read.import_place import read_import_place
from tests.support.imports import (
    HEAVY,
    advice_of,
    applied,
    assert_waits,
    edit_text,
    reasons,
    written,
)
from tests.support.interpreters import installed

PACKAGES = {
    "relative": ({"pack/__init__.py": "from .heavy import A, go\n", "pack/heavy.py": HEAVY}, "pack.heavy"),
    "absolute": (
        {"pack/__init__.py": "from pack.heavy import A, go\n", "pack/heavy.py": HEAVY},
        "pack.heavy",
    ),
    "with __all__": (
        {"pack/__init__.py": 'from .heavy import A, go\n\n__all__ = ["A", "go"]\n', "pack/heavy.py": HEAVY},
        "pack.heavy",
    ),
    "renamed": (
        {"pack/__init__.py": "from .heavy import A, go as gone\ngo = 1\n", "pack/heavy.py": HEAVY},
        "pack.heavy",
    ),
    "its own hook": (
        {
            "pack/__init__.py": '''
            from .heavy import A, go

            def __getattr__(attribute):
                """Text."""
                if attribute == "old":
                    return 1
                raise AttributeError(attribute)
            ''',
            "pack/heavy.py": HEAVY,
        },
        "pack.heavy",
    ),
    "used in a function": (
        {
            "pack/__init__.py": "from .heavy import A, go\n\n\ndef f(): \n    return go(1)\n",
            "pack/heavy.py": HEAVY,
        },
        "pack.heavy",
    ),
    "a module": ({"pack/__init__.py": "from . import heavy\n", "pack/heavy.py": HEAVY}, "pack.heavy"),
    "a module, absolute": (
        {"pack/__init__.py": "from pack import heavy\n", "pack/heavy.py": HEAVY},
        "pack.heavy",
    ),
    "from elsewhere": ({"pack/__init__.py": "import heavy\nfrom os import path\n"}, "heavy"),
}


@pytest.mark.parametrize("case", PACKAGES)
def test_a_module_getattr_offers_what_the_package_did(tmp_path: Path, case: str) -> None:
    files, heavy = PACKAGES[case]
    file = written(tmp_path, files)
    use = """
names = ("A", "go", "gone", "old", "heavy")
print([type(getattr(p, name, None)).__name__ for name in names])
print({"A", "go", "gone", "heavy"} & set(dir(p)))
from pack import *
try:
    p.absent
except AttributeError as error:
    print("absent")
print(getattr(p, "f", lambda: 0)())
"""
    use = use.replace("print({", "print(sorted({").replace("set(dir(p)))", "set(dir(p))))")
    assert_waits(file, GETATTR, "pack", use, heavy=heavy)


def test_a_merged_hook_is_asked_in_its_own_parameter(tmp_path: Path) -> None:
    files, _ = PACKAGES["its own hook"]
    advice = advice_of(written(tmp_path, files))
    assert '+    if attribute in {"A", "go", "heavy"}:' in edit_text(advice, GETATTR)
    assert "line 3 is kept" in next(edit.why for edit in advice.edits if edit.kind == GETATTR)
    assert "would replace" in reasons(advice)[LAZY_LOADER]


@pytest.mark.parametrize("case", ["relative", "absolute", "with __all__", "a module"])
def test_lazy_loader_offers_what_the_package_did(tmp_path: Path, case: str) -> None:
    files, heavy = PACKAGES[case]
    file = written(tmp_path, files)
    assert_waits(
        file,
        LAZY_LOADER,
        "pack",
        "print([type(getattr(p, n, 0)).__name__ for n in ('A', 'go')])",
        heavy=heavy,
    )


@pytest.mark.parametrize("future", ["", "from __future__ import annotations\n"])
@pytest.mark.parametrize("typing", ["", "import typing as t\n"])
def test_an_import_for_annotations_only_is_left_to_type_checkers(
    tmp_path: Path, future: str, typing: str
) -> None:
    text = f'"""Text."""\n{future}import os\n{typing}from heavy import A, b\n\n\n'
    text += 'def f(x: A) -> "b":\n    y: A = x\n    return y\n'
    file = written(tmp_path, {"program.py": text})
    edited = assert_waits(file, TYPES_ONLY, "program", "print(p.f(1), p.__doc__)")
    assert edited.count("from __future__ import annotations") == 1
    assert ("if t.TYPE_CHECKING:" in edited) == bool(typing)


def test_a_name_that_nobody_uses_stays_beside_those_of_annotations(tmp_path: Path) -> None:
    text = "from __future__ import annotations\nfrom heavy import A as D, __name__ as nm\n\n\ndef f(x: D): return x\n"
    file = written(tmp_path, {"program.py": text})
    why = next(edit.why for edit in advice_of(file).edits if edit.kind == TYPES_ONLY)
    assert why.startswith("Only annotations use D. `from")
    assert "Nothing in this file uses nm: kept for type checkers only." in why
    assert "Search for code elsewhere that takes D, nm from this module, mocks in tests too." in why
    edited = assert_waits(file, TYPES_ONLY, "program", "print(p.f(1))")
    assert "    from heavy import A as D, __name__ as nm\n" in edited


def test_a_name_that_nobody_uses_stays_beside_those_of_functions(tmp_path: Path) -> None:
    text = "from heavy import A as D, b, __name__ as nm\n\n\ndef f(x: 'b'):\n    return D(x).x\n"
    file = written(tmp_path, {"program.py": text})
    why = next(edit.why for edit in advice_of(file).edits if edit.kind == LOCAL)
    assert why.startswith("Only f (line 4) uses D, and annotations use b. Nothing in this file uses nm: kept")
    assert "takes D, b, nm from this module" in why
    edited = assert_waits(file, LOCAL, "program", "print(p.f(1))")
    assert "if TYPE_CHECKING:\n    from heavy import b, __name__ as nm\n" in edited


@pytest.mark.parametrize(
    ("statement", "use", "kind"),
    [
        ("import heavy as h, xml.dom as x", "def f():\n    return h.b\n", LOCAL),
        ("import heavy as h, xml.dom as x", "def f(a: 'h.A'):\n    return 2\n", TYPES_ONLY),
        ("import heavy as h, xml.dom", "def f():\n    return h.b\n", LOCAL),
    ],
)
def test_a_module_that_nobody_uses_is_still_executed(
    tmp_path: Path, statement: str, use: str, kind: str
) -> None:
    """Perhaps for its effects: it is another module than those that are used."""
    file = written(tmp_path, {"program.py": f"{statement}\n\n\n{use}"})
    why = next(edit.why for edit in advice_of(file).edits if edit.kind == kind)
    assert "uses x" in why
    assert "stays" in why
    edited = assert_waits(
        file, kind, "program", "print(p.f(*[1][:p.f.__code__.co_argcount]), 'xml.dom' in sys.modules)"
    )
    assert edited.count(statement.partition(", ")[2]) == 1


@pytest.mark.parametrize(
    "statement", ["from heavy import A, b as c, go", "import heavy as A, os as c, json as go"]
)
@pytest.mark.parametrize(
    "rest",
    [
        "def f(x: A): return x\n",
        "def f():\n    return A\n",
        "def f(x: c):\n    return A\n",
        "__all__ = ['A', 'go']\n",
        "",
        "class B(A): pass\n",
        "class B(A):\n    def f(self):\n        return c\n",
    ],
)
@pytest.mark.parametrize("name", ["program.py", "pack/__init__.py"])
def test_no_edit_but_remove_loses_a_name(tmp_path: Path, statement: str, rest: str, name: str) -> None:
    file = written(tmp_path, {name: f"{statement}\n\n\n{rest}"})
    source = file.read_text()
    for verdict in ("saves", "partly"):
        together = advise_file([read_import_place(file, 1)], verdict)
        for edit in (*advice_of(file, verdict).edits, *together.edits):
            edited = applied(source, edit.text).replace("lazy ", "")
            nodes = [
                node for node in ast.walk(ast.parse(edited)) if isinstance(node, ast.Import | ast.ImportFrom)
            ]
            names = {alias.asname or alias.name for node in nodes for alias in node.names}
            assert edit.kind == REMOVE or {"A", "c", "go"} <= names, edited


def test_a_try_that_moves_as_a_whole_keeps_its_names(tmp_path: Path) -> None:
    text = "try:\n    from heavy import A, b\nexcept ImportError:\n    A = b = None\n\n\n"
    text += "def f():\n    return A is None\n"
    file = written(tmp_path, {"program.py": text})
    edited = assert_waits(file, LOCAL, "program", "print(p.f())")
    assert edited.count("from heavy import A, b") == 1
    assert "TYPE_CHECKING" not in edited


@pytest.mark.parametrize("kind", [GETATTR, LAZY, REMOVE])
def test_what_nobody_uses_may_be_there_for_its_effects(tmp_path: Path, kind: str) -> None:
    advice = advice_of(written(tmp_path, {"program.py": "import os\nimport heavy\n"}))
    assert [edit.kind for edit in advice.edits] == [GETATTR, LAZY, REMOVE], "remove comes last"
    why = next(edit.why for edit in advice.edits if edit.kind == kind)
    assert "has no effect of its own" in why
    assert ("Nothing but output and exit status" in why) == (kind == REMOVE)
    used = advice_of(written(tmp_path, {"program.py": "import heavy\ndef f():\n    return heavy\n"}))
    assert not any("has no effect of its own" in edit.why for edit in used.edits)


def test_what_nobody_uses_can_go(tmp_path: Path) -> None:
    file = written(tmp_path, {"program.py": "import os\nfrom heavy import A\n"})
    assert assert_waits(file, REMOVE, "program", "print(p.os.sep)") == "import os\n"


def test_the_lazy_statement_keeps_its_lines_and_comments(tmp_path: Path) -> None:
    text = "if x:\n    from .heavy import (  # why\n        a,\n    )\n"
    file = written(tmp_path, {"program.py": text})
    edited = applied(text, edit_text(advice_of(file), LAZY))
    assert edited == "if x:\n    lazy from .heavy import (  # why\n        a,\n    )\n"
    assert next(edit.python for edit in advice_of(file).edits if edit.kind == LAZY) == "3.15"


def test_of_several_modules_those_that_are_needed_at_once_stay(tmp_path: Path) -> None:
    text = "import os, heavy as h\n\nx = os.sep\n\n\ndef f():\n    return h.b\n"
    file = written(tmp_path, {"program.py": text})
    advice = advice_of(file, "partly")
    assert "import os\nlazy import heavy as h\n" in applied(text, edit_text(advice, LAZY))
    assert_waits(file, LOCAL, "program", "print(p.f())")


@pytest.mark.parametrize("statement", ["import heavy", "import os, heavy", "from heavy import A, go"])
def test_a_lazy_statement_waits_until_it_is_used(tmp_path: Path, statement: str) -> None:
    for python in installed("3.15")[:1] or [pytest.skip("no Python 3.15 here")]:
        use = "go(1)" if "from" in statement else "heavy.go(1)"
        text = f"{statement}\n\n\ndef f():\n    return {use}\n"
        file = written(tmp_path, {"program.py": text, "heavy.py": HEAVY})
        file.write_text(applied(text, edit_text(advice_of(file), LAZY)))
        code = (
            "import sys, program; print('heavy' in sys.modules); program.f(); print('heavy' in sys.modules)"
        )
        done = subprocess.run(
            [python, "-c", code], cwd=file.parent, capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines() == ["False", "True"]


def test_what_a_measurement_found_waiting_may_be_lazy(tmp_path: Path) -> None:
    """The file uses the name at module level, in a branch that was not taken."""
    file = written(tmp_path, {"program.py": "import heavy\nif x:\n    heavy.go()\n"})
    assert [edit.kind for edit in advice_of(file).edits] == [LAZY]
    assert advice_of(file, "partly").edits == ()


def test_the_block_of_a_program_needs_nothing_at_import(tmp_path: Path) -> None:
    text = "import heavy\n\n\ndef f():\n    return heavy\n\n\nif __name__ == '__main__':\n    heavy.go()\n"
    advice = advice_of(written(tmp_path, {"program.py": text}), "partly")
    assert [edit.kind for edit in advice.edits] == [LAZY]
    assert "line 9 uses `heavy` in a program's block" in reasons(advice)[LOCAL]


def test_a_moved_import_says_that_annotations_wait_from_now_on(tmp_path: Path) -> None:
    text = "import heavy\n\n\ndef f(x: heavy.A):\n    return heavy.go(x)\n"
    said = "`from __future__ import annotations` is added"
    for future in ("", "from __future__ import annotations\n"):
        advice = advice_of(written(tmp_path, {"program.py": future + text}))
        why = next(edit.why for edit in advice.edits if edit.kind == LOCAL)
        assert (said in why) == (not future)


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (1, "Only f0 (line 4) uses heavy"),
        (2, "Only f0 (line 4) and f1 (line 8) use heavy"),
        (4, "f2 (line 12) and 1 more function use heavy"),
        (5, "f2 (line 12) and 2 more functions use heavy"),
    ],
)
def test_the_functions_are_named(tmp_path: Path, n: int, words: str) -> None:
    text = "import heavy\n" + "".join(f"\n\ndef f{k}():\n    return heavy\n" for k in range(n))
    advice = advice_of(written(tmp_path, {"program.py": text}))
    assert words in next(edit.why for edit in advice.edits if edit.kind == LOCAL)


def test_what_is_used_only_where_it_did_not_run_is_not_said_to_be_imported(tmp_path: Path) -> None:
    advice = advice_of(written(tmp_path, {"program.py": "import heavy\nif x:\n    heavy.go()\n"}))
    assert "where that runs, the module is imported all the same" in reasons(advice)[LOCAL]
