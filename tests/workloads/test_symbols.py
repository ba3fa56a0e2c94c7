"""Are the usual definitions and imports found, and is bad source no error?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloads.rag.symbols import SymbolKind, outline

PYTHON = """import os, sys
from . import here
from ..pkg.mod import thing

@decorated
def first(x):
    def inner():
        return x
    return inner

class Box:
    size = 1

    async def open(self):
        pass

if os:
    def late(): pass
"""
JAVASCRIPT = """import { a } from "./a";
const b = require('b');

export default async function first(x) {
  return x;
}

const arrow = (x) => x + 1;
class Box extends Base {
}
"""


def test_python_definitions_with_their_text() -> None:
    found = outline(PYTHON, "x.py")
    assert [(s.name, s.kind, s.splits) for s in found.symbols] == [
        ("first", SymbolKind.FUNCTION, True),
        ("first.inner", SymbolKind.FUNCTION, False),
        ("Box", SymbolKind.CLASS, False),
        ("Box.open", SymbolKind.FUNCTION, True),
        ("late", SymbolKind.FUNCTION, True),
    ]
    first = found.symbols[0]
    assert PYTHON[first.start : first.end].startswith("@decorated\ndef first")
    assert PYTHON[first.start : first.end].endswith("return inner\n")
    assert found.imports == ("os", "sys", ".", "..pkg.mod")


def test_python_that_does_not_parse_is_read_by_pattern() -> None:
    found = outline("import os\nprint 'old'\ndef f(x):\n    pass\nclass C:\n    pass\n", "old.py")
    assert [symbol.name for symbol in found.symbols] == ["f", "C"]
    assert found.imports == ("os",)


def test_javascript_definitions_and_imports() -> None:
    found = outline(JAVASCRIPT, "x.js")
    assert [(s.name, s.splits) for s in found.symbols] == [("first", True), ("arrow", True), ("Box", True)]
    assert found.imports == ("./a", "b")


def test_definitions_inside_minified_code_split_nothing() -> None:
    found = outline("!function(){function a(){}function b(){}class C{}}()", "x.js")
    assert [(s.name, s.splits) for s in found.symbols] == [("a", False), ("b", False), ("C", False)]


@pytest.mark.parametrize("path", ["notes.md", "data.json", "no_suffix"])
def test_other_files_have_no_symbols(path: str) -> None:
    assert outline("def f(): pass", path).symbols == ()


@pytest.mark.parametrize(
    "text",
    [
        "(" * 500,
        "-" * 100_000 + "1",
        "if a: pass\n" + "elif b: pass\n" * 900,
        "a" + ".b" * 50_000,
        "\\",
        "def f(:\n",
        "x = '\\d'\n",
        "\ufeffdef f(): pass",
        "\r\r\ndef f(): pass",
    ],
)
def test_odd_source_raises_nothing(text: str) -> None:
    outline(text, "x.py")


@given(
    st.text(st.sampled_from("defclas unto(){}=>:\n\r'\"`.;$*"), max_size=200),
    st.sampled_from(["x.py", "x.js"]),
)
def test_symbols_lie_inside_their_text_in_its_order(text: str, path: str) -> None:
    symbols = outline(text, path).symbols
    assert all(0 <= symbol.start < symbol.end <= len(text) for symbol in symbols)
    assert [symbol.start for symbol in symbols] == sorted(symbol.start for symbol in symbols)
