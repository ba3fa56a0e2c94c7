"""Where does an import statement stand, what does it bind, and who in its file uses that?"""

from __future__ import annotations

import ast
import os
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from shlex import quote

from diagtools.errors import DiagtoolsError, UsageError
from diagtools.import_place import Around, Function, Hook, ImportPlace, Kind, NameUse
from diagtools.read.import_room import first_room, function_room, indent_of
from diagtools.read.name_uses import Found, NameUses, has_future
from diagtools.read.source_text import parsed, read_source
from diagtools.read.statements import bound_by, dotted, end_of, imports_at, start_of, statements, stored_in

#: They look at annotations while the program runs.
_EVALUATORS = frozenset(
    (
        "attrs beartype cattrs cyclopts dacite fastapi injector litestar msgspec ninja pydantic pydantic_settings"
        " sqlalchemy sqlmodel strawberry typeguard typer tyro"
    ).split()
)
_EVALUATING_NAMES = frozenset({"get_type_hints", "singledispatch", "singledispatchmethod", "get_annotations"})


def read_import_place(file: Path, line: int) -> ImportPlace:
    """What stands around the import statement that covers this line of this file, and who uses its names?

    The file is parsed, never executed; of other files only the names of those beside it are looked at.  Of several
    statements on the line the first counts.  ``uses`` are in the order of their lines; a parameter or a local name
    that is called the same is none.  Raises ``NoDataError`` without the file, ``UnavailableError`` for syntax that
    this Python does not parse, ``DamagedError`` for what is no source text, and ``UsageError`` where the line holds
    no import.
    """
    source = read_source(file)
    tree = parsed(source, file)
    found = next(imports_at(tree, line), None)
    if found is None:
        raise UsageError(
            f"Line {line} of '{file.name}' is no import statement.", hint=f"sed -n {line}p {quote(str(file))}"
        )
    statement, around = found
    return _place(file, source, tree, statement, around)


def _place(
    file: Path,
    source: str,
    tree: ast.Module,
    statement: ast.Import | ast.ImportFrom,
    around: tuple[Around, ...],
) -> ImportPlace:
    lines = source.split("\n")
    bound = tuple(bound_by(statement))
    is_local = bool({"def", "class"} & {each.kind for each in around})
    uses = None if is_local else NameUses(tree, statement)
    top_line = around[0].line if around else statement.lineno
    outside = [each for each, its in statements(tree) if not {"def", "class"} & {one.kind for one in its}]
    exported = _exported(outside)
    is_package = file.name == "__init__.py"
    module = (statement.module or "") if isinstance(statement, ast.ImportFrom) else ""
    home = _home(file, module) if is_package else ""
    level = statement.level if isinstance(statement, ast.ImportFrom) else 0
    within = module[len(home) :].strip(".").split(".") if home or level == 1 else []
    names = {one.name for one in bound} | set(within[:1])
    return ImportPlace(
        file=str(file),
        source=source,
        line=statement.lineno,
        end_line=end_of(statement),
        indent=indent_of(lines, statement) or "",
        is_from=isinstance(statement, ast.ImportFrom),
        module=module,
        level=level,
        bound=bound,
        around=around,
        shares_line=indent_of(lines, statement) is None or not _ends_its_line(lines, statement),
        is_package=is_package,
        has_future_annotations=has_future(tree),
        exported=None if exported is None else tuple(dict.fromkeys(name for name, _ in exported)),
        hook=_hook(lines, outside),
        has_dir=any("__dir__" in stored_in(ast.Module([each], [])) for each in outside),
        type_checking=_type_checking(outside, top_line),
        has_importlib_util=_has_importlib_util(outside, top_line),
        top_line=top_line,
        future_line=_after_docstring(tree),
        uses=() if uses is None else _named_uses(lines, uses, exported or []),
        others=() if uses is None else tuple(sorted(uses.others)),
        siblings=tuple(sorted(_modules_in(file.parent, names))) if is_package else (),
        only_modules=_only_modules(file.parent.joinpath(*within), {one.attribute for one in bound})
        if any(within)
        else (),
        home=home,
        evaluators=_evaluators(tree),
    )


def _ends_its_line(lines: Sequence[str], statement: ast.stmt) -> bool:
    rest = lines[end_of(statement) - 1].encode()[statement.end_col_offset :].decode().strip()
    return not rest or rest.startswith("#")


def _exported(outside: Sequence[ast.stmt]) -> list[tuple[str, int]] | None:
    """What ``__all__`` names as far as it is written out, with lines; none where there is none."""
    about = [each for each in outside if not isinstance(each, ast.If | ast.Try) and _is_about_all(each)]
    if not about:
        return None
    nodes = [node for each in about for node in ast.walk(each)]
    return [(n.value, n.lineno) for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]


