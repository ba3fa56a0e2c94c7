"""What encloses an import statement."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.imports import place_of


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("import heavy\n", []),
        ("try:\n    import heavy\nexcept ImportError:\n    pass\n", ["try"]),
        ("try:\n    pass\nexcept ImportError:\n    import heavy\n", ["except"]),
        ("try:\n    pass\nexcept E:\n    pass\nelse:\n    import heavy\n", ["else"]),
        ("try:\n    pass\nfinally:\n    import heavy\n", ["finally"]),
        ("if x:\n    with y:\n        import heavy\n", ["if", "with"]),
        ("if x:\n    pass\nelse:\n    import heavy\n", ["if"]),
        ("if typing.TYPE_CHECKING:\n    import heavy\n", ["if TYPE_CHECKING"]),
        ("if TYPE_CHECKING:\n    pass\nelse:\n    import heavy\n", ["if"]),
        ("class A:\n    def f(self):\n        import heavy\n", ["class", "def"]),
        ("match x:\n    case 1:\n        import heavy\n", ["match"]),
        ("with contextlib.suppress(ImportError):\n    import heavy\n", ["with suppress"]),
        ("with suppress(KeyError):\n    import heavy\n", ["with"]),
    ],
)
def test_what_encloses_it_is_told_from_outside_in(tmp_path: Path, text: str, kinds: list[str]) -> None:
    assert [each.kind for each in place_of(tmp_path, text).around] == kinds


@pytest.mark.parametrize(
    ("text", "catches", "moves_whole", "says"),
    [
        (
            "try:\n import heavy\nexcept ImportError:\n heavy = None\n",
            True,
            True,
            "except ImportError: heavy = None",
        ),
        (
            "try:\n import heavy\nexcept ImportError:\n HAS = False\n",
            True,
            False,
            "except ImportError: HAS = False",
        ),
        (
            "try:\n import heavy\n HAS = 1\nexcept (A, Exception):\n pass\n",
            True,
            False,
            "except A | Exception: pass",
        ),
        ("try:\n import heavy\nexcept:\n raise\n", True, False, "except: raise"),
        ("try:\n import heavy\nexcept OSError:\n x()\n y()\n", False, False, "except OSError: line 4, …"),
    ],
)
def test_a_try_tells_what_it_catches_and_does_then(
    tmp_path: Path, text: str, catches: bool, moves_whole: bool, says: str
) -> None:
    around = place_of(tmp_path, text).around[-1]
    assert (around.catches, around.moves_whole, around.says) == (catches, moves_whole, says)
