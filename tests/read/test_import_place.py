"""What an import statement is, and what its file has."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagtools.import_place import Hook
from diagtools.read.import_place import read_import_place
from tests.support.imports import place_of


def test_a_statement_over_several_lines_is_found_from_each_of_them(tmp_path: Path) -> None:
    text = "from ..pack.heavy import (\n    a,\n    b as c,  # noqa\n)\n"
    (tmp_path / "m.py").write_text(text)
    places = [read_import_place(tmp_path / "m.py", line) for line in (1, 2, 3, 4)]
    assert {(place.line, place.end_line) for place in places} == {(1, 4)}
    place = places[0]
    assert (place.module, place.level, place.is_from, place.text) == ("pack.heavy", 2, True, text.rstrip())
    assert [(each.name, each.attribute, each.text) for each in place.bound] == [
        ("a", "a", "a"),
        ("c", "b", "b as c"),
    ]


def test_a_dotted_import_binds_its_first_part(tmp_path: Path) -> None:
    place = place_of(tmp_path, "import heavy.part\nimport os.path as p  \n")
    assert [(each.name, each.attribute) for each in place.bound] == [("heavy", "heavy.part")]


@pytest.mark.parametrize(
    "text", ["import heavy; x = 1\n", "x = 1; import heavy\n", "if 1: import heavy\n", "import heavy;\n"]
)
def test_a_statement_that_shares_its_line_says_so(tmp_path: Path, text: str) -> None:
    assert place_of(tmp_path, text).shares_line


def test_a_comment_shares_no_line(tmp_path: Path) -> None:
    assert not place_of(tmp_path, "import heavy  # é; noqa\n").shares_line


def test_what_a_package_file_has_is_told(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "geometry.py").touch()
    place = place_of(
        tmp_path / "pack",
        '''
        """Text."""
        from __future__ import annotations
        import typing as t
        import importlib.util
        from pack.geometry import Point, Line  # here
        from pydantic import BaseModel

        __all__ = ["Point"] + other.__all__
        __all__ += ["Line"]


        def __getattr__(attribute):
            """Text."""
            raise AttributeError(attribute)
        ''',
        "__init__.py",
    )
    assert place.is_package
    assert place.exported == ("Point", "Line")
    assert place.hook == Hook(line=12, first=14, indent="    ", parameter="attribute")
    assert (place.type_checking, place.has_importlib_util, place.has_dir) == ("t.TYPE_CHECKING", True, False)
    assert (place.top_line, place.future_line) == (5, 2)
    assert (place.home, place.siblings, place.evaluators) == ("pack", ("geometry",), ("pydantic",))


def test_a_module_that_its_package_does_not_bind_is_told(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "__init__.py").write_text("from x import bud\n")
    for name in ("leaf", "bud"):
        (tmp_path / "inner" / f"{name}.py").touch()
    text = "from .inner import leaf as other, bud, heavy\n"
    assert place_of(tmp_path, text, "__init__.py").only_modules == ("leaf",)
    assert place_of(tmp_path, "from . import inner  # here\n", "__init__.py").only_modules == ()


def test_a_hook_that_is_made_by_a_call_has_no_body(tmp_path: Path) -> None:
    place = place_of(tmp_path, "import heavy\n__getattr__, __dir__, _ = attach(__name__)\n")
    assert place.hook is not None
    assert (place.hook.line, place.hook.first, place.has_dir) == (2, 0, True)


def test_nothing_is_executed(tmp_path: Path) -> None:
    place_of(tmp_path, f"import heavy\nopen({str(tmp_path / 'made')!r}, 'w')\n")
    assert not (tmp_path / "made").exists()