def _is_about_all(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return dotted(statement.value.func).startswith("__all__.")
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    every = [node for target in targets if target is not None for node in ast.walk(target)]
    return any(isinstance(node, ast.Name) and node.id == "__all__" for node in every)


def _hook(lines: Sequence[str], outside: Sequence[ast.stmt]) -> Hook | None:
    for each in outside:
        if "__getattr__" not in stored_in(ast.Module([each], [])):
            continue
        if isinstance(each, ast.FunctionDef) and each.name == "__getattr__" and len(each.args.args) == 1:
            first, indent = first_room(lines, each)
            return Hook(line=each.lineno, first=first, indent=indent, parameter=each.args.args[0].arg)
        return Hook(line=each.lineno, first=0, indent="", parameter="")
    return None


def _type_checking(outside: Sequence[ast.stmt], before: int) -> str:
    """How is ``TYPE_CHECKING`` written in this file above this line?  Empty where it is not imported there."""
    for each in outside:
        if each.lineno >= before:
            continue
        if isinstance(each, ast.Assign) and "TYPE_CHECKING" in [dotted(target) for target in each.targets]:
            return "TYPE_CHECKING"
        for bound in bound_by(each) if isinstance(each, ast.Import | ast.ImportFrom) else ():
            if bound.attribute in ("TYPE_CHECKING", "typing"):
                return bound.name + (".TYPE_CHECKING" if bound.attribute == "typing" else "")
    return ""


def _has_importlib_util(outside: Sequence[ast.stmt], before: int) -> bool:
    imports = [each for each in outside if isinstance(each, ast.Import) and each.lineno < before]
    return any(bound.text == "importlib.util" for each in imports for bound in bound_by(each))


def _after_docstring(tree: ast.Module) -> int:
    first, *rest = tree.body
    has_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return start_of(rest[0] if has_text and rest else first)


def _home(file: Path, module: str) -> str:
    """Of ``a.b.c`` in ``…/a/b/__init__.py``: ``a.b``."""
    parts, folders = module.split("."), file.parent.parts
    matching = [n for n in range(1, len(parts) + 1) if tuple(parts[:n]) == folders[-n:]]
    return ".".join(parts[: max(matching)]) if matching else ""


def _modules_in(folder: Path, names: set[str]) -> set[str]:
    """Which of these names are modules of this package?"""
    try:
        with os.scandir(folder) as entries:
            return {entry.name.split(".")[0] for entry in entries} & names
    except OSError:
        return set()


def _only_modules(folder: Path, names: set[str]) -> tuple[str, ...]:
    """Those that its ``__init__.py`` does not bind itself: only an import statement finds them there."""
    found = _modules_in(folder, names)
    if found:
        file = folder / "__init__.py"
        with suppress(DiagtoolsError):
            found -= stored_in(parsed(read_source(file), file))
    return tuple(sorted(found))


def _evaluators(tree: ast.Module) -> tuple[str, ...]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level:
            found.append((node.module or "").split(".")[0])
        if isinstance(node, ast.Import | ast.ImportFrom):
            found += [alias.name.split(".")[0] for alias in node.names]
        elif isinstance(node, ast.Attribute):
            found += [node.attr] if node.attr in _EVALUATING_NAMES else []
    return tuple(sorted(set(found) & (_EVALUATORS | _EVALUATING_NAMES)))


def _named_uses(
    lines: Sequence[str], uses: NameUses, exported: Sequence[tuple[str, int]]
) -> tuple[NameUse, ...]:
    functions = _functions(lines, uses.found)
    named = [
        NameUse(
            name=one.name,
            line=one.line,
            kind=one.kind,
            waits=one.waits,
            function=functions[one.function] if one.function and one.kind is Kind.FUNCTION else None,
        )
        for one in uses.found
    ]
    names = {bound.name for bound in bound_by(uses.statement)}
    named += [NameUse(name=name, line=line, kind=Kind.EXPORTED) for name, line in exported if name in names]
    return tuple(sorted(dict.fromkeys(named), key=lambda use: (use.line, use.name, use.kind)))


def _functions(lines: Sequence[str], found: Sequence[Found]) -> dict[ast.AST, Function]:
    at: dict[ast.FunctionDef | ast.AsyncFunctionDef, set[int]] = defaultdict(set)
    names = {}
    for one in found:
        if one.kind is Kind.FUNCTION and one.function is not None:
            at[one.function].add(one.line)
            names[one.function] = one.function_name
    return {node: function_room(lines, node, names[node], its) for node, its in at.items()}
