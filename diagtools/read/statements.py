"""Which statements does a syntax tree have, what encloses each, and which names does it bind?"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from diagtools.import_place import Around, Bound

_LONGEST_HANDLER = 60
_IMPORT_ERRORS = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException", ""}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
IMPORTS = (ast.Import, ast.ImportFrom)


def statements(tree: ast.AST) -> Iterator[tuple[ast.stmt, tuple[Around, ...]]]:
    """Every statement with what encloses it, in their order; a long chain of ``elif`` is nested deeply."""
    waiting: list[tuple[ast.AST, tuple[Around, ...]]] = [(tree, ())]
    while waiting:
        node, around = waiting.pop()
        if isinstance(node, ast.stmt):
            yield node, around
        below: list[tuple[ast.AST, tuple[Around, ...]]] = []
        for name, value in ast.iter_fields(node):
            inside = value if isinstance(value, list) else []
            held = [
                each for each in inside if isinstance(each, ast.stmt | ast.ExceptHandler | ast.match_case)
            ]
            within = (*around, *_around(node, name)) if held else ()
            below += [(each, within) for each in held]
        waiting += reversed(below)


def imports_at(
    tree: ast.Module, line: int
) -> Iterator[tuple[ast.Import | ast.ImportFrom, tuple[Around, ...]]]:
    """The import statements that cover this line, the outermost first."""
    for statement, around in statements(tree):
        if isinstance(statement, ast.Import | ast.ImportFrom) and statement.lineno <= line <= end_of(
            statement
        ):
            yield statement, around


def end_of(node: ast.stmt | ast.expr) -> int:
    """Its last line."""
    return node.lineno if node.end_lineno is None else node.end_lineno


def start_of(statement: ast.stmt) -> int:
    """Its first line: a function or class begins with its first decorator."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(each.lineno for each in decorators)])


def _around(node: ast.AST, name: str) -> tuple[Around, ...]:
    """What does it mean to stand in this field of this statement?"""
    if not isinstance(node, ast.stmt):
        return ()
    kind = {"handlers": "except", "orelse": "else", "finalbody": "finally"}.get(name, "")
    if isinstance(node, ast.Try | ast.TryStar):
        return (
            _around_try(node)
            if name == "body"
            else Around(kind=kind, line=node.lineno, end_line=end_of(node)),
        )
    if isinstance(node, ast.With | ast.AsyncWith) and _suppresses(node):
        says = "a failed import is passed over"
        return (
            Around(kind="with suppress", line=node.lineno, end_line=end_of(node), catches=True, says=says),
        )
    if isinstance(node, ast.If) and name == "body" and is_type_checking(node.test):
        return (Around(kind="if TYPE_CHECKING", line=node.lineno, end_line=end_of(node)),)
    words: dict[type[ast.AST], str] = {
        **dict.fromkeys(FUNCTIONS, "def"),
        ast.ClassDef: "class",
        ast.If: "if",
        ast.Match: "match",
    }
    words |= {ast.With: "with", ast.AsyncWith: "with", ast.For: "for", ast.While: "while"}
    word = words.get(type(node), "")
    return (Around(kind=word, line=start_of(node), end_line=end_of(node)),) if word else ()


def _around_try(node: ast.Try | ast.TryStar) -> Around:
    catches = [each for each in node.handlers if _IMPORT_ERRORS & set(_types(each))]
    says = [
        f"except {' | '.join(_types(each))}".strip() + f": {_in_short(each.body)}" for each in node.handlers
    ]
    first = node.body[0]
    names = {bound.name for bound in bound_by(first)} if isinstance(first, IMPORTS) else set()
    set_there = set().union(*(stored_in(each) for each in node.handlers)) if node.handlers else set()
    is_all = len(node.body) == 1 and bool(names) and not node.orelse and not node.finalbody
    is_quiet = all(isinstance(one, ast.Assign | ast.Pass) for each in node.handlers for one in each.body)
    return Around(
        kind="try",
        line=node.lineno,
        end_line=end_of(node),
        catches=bool(catches),
        moves_whole=is_all and is_quiet and set_there <= names,
        says="; ".join(says),
    )


def _types(handler: ast.ExceptHandler) -> list[str]:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return [dotted(kind).rpartition(".")[2] if kind is not None else "" for kind in kinds]


def _in_short(body: Sequence[ast.stmt]) -> str:
    first = body[0]
    if isinstance(first, ast.Assign) and isinstance(first.value, ast.Constant):
        targets = ", ".join(dotted(target) for target in first.targets)
        text = f"{targets} = {first.value.value!r}"
    else:
        text = {ast.Pass: "pass", ast.Raise: "raise"}.get(type(first), f"line {first.lineno}")
    return text[:_LONGEST_HANDLER] + (", …" if len(body) > 1 else "")


def _suppresses(node: ast.With | ast.AsyncWith) -> bool:
    calls = [item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)]
    return any(
        dotted(call.func).rpartition(".")[2] == "suppress"
        and any(dotted(each).rpartition(".")[2] in _IMPORT_ERRORS for each in call.args)
        for call in calls
    )


def is_type_checking(test: ast.expr) -> bool:
    """Is it asked whether only a type checker reads this?"""
    return dotted(test).rpartition(".")[2] == "TYPE_CHECKING"


def dotted(node: ast.AST) -> str:
    """``a.b.c`` as it is written; ``?`` for what is no such name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id if isinstance(node, ast.Name) else "?", *reversed(parts)])


def bound_by(statement: ast.Import | ast.ImportFrom) -> Iterator[Bound]:
    """The names that an import statement binds, in their order."""
    for alias in statement.names:
        is_plain = isinstance(statement, ast.Import)
        name = alias.asname or (alias.name.split(".")[0] if is_plain else alias.name)
        text = alias.name + (f" as {alias.asname}" if alias.asname else "")
        yield Bound(name=name, attribute=alias.name, text=text)


def stored_in(node: ast.AST) -> set[str]:
    """Which names does the code below bind in its own namespace?"""
    names: set[str] = set()
    free: set[str] = set()
    waiting: list[ast.AST] = list(ast.iter_child_nodes(node))
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store | ast.Del):
            names.add(one.id)
        elif isinstance(one, IMPORTS):
            names |= {bound.name for bound in bound_by(one)}
        elif isinstance(one, ast.Global | ast.Nonlocal):
            free |= set(one.names)
        else:
            named = getattr(one, "name", None) or getattr(one, "rest", None)  # def, class, except, match
            names |= {named} if isinstance(named, str) else set()
        if isinstance(one, COMPREHENSIONS):
            waiting += [
                each.target for each in ast.walk(one) if isinstance(each, ast.NamedExpr)
            ]  # := binds around it
        elif not isinstance(one, (*FUNCTIONS, ast.ClassDef, ast.Lambda)):
            waiting += ast.iter_child_nodes(one)
    return names - free
