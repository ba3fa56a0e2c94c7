"""The advised edits are applied: others find what they found, and the heavy module waits until it is used.

Of ``lazy import`` only the text is looked at: Python 3.15 is not here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from diagtools.analyse.import_edits import GETATTR, LAZY, LAZY_LOADER, LOCAL, REMOVE, TYPES_ONLY
from tests.support.imports import (
    HEAVY,
    advice_of,
    applied,
    assert_waits,
    edit_text,
    reasons,
    written,
)

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
