"""What does the place of an import statement forbid?"""

from __future__ import annotations

from collections.abc import Sequence

from diagtools.import_place import Around, Bound, ImportPlace, Kind, NameUse

_NEEDED = {
    Kind.BASE: "is a base class",
    Kind.DECORATOR: "is a decorator",
    Kind.DEFAULT: "is a default argument",
    Kind.CLASS_BODY: "is used in a class body",
    Kind.MODULE: "is used at module level",
}


class Refused(Exception):
    """The place does not allow this edit."""


def refused_at_all(place: ImportPlace) -> str:
    """Why is there no edit of this statement, whatever the names are used for?  Empty where there may be one."""
    kinds = {each.kind: each for each in place.around}
    if place.module == "__future__" and not place.level:
        return "it is a `__future__` import, which the compiler reads."
    if place.bound[0].name == "*":
        return "a star import must run for its names to be known: write out the names that are used first."
    if "if TYPE_CHECKING" in kinds:
        return f"`if TYPE_CHECKING` in line {kinds['if TYPE_CHECKING'].line} already keeps it from running."
    if "def" in kinds:
        return (
            f"it is local to the function in line {kinds['def'].line} already: what counts is who calls that."
        )
    if "class" in kinds:
        return f"in the class body of line {kinds['class'].line} it binds attributes: move it to module level first."
    if place.shares_line:
        return "it shares its line with other code: give it a line of its own first."
    return ""


def _needed(place: ImportPlace) -> dict[str, str]:
    """Which names are needed at import, and where?  All of them, where they come from one module."""
    found: dict[str, str] = {}
    for use in place.uses:
        if use.kind in _NEEDED:
            found.setdefault(use.name, f"`{use.name}` {_NEEDED[use.kind]} in line {use.line}")
    if found and not is_separable(place):
        found = {bound.name: next(iter(found.values())) for bound in place.bound}
    return found


def is_separable(place: ImportPlace) -> bool:
    """Does each name of the statement have a module of its own?"""
    return not place.is_from or not place.module


def waiting(place: ImportPlace) -> list[Bound]:
    """The names that can wait; ``Refused`` where there is none."""
    needed = _needed(place)
    able = [bound for bound in place.bound if bound.name not in needed]
    if not able:
        raise Refused(f"{next(iter(needed.values()))}: where that runs, the module is imported all the same.")
    return able


def public_names(place: ImportPlace) -> list[str]:
    """Which names do others get from here, as far as the file says?"""
    names = [bound.name for bound in place.bound]
    if place.exported is not None:
        return [name for name in names if name in place.exported]
    return [name for name in names if place.is_package and not name.startswith("_")]


def whole_try(place: ImportPlace) -> Around | None:
    """The ``try`` around the statement, where it moves with it."""
    return place.around[-1] if place.around and place.around[-1].moves_whole else None


def check_movable(place: ImportPlace) -> None:
    """May the statement leave its place?"""
    inner = place.around[-1] if place.around else None
    own = range(inner.line, inner.end_line + 1) if inner and inner.moves_whole else range(0)
    for use in place.uses:
        if use.kind == Kind.DELETED:
            raise Refused(f"line {use.line} deletes `{use.name}`: only code at import uses it.")
        if use.kind == Kind.MAIN:
            raise Refused(
                f"line {use.line} uses `{use.name}` in a program's block: move that into a function."
            )
        if use.kind == Kind.LAMBDA:
            raise Refused(f"a lambda in line {use.line} uses `{use.name}`: it has no room for an import.")
    if rebound := [line for line in place.others if line not in own]:
        raise Refused(
            f"line {rebound[0]} binds the same name: which of the two is meant is decided at import."
        )
    for each in place.around:
        is_asked = each.kind in ("try", "with suppress") and (each is inner or (inner and inner.catches))
        if not is_asked and not (inner and inner.catches and not inner.moves_whole):
            raise Refused(f"`{each.kind}` in line {each.line} decides whether and how it is imported.")


def check_annotations(place: ImportPlace) -> list[NameUse]:
    """The annotations that use its names, where nobody evaluates them."""
    found = [use for use in place.uses if use.kind == Kind.ANNOTATION]
    if found and place.evaluators:
        who = ", ".join(place.evaluators)
        raise Refused(
            f"the annotation in line {found[0].line} may be evaluated at run time: the file uses {who}."
        )
    return found


def check_offered(place: ImportPlace, able: Sequence[Bound]) -> None:
    """May a hook of the module stand in for these names?"""
    check_movable(place)
    if place.around and not (whole_try(place) and len(place.around) == 1):
        raise Refused(
            f"`{place.around[0].kind}` in line {place.around[0].line} decides whether there is a name."
        )
    if place.hook is not None and not place.hook.first:
        raise Refused(
            f"`__getattr__` in line {place.hook.line} is no plain function: add the names to what makes it."
        )
    dotted = [
        bound for bound in able if not place.is_from and "." in bound.attribute and bound.name != bound.text
    ]
    if dotted and " as " not in dotted[0].text:
        raise Refused(f"`import {dotted[0].text}` binds `{dotted[0].name}`, not the module that it loads.")
    for bound in able:
        if (bound.name in place.siblings) != is_of_package_itself(place):
            what = "is also a module of this package, which takes its place once it is imported"
            raise Refused(
                f"`{bound.name}` {what if bound.name in place.siblings else 'is no module beside this file'}."
            )
        if is_of_package_itself(place) and bound.name != bound.attribute:
            raise Refused(f"`{bound.attribute}` is bound as `{bound.name}`.")


def is_of_package_itself(place: ImportPlace) -> bool:
    """``from . import module``, written in either way in the package's own file."""
    is_relative = place.level == 1 and not place.module
    return (
        place.is_package
        and place.is_from
        and (is_relative or bool(place.home and place.module == place.home))
    )


def check_attachable(place: ImportPlace, able: Sequence[Bound]) -> None:
    """May ``lazy_loader.attach`` be that hook?"""
    if place.hook is not None:
        raise Refused(f"there is a `__getattr__` in line {place.hook.line}, which `attach` would replace.")
    if not is_own(place):
        raise Refused("`attach` serves modules of the package itself only.")
    check_attributes(place)
    if renamed := [bound for bound in able if bound.name != bound.attribute]:
        raise Refused(f"`attach` cannot rename `{renamed[0].attribute}` to `{renamed[0].name}`.")
    if used := [use for use in place.uses if use.kind != Kind.EXPORTED]:
        raise Refused(f"line {used[0].line} uses `{used[0].name}` in this file: `attach` serves others only.")
    if place.around:
        raise Refused(f"`{place.around[-1].kind}` in line {place.around[-1].line} stands around it.")


def check_attributes(place: ImportPlace) -> None:
    """Are the names attributes of what they come from, also where no statement imports them?"""
    if place.only_modules:
        raise Refused(f"`{place.only_modules[0]}` is a module that only an import statement finds there.")


def is_own(place: ImportPlace) -> bool:
    """Does the statement import from the package whose ``__init__.py`` holds it?"""
    return place.is_package and place.is_from and (place.level == 1 or bool(place.home))


def path_within(place: ImportPlace) -> str:
    """The module that the statement imports from, seen from its package."""
    return place.module[len(place.home) :].strip(".") if place.home else place.module


def module_beside(place: ImportPlace) -> list[str]:
    """The module of this package that the statement loads, and thereby binds in the package."""
    name = path_within(place).split(".")[0]
    return [name] if is_own(place) and name in place.siblings else []
