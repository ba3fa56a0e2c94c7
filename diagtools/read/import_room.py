"""Where in a function would an import stand?"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from diagtools.import_place import Function
from diagtools.read.statements import FUNCTIONS, end_of, start_of


def function_room(
    lines: Sequence[str], node: ast.FunctionDef | ast.AsyncFunctionDef, name: str, at: set[int]
) -> Function:
    """A function that uses a name in the lines ``at``, and the lines before which its import would stand."""
    first, indent = first_room(lines, node)
    guarded, guarded_indent = _guarded(lines, node.body, at)
    return Function(
        name=name,
        line=node.lineno,
        first=first,
        indent=indent,
        guarded=guarded,
        guarded_indent=guarded_indent,
    )


def first_room(lines: Sequence[str], node: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[int, str]:
    """The first line after its docstring, and what stands before it."""
    has_text = isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant)
    return _room(lines, node.body[1] if has_text and len(node.body) > 1 else node.body[0])


def _room(lines: Sequence[str], statement: ast.stmt) -> tuple[int, str]:
    indent = indent_of(lines, statement)
    return (0, "") if indent is None else (start_of(statement), indent)


def _guarded(lines: Sequence[str], body: Sequence[ast.stmt], at: set[int]) -> tuple[int, str]:
    """Before the first statement with a use, as deep as all uses are; 0 where one expression asks and uses."""
    found = 0, ""
    while True:
        holding = [each for each in body if _holds(each, at)]
        first = holding[0]
        found = found if _is_elif(lines, first) else _room(lines, first)
        branches = [
            part
            for name in ("body", "orelse", "finalbody")
            for part in [getattr(first, name, [])]
            if isinstance(part, list) and any(_holds(each, at) for each in part)
        ]
        in_branches = {line for part in branches for each in part for line in at if _holds(each, {line})}
        is_inside = len(holding) == 1 and len(branches) == 1 and in_branches == at
        if not is_inside or isinstance(first, (*FUNCTIONS, ast.ClassDef)):
            return (0, "") if _asks(first, at) else found
        body = branches[0]


def _holds(statement: ast.stmt, at: set[int]) -> bool:
    return any(start_of(statement) <= line <= end_of(statement) for line in at)


def _is_elif(lines: Sequence[str], statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and lines[statement.lineno - 1].lstrip().startswith("elif")


def _asks(statement: ast.stmt, at: set[int]) -> bool:
    return any(
        isinstance(node, ast.BoolOp | ast.IfExp) and any(node.lineno <= line <= end_of(node) for line in at)
        for node in ast.walk(statement)
    )


def indent_of(lines: Sequence[str], statement: ast.stmt) -> str | None:
    """What stands before the statement, if that is white space only."""
    text = lines[start_of(statement) - 1].encode()[: statement.col_offset].decode()
    return text if not text.strip() else None
