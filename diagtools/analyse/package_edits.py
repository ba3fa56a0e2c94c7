"""Which one edit makes the imports of a package's ``__init__.py`` wait together?"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from diagtools.analyse.import_edits import GETATTR, LAZY, LAZY_LOADER, Edit, Refusal, edit_of, lazy_change
from diagtools.analyse.import_limits import (
    Refused,
    check_annotations,
    check_attachable,
    check_attributes,
    check_offered,
    is_of_package_itself,
    is_own,
    module_beside,
    path_within,
    refused_at_all,
    waiting,
)
from diagtools.analyse.import_moves import FUTURE, TYPING, functions_using, insertions
from diagtools.analyse.import_words import filled, free_name, in_short, indented, lines_of, wrapped, written
from diagtools.analyse.line_changes import Change
from diagtools.import_place import Bound, ImportPlace, Kind

_LONGEST_STATEMENT = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A statement, and those of its names that can wait."""

    place: ImportPlace
    able: Sequence[Bound]

    @property
    def is_whole(self) -> bool:
        return len(self.able) == len(self.place.bound)


def file_edits(places: Sequence[ImportPlace], *, is_measured: bool) -> tuple[list[Edit], list[Refusal]]:
    """Every edit of these statements of one file, in their order, the best first, and what must stay as it is.

    A statement that one way cannot move stays where it is; the edit is of the others.
    """
    chosen = [place for place in places if not _is_left_alone(place)] or list(places)
    edits: list[Edit] = []
    forbidden: list[Refusal] = []
    ways: list[tuple[str, Callable[[ImportPlace], Sequence[Bound]], Callable[[Sequence[_Part]], Edit]]] = [
        (GETATTR, _offered, _getattr),
        (LAZY_LOADER, _attached, _lazy_loader),
        (LAZY, lambda place: _lazy_names(place, is_measured), lambda parts: _lazy(parts, is_measured)),
    ]
    for kind, able, make in ways:
        parts, refused = _parts(chosen, able)
        forbidden += [Refusal(kind=kind, reason=_stays(its, reason)) for reason, its in refused.items()]
        try:
            if kind == GETATTR and parts:
                _check_hook(parts, [place for its in refused.values() for place in its])
            edits += [make(parts)] if parts else []
        except Refused as error:
            forbidden.append(Refusal(kind=kind, reason=str(error)))
    return edits, forbidden


def _is_left_alone(place: ImportPlace) -> bool:
    """What runs anyway, or not at all: the standard library, ``__future__`` and what only type checkers read."""
    if any(each.kind == "if TYPE_CHECKING" for each in place.around):
        return True
    modules = [place.module] if place.is_from else [bound.attribute for bound in place.bound]
    return not place.level and all(name.split(".")[0] in sys.stdlib_module_names for name in modules)


def _parts(
    places: Sequence[ImportPlace], able: Callable[[ImportPlace], Sequence[Bound]]
) -> tuple[list[_Part], dict[str, list[ImportPlace]]]:
    """What can wait, and reason → what cannot."""
    parts: list[_Part] = []
    refused: dict[str, list[ImportPlace]] = defaultdict(list)
    for place in places:
        try:
            if reason := refused_at_all(place):
                raise Refused(reason)
            parts.append(_Part(place=place, able=able(place)))
        except Refused as error:
            refused[str(error)].append(place)
    return parts, refused


def _stays(places: Sequence[ImportPlace], reason: str) -> str:
    if len(places) > 1:
        return f"lines {', '.join(str(place.line) for place in places)} stay: {reason}"
    short = in_short(places[0])
    short = short if len(short) <= _LONGEST_STATEMENT else short[: _LONGEST_STATEMENT - 1] + "…"
    return f"line {places[0].line} (`{short}`) stays: {reason}"


# --- module __getattr__ ----------------------------------------------------------------------------


def _offered(place: ImportPlace) -> list[Bound]:
    if not place.is_package:
        raise Refused("this is no package: ask for this line alone, its names are for its own functions.")
    if place.around:
        raise Refused(
            f"`{place.around[0].kind}` in line {place.around[0].line} decides whether there is a name."
        )
    if not place.is_from:
        raise Refused("it is a whole module for this file's own use: ask for this line alone.")
    able = waiting(place)
    check_offered(place, able)
    check_annotations(place)
    check_attributes(place)
    list(insertions(place, functions_using(place, able)))  # is there room in every function?
    return able


