"""Are the definitions and imports of a file found where they stand?"""

import pytest

from workloads.rag.symbols import SymbolKind, outline

PYTHON = '''import os
from .near import thing


class Store:
    """Rows."""

    @property
    def size(self):
        return 1


async def read():
    def inner():
        return os
    return inner
'''
SCRIPT = (
    "import a from './a.js';\nexport function load() {}\nconst save = () => 1;\nclass Page extends Base {}\n"
)


def test_python_names_have_their_classes_before_them() -> None:
    """So two methods of one name are two symbols."""
    assert [one.name for one in outline(PYTHON, "a.py").symbols] == [
        "Store",
        "Store.size",
        "read",
        "read.inner",
    ]


def test_only_what_stands_alone_may_be_cut_around() -> None:
    """A method may be cut off, a function within another may not."""
    splits = {one.name: one.splits for one in outline(PYTHON, "a.py").symbols}
    assert splits == {"Store": False, "Store.size": True, "read": True, "read.inner": False}


def test_a_decorator_belongs_to_its_function() -> None:
    """The text of a symbol begins with it."""
    size = outline(PYTHON, "a.py").symbols[1]
    assert PYTHON[size.start : size.end].splitlines()[0].strip() == "@property"


def test_relative_imports_keep_their_dots() -> None:
    """They are other modules than those without."""
    assert outline(PYTHON, "a.py").imports == ("os", ".near")


def test_a_file_that_does_not_parse_is_searched_for_patterns() -> None:
    """Half-written code is code."""
    found = outline("def done(): pass\nclass Half(\n", "a.py")
    assert [(one.name, one.kind) for one in found.symbols] == [
        ("done", SymbolKind.FUNCTION),
        ("Half", SymbolKind.CLASS),
    ]


def test_a_script_is_read_by_patterns() -> None:
    """Functions, arrows, classes and the module that it needs."""
    found = outline(SCRIPT, "page.TS")
    assert [one.name for one in found.symbols] == ["load", "save", "Page"]
    assert found.imports == ("./a.js",)


@pytest.mark.parametrize("name", ["notes.md", "data.json", "Makefile"])
def test_other_files_have_no_symbols(name: str) -> None:
    """Even where they hold code."""
    assert outline(PYTHON, name).symbols == ()
