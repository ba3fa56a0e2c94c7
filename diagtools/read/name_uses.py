"""Who in a file uses the names of an import statement, and as what?"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

from diagtools.import_place import Kind
from diagtools.read.statements import (
    COMPREHENSIONS,
    FUNCTIONS,
    IMPORTS,
    bound_by,
    dotted,
    is_type_checking,
    statements,
    stored_in,
)

#: ``type X = …`` and the bounds of ``def f[T: …]`` are evaluated when somebody asks (3.12).
_WAIT = ("TypeAlias", "TypeVar", "ParamSpec", "TypeVarTuple")


@dataclass(slots=True, eq=False)
class _Scope:
    """A namespace: of the module, a class, a function, a lambda or a comprehension."""

    kind: str
    name: str = ""
    parent: _Scope | None = None
    stored: set[str] = field(default_factory=set)
    declared: set[str] = field(default_factory=set)  # global
    function: ast.FunctionDef | ast.AsyncFunctionDef | None = None
    function_name: str = ""

    def reaches_module(self, name: str) -> bool:
        """Is this name, used here, one of the module?  In a class body it may be, even if the class binds it."""
        scope: _Scope | None = self
        while scope is not None and scope.kind != "module":
            if name in scope.declared:
                return True
            if name in scope.stored and scope.kind != "class":
                return False
            scope = scope.parent
        return True

    def binds_in_module(self, name: str) -> bool:
        """Does binding this name here bind it in the module?"""
        return self.kind == "module" or name in self.declared


def _declared(node: ast.AST) -> set[str]:
    found: set[str] = set()
    waiting: list[ast.AST] = list(ast.iter_child_nodes(node))
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.Global):
            found |= set(one.names)
        if not isinstance(one, (*FUNCTIONS, ast.ClassDef, ast.Lambda)):
            waiting += ast.iter_child_nodes(one)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A use, and the function it is in."""

    name: str
    line: int
    kind: Kind
    waits: bool
    function: ast.FunctionDef | ast.AsyncFunctionDef | None
    function_name: str


