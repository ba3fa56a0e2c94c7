"""Which functions and classes does a source file define, and what does it import?

Python is parsed; where it does not parse, and for JavaScript and its kin, regular expressions find what is
written in the usual way. Other files have no symbols.
"""

import ast
import re
import warnings
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

JAVASCRIPT_SUFFIXES = frozenset({".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx"})
PYTHON_SUFFIXES = frozenset({".py", ".pyi"})

PYTHON_DEFINITION = re.compile(r"^[ \t]*(?:async[ \t]+)?(?P<kind>def|class)[ \t]+(?P<name>\w+)", re.MULTILINE)
PYTHON_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(\.*[\w.]+)[ \t]+import\b|import[ \t]+([\w.]+))", re.MULTILINE
)
# The lead matches only where a definition starts its line: inside minified code it does not.
JAVASCRIPT_DEFINITION = re.compile(
    r"(?P<lead>^[ \t]{0,8}(?:export[ \t]+)?(?:default[ \t]+)?(?:async[ \t]+)?)?\b(?:"
    r"(?P<kind>function|class)\b\s*\*?\s*(?P<name>[A-Za-z_$][\w$]*)\s*(?=[({]|extends\b)"
    r"|(?:const|let|var)\s+(?P<arrow>[A-Za-z_$][\w$]*)\s*=\s*(?:async\s*)?(?:function\b|\([^()\n]*\)\s*=>))",
    re.MULTILINE,
)
JAVASCRIPT_IMPORT = re.compile(r"(?:\bfrom\s*|\bimport\s*|\brequire\(\s*)([\"'])(?P<module>[^\"'\n]+)\1")
LINE_END = re.compile(r"\r\n|\r|\n")


class SymbolKind(StrEnum):
    """What sort of definition is it?"""

    FUNCTION = "function"
    CLASS = "class"


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """What is defined, and where does its text begin and end?

    `start` and `end` are character offsets. `splits` says that the text may be cut before and after it: it
    stands on lines of its own and in no other function.
    """

    name: str
    kind: SymbolKind
    start: int
    end: int
    splits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What does one file define and import? Symbols in the order of their text."""

    symbols: tuple[Symbol, ...] = ()
    imports: tuple[str, ...] = ()


def outline(text: str, relative_path: str) -> Outline:
    """What does this file define and import, as its suffix says it is to be read?"""
    suffix = PurePosixPath(relative_path).suffix.lower()
    if suffix in PYTHON_SUFFIXES:
        return _python(text)
    return _javascript(text) if suffix in JAVASCRIPT_SUFFIXES else Outline()


def _python(text: str) -> Outline:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they are the authors' business, not ours
            tree = ast.parse(text)
        starts = [0, *(match.end() for match in LINE_END.finditer(text)), len(text)]
        symbols = tuple(sorted(_definitions(tree, starts, ""), key=lambda symbol: symbol.start))
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the latter two: nested too deep
        return _python_by_pattern(text)
    return Outline(symbols=symbols, imports=tuple(_imports(tree)))


def _definitions(node: ast.AST, starts: list[int], inside: str, nested: bool = False) -> Iterator[Symbol]:
    """Which definitions lie below this node? `starts` are the offsets of the lines, and the end of the text."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
                yield from _definitions(child, starts, inside, nested)
            continue
        is_class = isinstance(child, ast.ClassDef)
        name = f"{inside}{child.name}"
        first = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
        last = child.end_lineno or child.lineno
        yield Symbol(
            name=name,
            kind=SymbolKind.CLASS if is_class else SymbolKind.FUNCTION,
            start=starts[first - 1],
            end=starts[min(last, len(starts) - 1)],
            splits=not is_class and not nested,
        )
        yield from _definitions(child, starts, f"{name}.", nested or not is_class)


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def _python_by_pattern(text: str) -> Outline:
    matches = list(PYTHON_DEFINITION.finditer(text))
    cuts = [match.start() for match in matches]
    symbols = tuple(
        Symbol(
            name=match["name"],
            kind=SymbolKind.FUNCTION if match["kind"] == "def" else SymbolKind.CLASS,
            start=match.start(),
            end=_next(cuts, match.start(), len(text)),
            splits=match["kind"] == "def",
        )
        for match in matches
    )
    imports = tuple(match[1] or match[2] for match in PYTHON_IMPORT.finditer(text))
    return Outline(symbols=symbols, imports=imports)


def _javascript(text: str) -> Outline:
    matches = list(JAVASCRIPT_DEFINITION.finditer(text))
    cuts = [match.start() for match in matches if match["lead"] is not None]
    symbols = tuple(
        Symbol(
            name=match["name"] or match["arrow"],
            kind=SymbolKind.CLASS if match["kind"] == "class" else SymbolKind.FUNCTION,
            start=match.start(),
            end=_next(cuts, match.start(), len(text)),
            splits=match["lead"] is not None,
        )
        for match in matches
    )
    imports = tuple(match["module"] for match in JAVASCRIPT_IMPORT.finditer(text))
    return Outline(symbols=symbols, imports=imports)


def _next(cuts: list[int], position: int, end: int) -> int:
    """Where does the text of a definition at `position` end at the latest?"""
    following = bisect_right(cuts, position)
    return cuts[following] if following < len(cuts) else end