def _check_hook(parts: Sequence[_Part], kept: Sequence[ImportPlace]) -> None:
    """Are the file's own hook and the table there together, whatever imports from here in between?"""
    place = parts[0].place
    if place.hook is None:
        return
    first, last = sorted((place.line, place.hook.line))
    risky = [each.line for each in kept if is_own(each) and "def" not in {one.kind for one in each.around}]
    if between := [line for line in risky if first < line < last]:
        raise Refused(
            f"line {min(between)} stays and is imported between line {place.line}, the first of the others, and the "
            f"`__getattr__` in line {place.hook.line}: bring these together first."
        )


def _getattr(parts: Sequence[_Part]) -> Edit:
    place, beside = parts[0].place, _modules(parts)
    table = free_name(place, "_HOME_OF") if _homes(parts) else ""
    modules = free_name(place, "_MODULES") if beside else ""
    hook = _hook(parts, table, modules, place.hook.parameter if place.hook else "name")
    block = [*_for_type_checkers(parts), "", *_table(parts, table)]
    block += wrapped(f"{modules} = {{", [f'"{name}"' for name in beside], "}") if modules else []
    changes = _without(parts)
    if place.hook is not None:
        changes = [Change(line=place.hook.first, added=tuple(indented(hook, place.hook.indent))), *changes]
    else:
        block += ["", "", "def __getattr__(name: str) -> object:", *indented(hook)]
        block += ['    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")']
    if not place.has_dir:
        names = ", ".join(f"*{name}" for name in (table, modules) if name)
        block += ["", "", "def __dir__() -> list[str]:", f"    return sorted({{*globals(), {names}}})"]
    return edit_of(place, GETATTR, "3.7", _why(parts), [_put(block, parts), *changes])


def _why(parts: Sequence[_Part]) -> str:
    place = parts[0].place
    why = "SPEC 1 written out: a name loads its module when it is first asked for, and type checkers see it still. "
    if place.hook is not None:
        why += f"The `__getattr__` in line {place.hook.line} is kept, and asked after these. "
    if place.exported is None:
        why += "Without an `__all__`, `from … import *` no longer brings the names. "
    else:
        why += "`__all__` stays: a star import loads what it names. "
    why += "Ask for each name in a fresh process: modules that import each other in a circle may rely on the order of "
    return why + "these lines, and a module that they loaded on the side must be imported by who uses it."


def _hook(parts: Sequence[_Part], table: str, modules: str, name: str) -> list[str]:
    """What the hook does with a name: see the table, else the modules."""
    lines = []
    if table:
        value = f"getattr(import_module({table}[{name}], __name__), {name})"
        first: list[str] = []
        if any(":" in home for home in _homes(parts).values()):
            value = f"getattr(import_module(home, __name__), its_name or {name})"
            first = [f'home, _, its_name = {table}[{name}].partition(":")']
        body = [*first, f"globals()[{name}] = {value}", f"return globals()[{name}]"]
        lines += [f"if {name} in {table}:", *indented(body)]
    if modules:
        lines += [f"if {name} in {modules}:", f'    return import_module(f".{{{name}}}", __name__)']
    return lines


def _homes(parts: Sequence[_Part]) -> dict[str, str]:
    """Where each name comes from, as ``import_module`` takes it; ``:attribute`` behind it where that is another."""
    homes = {}
    for part in parts:
        if is_of_package_itself(part.place):
            continue
        home = "." * part.place.level + part.place.module
        home = f".{path_within(part.place)}" if is_own(part.place) else home
        for bound in part.able:
            homes[bound.name] = home if bound.name == bound.attribute else f"{home}:{bound.attribute}"
    return homes


def _table(parts: Sequence[_Part], name: str) -> list[str]:
    """Name → module, the names of a module in the same lines."""
    by_module: dict[str, list[str]] = defaultdict(list)
    for each, home in _homes(parts).items():
        by_module[home.partition(":")[0]].append(f'"{each}": "{home}"')
    lines = [line for entries in by_module.values() for line in filled(entries)]
    return [f"{name} = {{", *indented(lines), "}"] if lines else []


