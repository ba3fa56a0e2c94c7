"""Which edit makes an import statement wait until it is needed, and which does its place not allow?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from diagtools.analyse.import_edits import Edit, Refusal, edits_of
from diagtools.analyse.import_limits import refused_at_all
from diagtools.analyse.import_owners import Owner, owner_of
from diagtools.analyse.import_words import in_short, lines_of
from diagtools.analyse.laziness import Use, Verdict
from diagtools.analyse.package_edits import file_edits
from diagtools.import_place import ImportPlace, Kind

NOT_ALLOWED = "not allowed"
ANY_EDIT = "any edit"
_MENDED = {
    Kind.BASE: "a base class cannot wait: move the class into a module of its own that is imported later",
    Kind.DECORATOR: "a decorator cannot wait: move what it decorates into a module of its own",
    Kind.DEFAULT: "make the default None and fill it in inside the function",
    Kind.CLASS_BODY: "make it a property, or set it when an instance is made",
    Kind.MODULE: "move it into a function that is called when the value is needed",
    Kind.LAMBDA: "this lambda is called at import: call it later",
    Kind.FUNCTION: "this function is called at import: call it later",
    Kind.ANNOTATION: "`from __future__ import annotations` keeps it from being evaluated",
}
_NO_FUNCTION = {"<module>", "<listcomp>", "<setcomp>", "<dictcomp>"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What to do with an import statement: what must change ``first``, then ``edits``, the best of them first.

    ``line`` is 0 of the statements of a file together.
    """

    file: str
    line: int
    statement: str
    verdict: str
    first: tuple[str, ...]
    edits: tuple[Edit, ...]
    forbidden: tuple[Refusal, ...]


def advise(
    place: ImportPlace, verdict: str, forced: Sequence[Use] = (), *, is_command: bool = False
) -> Advice:
    """Which edits of this import statement save what was measured, and which does its place forbid?

    ``verdict`` is a ``Verdict`` or ``not allowed``.  Where it is ``forced`` (by anything else than annotations of
    this file) or ``breaks`` there is no edit of the statement alone: ``first`` says which lines must change.  Measured
    was an import, or a whole command where ``is_command``: what a function uses there is used for the program's work.
    What other files of the package use of this one nobody has looked at; each ``why`` names what to search for.
    """
    whole = refused_at_all(place)
    edits: list[Edit] = []
    forbidden = [Refusal(kind=ANY_EDIT, reason=whole)]
    if not whole:
        edits, forbidden = edits_of(place, is_measured=verdict == Verdict.SAVES)
    return Advice(
        file=place.file,
        line=place.line,
        statement=in_short(place),
        verdict=str(verdict),
        first=_first([place], verdict, forced, is_command=is_command),
        edits=() if _is_held([place], verdict, forced) else tuple(edits),
        forbidden=tuple(forbidden),
    )


def advise_file(
    places: Sequence[ImportPlace], verdict: str, forced: Sequence[Use] = (), *, is_command: bool = False
) -> Advice:
    """Which one edit makes all of these statements of a file wait that may, and which must stay as they are?

    Meant for the ``__init__.py`` of a package, where who asks for one module pays for all.  Imports of the standard
    library stay where there are others; ``forbidden`` has the rest of those that stay, by their lines.
    """
    ordered = sorted({place.line: place for place in places}.values(), key=lambda place: place.line)
    edits, forbidden = file_edits(ordered, is_measured=verdict == Verdict.SAVES)
    return Advice(
        file=ordered[0].file,
        line=0,
        statement=f"all {len(ordered)} imports" if len(ordered) > 1 else in_short(ordered[0]),
        verdict=str(verdict),
        first=_first(ordered, verdict, forced, is_command=is_command),
        edits=() if _is_held(ordered, verdict, forced) else tuple(edits),
        forbidden=tuple(forbidden),
    )