class NameUses:
    """The uses of a statement's names in the whole file; nothing recurses, expressions may be deep.

    ``others`` are the lines that bind one of the names otherwise.
    """

    def __init__(self, tree: ast.Module, statement: ast.Import | ast.ImportFrom) -> None:
        self.found: list[Found] = []
        self.others: set[int] = set()
        self.statement = statement
        self._has_future = has_future(tree)
        self._names = {bound.name for bound in bound_by(statement)}
        plain = isinstance(statement, ast.Import)
        self._paths = {b.name: b.attribute for b in bound_by(statement) if plain and b.text == b.attribute}
        self._shared = self._bound_elsewhere(tree)
        module = _Scope("module")
        self._waiting: list[tuple[ast.AST, _Scope, Kind, bool]] = [(tree, module, Kind.MODULE, False)]
        while self._waiting:
            self._visit(*self._waiting.pop())

    def _bound_elsewhere(self, tree: ast.Module) -> set[str]:
        """Of ``import a.b``: the ``a`` that another statement of the module binds as well."""
        return {
            bound.name
            for statement, around in statements(tree)
            if isinstance(statement, ast.Import) and statement is not self.statement
            if not {"def", "class"} & {each.kind for each in around}
            for bound in bound_by(statement)
            if bound.text == bound.attribute
        }

    def _visit(self, node: ast.AST, scope: _Scope, kind: Kind, waits: bool) -> None:
        if node is self.statement:
            return
        if isinstance(node, FUNCTIONS):
            self._function(node, scope, kind)
        elif isinstance(node, ast.ClassDef):
            self._class(node, scope, kind)
        elif isinstance(node, ast.Lambda):
            inner = _Scope("lambda", scope.name, scope, _arguments(node.args), set(), scope.function)
            inner.function_name = scope.function_name
            self._push([*node.args.defaults, *node.args.kw_defaults], scope, kind, waits)
            self._push([node.body], inner, Kind.LAMBDA, waits)
        elif isinstance(node, COMPREHENSIONS):
            self._comprehension(node, scope, kind, waits)
        elif type(node).__name__ in _WAIT:
            self._push(list(ast.iter_child_nodes(node)), scope, Kind.ANNOTATION, True)
        elif isinstance(node, ast.AnnAssign):
            self._push([node.target, node.value], scope, kind, waits)
            local = scope.function is not None and scope.kind != "class"
            self._push([node.annotation], scope, Kind.ANNOTATION, self._has_future or local)
        elif isinstance(node, ast.If) and is_type_checking(node.test):
            self._push(node.body, scope, Kind.ANNOTATION, True)
            self._push([node.test, *node.orelse], scope, kind, waits)
        elif isinstance(node, ast.If) and scope.kind == "module" and _is_main(node.test):
            self._push(node.body, scope, Kind.MAIN, waits)
            self._push([node.test, *node.orelse], scope, kind, waits)
        else:
            self._leaf(node, scope, kind, waits)

    def _leaf(self, node: ast.AST, scope: _Scope, kind: Kind, waits: bool) -> None:
        if isinstance(node, ast.Name):
            self._name(node, node.id, scope, kind, waits)
        elif isinstance(node, ast.Attribute) and dotted(node).split(".")[0] in self._paths:
            self._name(node, dotted(node), scope, kind, waits)
        elif isinstance(node, IMPORTS):
            self._other({b.name for b in bound_by(node) if b.name not in self._shared}, node.lineno, scope)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and kind is Kind.ANNOTATION:
            self._push([_quoted(node)], scope, kind, True)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            self._other({node.name}, node.lineno, scope)
            self._push(list(ast.iter_child_nodes(node)), scope, kind, waits)
        else:
            self._push(list(ast.iter_child_nodes(node)), scope, kind, waits)

    def _push(self, nodes: Sequence[ast.AST | None], scope: _Scope, kind: Kind, waits: bool) -> None:
        self._waiting += [(node, scope, kind, waits) for node in nodes if node is not None]

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: _Scope, kind: Kind) -> None:
        self._other({node.name}, node.lineno, scope)
        args = node.args
        every = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
        self._push([*node.decorator_list], scope, Kind.DECORATOR, False)
        self._push(getattr(node, "type_params", []), scope, Kind.ANNOTATION, True)
        self._push([*args.defaults, *args.kw_defaults], scope, Kind.DEFAULT, False)
        annotations = [each.annotation for each in every if each is not None]
        self._push([*annotations, node.returns], scope, Kind.ANNOTATION, self._has_future)
        name = f"{scope.name}.{node.name}" if scope.name else node.name
        inner = _Scope(
            "function", name, scope, stored_in(node) | _arguments(args), _declared(node), node, name
        )
        self._push(node.body, inner, Kind.FUNCTION, False)

    def _class(self, node: ast.ClassDef, scope: _Scope, kind: Kind) -> None:
        self._other({node.name}, node.lineno, scope)
        self._push([*node.decorator_list], scope, Kind.DECORATOR, False)
        self._push(getattr(node, "type_params", []), scope, Kind.ANNOTATION, True)
        self._push([*node.bases, *(each.value for each in node.keywords)], scope, Kind.BASE, False)
        name = f"{scope.name}.{node.name}" if scope.name else node.name
        inner = _Scope(
            "class", name, scope, stored_in(node), _declared(node), scope.function, scope.function_name
        )
        self._push(node.body, inner, Kind.CLASS_BODY, False)

    def _comprehension(self, node: ast.AST, scope: _Scope, kind: Kind, waits: bool) -> None:
        generators: list[ast.comprehension] = getattr(node, "generators", [])
        targets = set().union(*(stored_in(ast.Module([ast.Expr(g.target)], [])) for g in generators))
        inner = _Scope(
            "comprehension", scope.name, scope, targets, set(), scope.function, scope.function_name
        )
        self._push([generators[0].iter], scope, kind, waits)
        rest = [each for each in ast.iter_child_nodes(node) if not isinstance(each, ast.comprehension)]
        rest += [each for g in generators for each in (*g.ifs, g.target)]
        self._push([*rest, *(g.iter for g in generators[1:])], inner, kind, waits)

    def _name(self, node: ast.expr, path: str, scope: _Scope, kind: Kind, waits: bool) -> None:
        name, *_ = path.split(".")
        context = getattr(node, "ctx", None)
        if isinstance(node, ast.Name) and isinstance(context, ast.Store):
            self._other({name}, node.lineno, scope)
            return
        if isinstance(node, ast.Name) and isinstance(context, ast.Del):
            kind = Kind.DELETED if scope.binds_in_module(name) else kind
        if name not in self._names or not scope.reaches_module(name) or not self._is_ours(name, path):
            return
        if (
            scope.function is not None
            and kind is not Kind.DELETED
            and not (kind is Kind.ANNOTATION and waits)
        ):
            kind = Kind.FUNCTION
        self.found.append(
            Found(
                name=name,
                line=node.lineno,
                kind=kind,
                waits=waits,
                function=scope.function,
                function_name=scope.function_name,
            )
        )

    def _is_ours(self, name: str, path: str) -> bool:
        """Of ``import a.b``, where something else binds ``a`` too: ``a.b.c`` is a use, ``a.x`` is none."""
        ours = self._paths.get(name, name)
        both = zip(path.split("."), ours.split("."), strict=False)
        return name not in self._shared or all(one == other for one, other in both)

    def _other(self, names: set[str], line: int, scope: _Scope) -> None:
        if any(name in self._names and scope.binds_in_module(name) for name in names):
            self.others.add(line)


def _arguments(args: ast.arguments) -> set[str]:
    return {each.arg for each in ast.walk(args) if isinstance(each, ast.arg)}


def _quoted(node: ast.Constant) -> ast.AST | None:
    """An annotation in quotes, its names at the line of the quotes; what is no expression is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = ast.parse(str(node.value).strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    for each in ast.walk(parsed):
        if isinstance(each, ast.expr):
            each.lineno = node.lineno
    return parsed


def _is_main(test: ast.expr) -> bool:
    return (
        isinstance(test, ast.Compare) and dotted(test.left) == "__name__" and isinstance(test.ops[0], ast.Eq)
    )


def has_future(tree: ast.Module) -> bool:
    """Does ``from __future__ import annotations`` keep this file's annotations from being evaluated?"""
    return any(
        isinstance(each, ast.ImportFrom)
        and each.module == "__future__"
        and any(alias.name == "annotations" for alias in each.names)
        for each in tree.body
    )