def _modules(parts: Sequence[_Part]) -> list[str]:
    """The modules of the package itself that the statements bind in it, by name or on the side."""
    named = {b.name for part in parts if is_of_package_itself(part.place) for b in part.able}
    return sorted(named.union(*(module_beside(part.place) for part in parts)) - _homes(parts).keys())


def _for_type_checkers(parts: Sequence[_Part]) -> list[str]:
    flag = parts[0].place.type_checking
    lines = [
        "from importlib import import_module",
        *([] if flag else [TYPING]),
        "",
        f"if {flag or 'TYPE_CHECKING'}:",
    ]
    for part in parts:
        as_it_was = lines_of(part.place)[part.place.line - 1 : part.place.end_line]
        lines += indented(as_it_was if part.is_whole else written(part.place, part.able))
    return lines


# --- lazy_loader -----------------------------------------------------------------------------------


def _attached(place: ImportPlace) -> list[Bound]:
    able = _offered(place)
    check_attachable(place, able)
    return able


def _lazy_loader(parts: Sequence[_Part]) -> Edit:
    place = parts[0].place
    by_module: dict[str, list[str]] = defaultdict(list)
    for name, home in _homes(parts).items():
        by_module[home.removeprefix(".")].append(f'"{name}"')
    lines = [
        "import lazy_loader",
        "",
        f"__getattr__{'' if place.has_dir else ', __dir__'} = lazy_loader.attach(",
        "    __name__,",
    ]
    if beside := _modules(parts):
        lines += wrapped("    submodules={", [f'"{name}"' for name in beside], "},")
    if by_module:
        lines += ["    submod_attrs={"]
        for module, names in by_module.items():
            lines += wrapped(f'        "{module}": [', names, "],")
        lines += ["    },"]
    lines += [f"){'[0]' if place.has_dir else '[:2]'}"]
    why = "The same in one call, for one more dependency; its `__dir__` lists these names only. Type checkers see them "
    why += "by the `if TYPE_CHECKING:` of the first edit, or by `attach_stub` with a stub beside this file."
    return edit_of(place, LAZY_LOADER, "3.9", why, [_put(lines, parts), *_without(parts)])


# --- lazy import -----------------------------------------------------------------------------------


def _lazy_names(place: ImportPlace, is_measured: bool) -> Sequence[Bound]:
    return lazy_change(place, is_measured=is_measured)[1]


def _lazy(parts: Sequence[_Part], is_measured: bool) -> Edit:
    changes = [lazy_change(part.place, is_measured=is_measured)[0] for part in parts]
    why = "One word a line, and names stay names: no hook, no table. A syntax error before 3.15."
    return edit_of(parts[0].place, LAZY, "3.15", why, changes)


# --- changes of lines ------------------------------------------------------------------------------


def _put(block: Sequence[str], parts: Sequence[_Part]) -> Change:
    """Where the first statement stood: so every name is there as early as it was."""
    lines, end = lines_of(parts[0].place), parts[0].place.line - 1
    for part in parts:
        end = part.place.end_line if part.place.line == end + 1 and part.is_whole else end
    n_blank = next((n for n, line in enumerate(lines[end:]) if line.strip()), None)
    after = 2 if block[-1].startswith("    return") else 1
    return Change(
        line=parts[0].place.line,
        added=(*block, *([""] * max(0, after - n_blank) if n_blank is not None else [])),
    )


def _without(parts: Sequence[_Part]) -> list[Change]:
    """The statements gone, and what the functions of the file and its annotations then need."""
    changes = []
    for part in parts:
        place = part.place
        stays = (
            [] if part.is_whole else written(place, [each for each in place.bound if each not in part.able])
        )
        changes += [Change(line=place.line, n_removed=place.end_line - place.line + 1, added=tuple(stays))]
        changes += insertions(place, functions_using(place, part.able))
        used = [use for use in place.uses if use.kind is Kind.ANNOTATION and not use.waits]
        if used and not place.has_future_annotations:
            changes += [Change(line=place.future_line, added=(FUTURE, ""))]
    return list(dict.fromkeys(changes))