def _is_held(places: Sequence[ImportPlace], verdict: str, forced: Sequence[Use]) -> bool:
    """Do the statements wait for nothing that an edit of them alone could change?"""
    by_annotations = bool(forced) and all(_is_by_annotation(_cut(places, use), use) for use in forced)
    return verdict == Verdict.BREAKS or (verdict == Verdict.FORCED and not by_annotations)


def _cut(places: Sequence[ImportPlace], use: Use) -> ImportPlace:
    """The statement whose name is used there."""
    return next((place for place in places if place.line <= use.cut_line <= place.end_line), places[0])


def _is_by_annotation(place: ImportPlace, use: Use) -> bool:
    lines = {each.line for each in place.uses if each.kind is Kind.ANNOTATION and not each.waits}
    return _is_here(place, use) and use.line in lines


def _first(
    places: Sequence[ImportPlace], verdict: str, forced: Sequence[Use], *, is_command: bool
) -> tuple[str, ...]:
    if verdict == Verdict.BREAKS:
        it = "this import" if len(places) == 1 else "these imports"
        return (f"The program ended differently when {it} waited: something relies on its having run.",)
    if verdict == Verdict.FORCED and not forced:
        return (
            "Nothing used the names, yet nothing was saved: the same modules come by another import as well.",
        )
    said = (
        [_mend(_cut(places, use), use, is_command=is_command) for use in forced]
        if verdict in (Verdict.FORCED, Verdict.PARTLY)
        else []
    )
    return tuple(dict.fromkeys(said))


def _mend(place: ImportPlace, use: Use, *, is_command: bool) -> str:
    """What can be done about this use, and by whom?"""
    is_here = _is_here(place, use)
    kind = _kind(place, use) if is_here else None
    where = f"Line {use.line}" if is_here else f"{use.file}:{use.line}"
    inside = "" if use.function == "<module>" else f" in {use.function}"
    owner = owner_of(use.file)
    if is_here and f"{use.name}.__version__" in "".join(lines_of(place)[use.line - 1 : use.line]):
        return f"{where} asks {use.name} for its version: importlib.metadata.version knows it unimported."
    if owner is Owner.NOBODY:
        return f"{where}{inside} uses {use.name}: code without a file (`-c`, exec), so nothing to edit there."
    if owner is Owner.PYTHON and not is_here:
        return f"{where}{inside} uses {use.name}: part of Python, so nothing to edit there; see who calls it."
    if is_command and _is_work(use, kind):
        unless = " (unless that runs at import)" if inside else ""
        needs = "the program needs it for its work there"
        return f"{where}{inside} uses {use.name}: {needs}, so nothing to mend{unless}."
    if kind is not None:
        return f"{where} uses {use.name} at import ({kind}): {_MENDED.get(kind, _MENDED[Kind.MODULE])}."
    mended = "move that into a function called later" if use.function in _NO_FUNCTION else "run that later"
    whose = " (an installed package: an edit to offer its authors)" if owner is Owner.PACKAGE else ""
    return f"{where}{inside} uses {use.name} at import: {mended}{whose}."


def _kind(place: ImportPlace, use: Use) -> Kind:
    kinds = [each.kind for each in place.uses if each.line == use.line and each.name == use.name]
    return kinds[0] if kinds else (Kind.MODULE if use.function in _NO_FUNCTION else Kind.FUNCTION)


def _is_work(use: Use, kind: Kind | None) -> bool:
    """Does a command come here for what it was started for?  Of a use in another file no ``kind`` is known."""
    if kind is None:
        return use.function not in _NO_FUNCTION
    is_script = kind is Kind.MODULE and use.module == "__main__"
    return is_script or kind in (Kind.FUNCTION, Kind.LAMBDA, Kind.MAIN)


def _is_here(place: ImportPlace, use: Use) -> bool:
    return (
        use.file == place.file or use.file.endswith(f"/{place.file}") or place.file.endswith(f"/{use.file}")
    )
