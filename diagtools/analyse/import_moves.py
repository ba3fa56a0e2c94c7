"""Which lines change when an import statement leaves its place for the functions that use it?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from diagtools.analyse.import_limits import Refused, is_separable, whole_try
from diagtools.analyse.import_words import dedented, indented, written
from diagtools.analyse.line_changes import Change
from diagtools.import_place import Bound, Function, ImportPlace, Kind

FUTURE, TYPING = "from __future__ import annotations", "from typing import TYPE_CHECKING"


def functions_using(place: ImportPlace, able: Sequence[Bound]) -> dict[Function, list[Bound]]:
    """Which functions use which of the names?"""
    found: dict[Function, list[Bound]] = {}
    for bound in able:
        for use in place.uses:
            if use.kind == Kind.FUNCTION and use.function is not None and use.name == bound.name:
                names = found.setdefault(use.function, [])
                names += [bound] if bound not in names else []
    return found


def unused_names(place: ImportPlace, able: Sequence[Bound]) -> list[Bound]:
    """Which of the names does nothing in the file use?"""
    used = {use.name for use in place.uses}
    return [bound for bound in able if bound.name not in used]


def leaving(place: ImportPlace, able: Sequence[Bound]) -> list[Bound]:
    """The names that leave with those that are used: a module of its own that nobody uses is executed as before."""
    stay = unused_names(place, able) if is_separable(place) and not whole_try(place) else []
    return [bound for bound in able if bound not in stay]


def insertions(place: ImportPlace, functions: dict[Function, list[Bound]]) -> Iterator[Change]:
    """The import at the begin of each function; before the use in one that asks whether it may be done at all.

    These are those behind the flag of a ``try``, and the module's own ``__getattr__``, which is asked for other names.
    """
    whole = whole_try(place)
    has_flag = bool(place.around and place.around[-1].catches and not whole)
    for function, bound in functions.items():
        is_hook = place.hook is not None and function.line == place.hook.line
        is_guarded = has_flag or is_hook
        line, indent = function.first, function.indent
        if is_guarded:
            line, indent = function.guarded, function.guarded_indent
        if is_hook and indent == function.indent:
            raise Refused(f"`{function.name}` in line {function.line} uses it whatever it is asked for.")
        if not line:
            why = "asks and uses in one expression" if is_guarded else "stands on one line"
            raise Refused(f"`{function.name}` in line {function.line} {why}: split it first.")
        text = dedented(place, whole.line, whole.end_line) if whole else written(place, bound)
        yield Change(line=line, added=tuple(indented([*text, *([""] if not is_guarded else [])], indent)))


def without_statement(
    place: ImportPlace, able: Sequence[Bound] | None = None, *, typed: Sequence[Bound] = ()
) -> list[Change]:
    """The statement gone from where it stands: asked for only, kept for type checkers, or left out.

    Kept are the names of annotations and those that are ``typed``.
    """
    able = place.bound if able is None else able
    kept = [bound for bound in place.bound if bound not in able]
    whole = whole_try(place)
    inner = place.around[-1] if place.around else None
    head: list[str] = []
    annotated = [use for use in place.uses if use.kind == Kind.ANNOTATION]
    if annotated or typed:
        names = {use.name for use in annotated} | {bound.name for bound in typed}
        needed = [bound for bound in able if bound.name in names]
        flag = place.type_checking or "TYPE_CHECKING"
        head += [] if place.type_checking else [TYPING, ""]
        head += [f"if {flag}:", *indented(written(place, needed)), *([""] if inner else [])]
    first, last = (whole.line, whole.end_line) if whole else (place.line, place.end_line)
    stays = indented(written(place, kept), place.indent) if kept else []
    if inner and inner.catches and not whole:
        head = [*([] if place.has_importlib_util else ["import importlib.util"]), *head]
        stays += indented(_asked(place, able), place.indent)
    changes = [Change(line=first, n_removed=last - first + 1, added=tuple(stays))]
    changes = [Change(line=place.top_line, added=tuple(head)), *changes] if head else changes
    if annotated and not place.has_future_annotations and not all(use.waits for use in annotated):
        changes = [Change(line=place.future_line, added=(FUTURE, "")), *changes]
    return changes


def _asked(place: ImportPlace, able: Sequence[Bound]) -> Iterator[str]:
    """Is it there?  What stands around the statement is told so in the way it expects."""
    if place.is_from and not place.module:
        raise Refused("whether a name of the package itself is there cannot be asked without importing it.")
    dots = "." * place.level
    for name in [dots + place.module] if place.is_from else [bound.attribute for bound in able]:
        given = f'"{name}", __package__' if place.level else f'"{name}"'
        yield f"if importlib.util.find_spec({given}) is None:"
        yield f'    raise ModuleNotFoundError("No module named {name!r}", name="{name.lstrip(".")}")'
