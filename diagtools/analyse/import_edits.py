"""How is each edit written that makes an import statement wait until it is needed?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from diagtools.analyse.import_limits import (
    Refused,
    check_annotations,
    check_attachable,
    check_movable,
    check_offered,
    is_of_package_itself,
    module_beside,
    path_within,
    public_names,
    waiting,
    whole_try,
)
from diagtools.analyse.import_moves import (
    functions_using,
    insertions,
    leaving,
    unused_names,
    without_statement,
)
from diagtools.analyse.import_words import (
    dedented,
    free_name,
    global_lines,
    indented,
    lines_of,
    names_of,
    quoted,
    wrapped,
    written,
)
from diagtools.analyse.line_changes import Change, changed, compiles, hunks, in_order
from diagtools.import_place import Bound, Function, ImportPlace, Kind

TYPES_ONLY, LOCAL, REMOVE = "if TYPE_CHECKING", "function-local import", "remove"
GETATTR, LAZY_LOADER, LAZY = "module __getattr__", "lazy_loader", "lazy import"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One way to make the import wait: hunks of a unified diff of the file, and why it is this one.

    ``python`` is the first version it works with.  Applied to the file, ``text`` gives one that Python compiles.
    """

    kind: str
    python: str
    text: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A way that the place does not allow, and why not."""

    kind: str
    reason: str


def edits_of(place: ImportPlace, *, is_measured: bool) -> tuple[list[Edit], list[Refusal]]:
    """Every edit of this statement, the best first, and every way that its place does not allow.

    ``is_measured``: nothing forced it while it was lazy, so nothing that is written in the file matters to that.
    """
    edits: list[Edit] = []
    forbidden: list[Refusal] = []
    ways: dict[str, Callable[[ImportPlace], Edit | None]] = {
        **_WAYS,
        LAZY: lambda place: _lazy(place, is_measured=is_measured),
        REMOVE: _remove,  # last: an import that nobody uses may be there for what it does
    }
    for kind, make in ways.items():
        try:
            edit = make(place)
        except Refused as refused:
            forbidden.append(Refusal(kind=kind, reason=str(refused)))
        else:
            edits += [edit] if edit is not None else []
    return edits, forbidden


def edit_of(place: ImportPlace, kind: str, python: str, why: str, changes: Iterable[Change]) -> Edit:
    """An edit of these changes.  ``Refused`` where the file would be no program any more."""
    lines = lines_of(place)
    ordered = in_order(changes)
    if kind != LAZY and not compiles(changed(lines, ordered)):
        raise Refused("the text around it leaves no room for the edit.")
    return Edit(kind=kind, python=python, text="\n".join(hunks(lines, ordered)), why=why)


def _types_only(place: ImportPlace) -> Edit | None:
    if not any(use.kind == Kind.ANNOTATION for use in place.uses) or public_names(place):
        return None
    if any(use.kind != Kind.ANNOTATION for use in place.uses):
        return None
    check_movable(place)
    check_annotations(place)
    if place.around:
        raise Refused(f"`{place.around[-1].kind}` in line {place.around[-1].line} stands around it.")
    able = leaving(place, place.bound)
    idle = unused_names(place, able)
    why = f"Only annotations use {names_of([bound for bound in able if bound not in idle])}. "
    why += f"{_about_future(place)} Check that nobody evaluates them (typing.get_type_hints). "
    why += _about_unused(place, able) + _search(able)
    return edit_of(place, TYPES_ONLY, "3.7", why, without_statement(place, able, typed=idle))


def _about_unused(place: ImportPlace, able: Sequence[Bound]) -> str:
    """What becomes of the names that nothing in the file uses?"""
    idle, stay = unused_names(place, able), unused_names(place, [b for b in place.bound if b not in able])
    said = f"Nothing in this file uses {names_of(idle)}: kept for type checkers only. " if idle else ""
    return said + (
        f"Nothing in this file uses {names_of(stay)}: its import stays, with what it costs. " if stay else ""
    )


def _search(able: Sequence[Bound]) -> str:
    return f"Search for code elsewhere that takes {names_of(able)} from this module, mocks in tests too."


def _about_future(place: ImportPlace) -> str:
    if place.has_future_annotations:
        return "`from __future__ import annotations` is there already."
    if all(use.waits for use in place.uses if use.kind == Kind.ANNOTATION):
        return "They are not evaluated as they stand."
    return "`from __future__ import annotations` is added: before 3.14 they would be evaluated."


def _local(place: ImportPlace) -> Edit | None:
    able = waiting(place)
    functions = functions_using(place, able)
    if not functions and not public_names(place):
        return None
    check_movable(place)
    if public := [name for name in public_names(place) if name in {bound.name for bound in able}]:
        lines = [use.line for use in place.uses if use.kind == Kind.EXPORTED and use.name == public[0]]
        where = f"`__all__` (line {lines[0]}) offers" if lines else "this package offers"
        raise Refused(f"{where} `{public[0]}`, which would be gone; a module `__getattr__` keeps it.")
    annotations = check_annotations(place)
    able = leaving(place, able)
    idle = unused_names(place, able)
    typed = [] if whole_try(place) else idle
    changes = [*without_statement(place, able, typed=typed), *insertions(place, functions)]
    called = [bound for bound in able if any(bound in its for its in functions.values())]
    noted = [bound for bound in able if bound not in called and bound not in idle]
    why = f"{_counted(functions)} {'uses' if len(functions) == 1 else 'use'} {names_of(called)}"
    why += f", and annotations use {names_of(noted)}. " if noted else ". "
    why += "" if whole_try(place) else _about_unused(place, able)
    if not place.has_future_annotations and any(not use.waits for use in annotations):
        why += f"{_about_future(place)} Check that nobody evaluates annotations (typing.get_type_hints). "
    inner = place.around[-1] if place.around else None
    if inner and inner.catches and not inner.moves_whole:
        why += "A missing package is still noticed at import, but one that is broken fails at its first use. "
    why += _search(able)
    return edit_of(place, LOCAL, "3.7", why, changes)


def _remove(place: ImportPlace) -> Edit | None:
    if place.uses or public_names(place) or place.is_package:
        return None
    check_movable(place)
    if place.around and not whole_try(place):
        return None
    why = (
        f"{_about_effects(place)} Nothing but output and exit status is compared when a saving is measured. "
    )
    why += _search(place.bound)
    return edit_of(place, REMOVE, "3.7", why, without_statement(place))


def _about_effects(place: ImportPlace) -> str:
    """An import can be there for what its module does when it is executed."""
    if place.uses or public_names(place):
        return ""
    why = f"Nothing in this file uses {names_of(place.bound)}: do this only where executing the module has no effect "
    return why + "of its own that somebody needs, such as registering a plugin."


def _getattr(place: ImportPlace) -> Edit | None:
    able = waiting(place)
    if not public_names(place) and not (place.is_package or not place.uses):
        return None
    check_offered(place, able)
    annotations = check_annotations(place)
    functions = functions_using(place, able)
    changes = [*_hook_changes(place, able), *without_statement(place, able), *insertions(place, functions)]
    one = "s" if len(able) == 1 else ""
    why = f"{names_of(able)} stay{one} available to others, and load{one} when first asked for. "
    if place.hook is not None:
        why += f"The `__getattr__` in line {place.hook.line} is kept, and asked after these. "
        why += "" if not place.has_dir else "Its `__dir__` is not changed. "
    if place.exported is None:
        why += f"Without an `__all__`, `from … import *` no longer brings {'it' if one else 'them'}. "
    elif public_names(place):
        why += "A star import loads what `__all__` names. "
    if place.is_package:
        why += "Modules that it loaded on the side must be imported by who uses them. "
    if not annotations and not place.type_checking:
        why += "Type checkers see the names only under `if TYPE_CHECKING:`. "
    why += _about_effects(place)
    return edit_of(place, GETATTR, "3.7", why.strip(), changes)


def _hook_changes(place: ImportPlace, able: Sequence[Bound]) -> list[Change]:
    names = sorted({*(bound.name for bound in able), *module_beside(place)})
    parameter = place.hook.parameter if place.hook else "name"
    if is_of_package_itself(place):
        brings = ["import importlib", "", f'return importlib.import_module(f"{{__name__}}.{{{parameter}}}")']
    else:
        whole = whole_try(place)
        text = dedented(place, whole.line, whole.end_line) if whole else written(place, able)
        brings = [*global_lines([bound.name for bound in able]), *text, "", f"return globals()[{parameter}]"]
    if place.hook is not None:
        body = [f"if {parameter} in {{{quoted(names)}}}:", *indented(brings)]
        return [Change(line=place.hook.first, added=tuple(indented(body, place.hook.indent)))]
    table = free_name(place, "_LAZY")
    lines = ["", "", *wrapped(f"{table} = {{", [f'"{name}"' for name in names], "}"), "", ""]
    lines += [
        f"def __getattr__({parameter}):",
        f"    if {parameter} in {table}:",
        *indented(brings, " " * 8),
    ]
    lines += ['    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")']
    if not place.has_dir:
        lines += ["", "", "def __dir__():", f"    return sorted({{*globals(), *{table}}})"]
    return [Change(line=len(lines_of(place)) + 1, added=tuple(lines))]


def _lazy_loader(place: ImportPlace) -> Edit | None:
    if not place.is_package:
        return None
    able = waiting(place)
    check_offered(place, able)
    check_attachable(place, able)
    if place.around:
        raise Refused(f"`{place.around[-1].kind}` in line {place.around[-1].line} stands around it.")
    within = path_within(place)
    names = [f'"{bound.name}"' for bound in able]
    attached = (
        wrapped("    submodules={", names, "},")
        if not within
        else [
            "    submod_attrs={",
            *indented(wrapped(f'"{within}": [', names, "],"), " " * 8),
            "    },",
        ]
    )
    lines = ["import lazy_loader", "", "__getattr__ = lazy_loader.attach("]
    lines += ["    __name__,", *attached, ")[0]"]
    why = "SPEC 1, for one more dependency; one `attach` serves every statement of this file that may wait. "
    why += "Its own `__dir__` and `__all__` would list these names only, and are left out."
    change = Change(line=place.line, n_removed=place.end_line - place.line + 1, added=tuple(lines))
    return edit_of(place, LAZY_LOADER, "3.9", why, [change])


def _lazy(place: ImportPlace, *, is_measured: bool) -> Edit:
    change, able = lazy_change(place, is_measured=is_measured)
    why = "A syntax error before 3.15; older Pythons pass over "
    why += f"`__lazy_modules__ = [{', '.join(_full_names(place, able))}]` above it, which says the same."
    if collision := [bound.name for bound in able if bound.name in place.siblings and place.module]:
        why += f" Once the module `{collision[0]}` of this package is imported, it takes the name's place."
    why += f" {_about_effects(place)}"
    return edit_of(place, LAZY, "3.15", why.strip(), [change])


def lazy_change(place: ImportPlace, *, is_measured: bool) -> tuple[Change, list[Bound]]:
    """``lazy`` before the statement, and which of its names that serves.  ``Refused`` where PEP 810 allows none."""
    for each in place.around:
        if each.kind in ("try", "except", "else", "finally"):
            part = "a `try`" if each.kind == "try" else f"the `{each.kind}` of a `try`"
            said = f", {each.says}" if each.says else ""
            raise Refused(f"PEP 810 allows none in {part} (line {each.line}{said}).")
        if each.catches:
            raise Refused(
                f"the error would come at the first use, where line {each.line} no longer catches it."
            )
    able = list(place.bound) if is_measured else waiting(place)
    line, *rest = lines_of(place)[place.line - 1 : place.end_line]
    if len(able) == len(place.bound):
        added = f"{place.indent}lazy {line.removeprefix(place.indent)}"
        return Change(line=place.line, n_removed=1, added=(added,)), able
    kept = [bound for bound in place.bound if bound not in able]
    one, *more = written(place, able)
    both = [*written(place, kept), f"lazy {one}", *more]
    return Change(line=place.line, n_removed=1 + len(rest), added=tuple(indented(both, place.indent))), able


def _full_names(place: ImportPlace, able: Sequence[Bound]) -> list[str]:
    if not place.is_from:
        return [f'"{bound.attribute}"' for bound in able]
    if not place.level:
        return [f'"{place.module}"']
    package = "__package__" if place.level == 1 else f'__package__.rsplit(".", {place.level - 1})[0]'
    return [f'{package} + ".{place.module}"' if place.module else package]


_WAYS: dict[str, Callable[[ImportPlace], Edit | None]] = {
    TYPES_ONLY: _types_only,
    LOCAL: _local,
    GETATTR: _getattr,
    LAZY_LOADER: _lazy_loader,
}


def _counted(functions: dict[Function, list[Bound]]) -> str:
    said = [f"{function.name} (line {function.line})" for function in functions]
    if len(said) > 3:
        said[3:] = [f"{len(said) - 3} more function{'s' if len(said) > 4 else ''}"]
    *most, last = said
    return f"Only {', '.join(most)} and {last}" if most else f"Only {last}"
