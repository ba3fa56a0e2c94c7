"""Where an import statement stands, what it binds and who uses that: plain values that pass between layers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """How is a name used?  ``ANNOTATION`` (where it waits), ``FUNCTION``, ``LAMBDA``, ``MAIN`` need none at import."""

    BASE = "base class"
    DECORATOR = "decorator"
    DEFAULT = "default"
    ANNOTATION = "annotation"
    CLASS_BODY = "class body"
    MODULE = "module level"
    FUNCTION = "function"
    LAMBDA = "lambda"
    MAIN = "main block"
    EXPORTED = "__all__"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A name that the statement binds: ``attribute`` of its module, or the module ``attribute`` of ``import``."""

    name: str
    attribute: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function, and the lines before which an import in it would stand; 0 where there is no room for one.

    ``first`` is its first line after the docstring.  ``guarded`` is the last line before the uses that is reached
    only if they are, as far as ``if`` and ``return`` say: behind the question whether an optional package is there.
    """

    name: str
    line: int
    first: int
    indent: str
    guarded: int
    guarded_indent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NameUse:
    """A use of a bound name; ``waits`` is true of an annotation that is not evaluated when it is met."""

    name: str
    line: int
    kind: Kind
    function: Function | None = None
    waits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What encloses the statement: ``kind`` is the word that opens it (``except`` of a ``try`` has its own).

    Of ``try`` and ``with suppress``: ``catches`` a failed import, ``says`` what happens then, ``moves_whole`` where
    it holds nothing but the statement and what stands in for its names.
    """

    kind: str
    line: int
    end_line: int
    catches: bool = False
    moves_whole: bool = False
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """The file's own module ``__getattr__``: where its body begins, and its parameter (empty: it is no plain one)."""

    line: int
    first: int
    indent: str
    parameter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlace:
    """An import statement in its file; lines count from 1, ``end_line`` is included.

    ``top_line`` is the statement of the module that holds it (its own line at module level), ``future_line`` the
    first one after the docstring.  ``others`` are lines that bind one of the names otherwise, ``siblings`` the names
    that are modules of the file's own package, ``only_modules`` what comes from a package inside that as a module that
    it does not bind itself, ``home`` the own package's dotted name as far as the statement spells it, ``evaluators``
    who in the file looks at annotations at run time.
    """

    file: str
    source: str = field(repr=False)
    line: int
    end_line: int
    indent: str
    is_from: bool
    module: str
    level: int
    bound: tuple[Bound, ...]
    around: tuple[Around, ...]
    shares_line: bool
    is_package: bool
    has_future_annotations: bool
    exported: tuple[str, ...] | None
    hook: Hook | None
    has_dir: bool
    type_checking: str
    has_importlib_util: bool
    top_line: int
    future_line: int
    uses: tuple[NameUse, ...]
    others: tuple[int, ...]
    siblings: tuple[str, ...]
    only_modules: tuple[str, ...]
    home: str
    evaluators: tuple[str, ...]

    @property
    def text(self) -> str:
        """The statement's own lines."""
        return "\n".join(self.source.split("\n")[self.line - 1 : self.end_line])
