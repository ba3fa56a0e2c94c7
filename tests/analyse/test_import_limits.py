"""What the place of a statement forbids, and the reason that is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagtools.analyse.import_advice import ANY_EDIT, NOT_ALLOWED
from diagtools.analyse.import_edits import GETATTR, LAZY, LAZY_LOADER, LOCAL, REMOVE, TYPES_ONLY
from tests.support.imports import (
    HEAVY,
    advice_of,
    reasons,
    written,
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("from __future__ import annotations  # heavy\n", "compiler"),
        ("from heavy import *\n", "star import"),
        ("def f():\n    import heavy\n", "local to the function in line 1"),
        ("class A:\n    import heavy\n", "class body of line 1"),
        ("if TYPE_CHECKING:\n    import heavy\n", "line 1 already keeps"),
        ("import heavy; import os\n", "shares its line"),
    ],
)
def test_places_that_allow_no_edit_say_why(tmp_path: Path, text: str, words: str) -> None:
    advice = advice_of(written(tmp_path, {"program.py": text}), NOT_ALLOWED)
    assert advice.edits == ()
    assert list(reasons(advice)) == [ANY_EDIT]
    assert words in reasons(advice)[ANY_EDIT]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("class B(heavy.A): pass\n", "`heavy` is a base class in line 2"),
        ("@heavy.wrap\ndef f(): pass\n", "`heavy` is a decorator in line 2"),
        ("def f(x=heavy.b): pass\n", "`heavy` is a default argument in line 2"),
        ("class B:\n    x = heavy.b\n", "`heavy` is used in a class body in line 3"),
        ("x = heavy.b\ndef f(): return heavy\n", "`heavy` is used at module level in line 2"),
    ],
)
def test_what_needs_the_name_at_import_forbids_every_edit(tmp_path: Path, text: str, words: str) -> None:
    advice = advice_of(written(tmp_path, {"program.py": "import heavy\n" + text}), "partly")
    assert advice.edits == ()
    assert {LOCAL, LAZY} <= set(reasons(advice))
    assert all(words in reason for reason in reasons(advice).values())


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("import heavy\nf = lambda: heavy\ndef g():\n    return heavy\n", LOCAL, "lambda in line 2"),
        ("import heavy\ndef g():\n    return heavy\ndel heavy\n", LOCAL, "line 4 deletes `heavy`"),
        ("import heavy\nheavy = 1\ndef g():\n    return heavy\n", LOCAL, "line 2 binds the same name"),
        ("if x:\n    import heavy\ndef g():\n    return heavy\n", LOCAL, "`if` in line 1 decides"),
        (
            "if x:\n    try:\n        import heavy\n    except ImportError:\n        pass\n",
            REMOVE,
            "`if` in line 1",
        ),
        ("import heavy\ndef g(): return heavy\n", LOCAL, "line 2 stands on one line"),
        (
            "import heavy\n__all__ = ['heavy']\ndef g():\n    return heavy\n",
            LOCAL,
            "`__all__` (line 2) offers",
        ),
        ("import pydantic\nimport heavy\ndef g(x: heavy.A): pass\n", TYPES_ONLY, "the file uses pydantic"),
        ("import heavy.part\n__all__ = ['heavy']\n", GETATTR, "binds `heavy`, not the module"),
        ("try:\n    import heavy\n    H = 1\nexcept OSError:\n    H = 0\n", LAZY, "except OSError: H = 0"),
        (
            "try:\n    import heavy\n    H = 1\nexcept ImportError:\n    H = 0\ndef f():\n    return H and heavy.b\n",
            LOCAL,
            "asks and uses in one expression",
        ),
        (
            "try:\n    import heavy\nexcept ImportError:\n    H = heavy = None\ndef f():\n    return heavy\n",
            LOCAL,
            "line 4 binds the same name",
        ),
    ],
)
def test_a_way_that_is_closed_says_why(tmp_path: Path, text: str, kind: str, words: str) -> None:
    advice = advice_of(written(tmp_path, {"program.py": text}))
    assert words in reasons(advice)[kind]
    assert kind not in {edit.kind for edit in advice.edits}


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("from .heavy import heavy\n", GETATTR, "is also a module of this package"),
        ("from os import sep as x  # heavy\n", LAZY_LOADER, "modules of the package itself only"),
        ("from .heavy import A as B\n", LAZY_LOADER, "cannot rename"),
        ("from .heavy import A\ndef f():\n    return A\n", LAZY_LOADER, "serves others only"),
        ("from .heavy import A\nfrom x import __getattr__\n", GETATTR, "no plain function"),
    ],
)
def test_a_package_that_cannot_offer_a_name_later_says_why(
    tmp_path: Path, text: str, kind: str, words: str
) -> None:
    file = written(tmp_path, {"pack/__init__.py": text, "pack/heavy.py": HEAVY})
    assert words in reasons(advice_of(file))[kind]
