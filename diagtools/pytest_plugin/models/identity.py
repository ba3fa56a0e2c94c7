"""Which model is meant, and is it the one that was declared?"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from diagtools.errors import DiagtoolsError, UsageError
from diagtools.pytest_plugin.models.mocks_resolve import ObjectPath

ModelScope = Literal["module", "session"]
SCOPES: tuple[ModelScope, ...] = ("module", "session")
_SHOWN_DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredModel:
    """A model as a test suite declares it.

    ``loader`` is ``module:name``; ``version``, ``file`` (relative to the root folder) and ``sha256`` (of that file) are
    empty where they are not declared; ``missing`` are exceptions of the loader that mean that the model is not here.
    """

    loader: ObjectPath
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()
    version: str = ""
    file: str = ""
    sha256: str = ""
    missing: tuple[type[Exception], ...] = ()
    declared_at: str = ""

    @property
    def key(self) -> str:
        """What tells this model from others: the loader and its arguments."""
        words = [*map(repr, self.args), *(f"{name}={value!r}" for name, value in self.kwargs)]
        return f"{self.loader}({', '.join(words)})" if words else str(self.loader)


def declare(loader: str, *, depth: int, **declared: Any) -> DeclaredModel:
    """The model that this loader loads.  ``depth``: how many frames above this call the declaration stands.

    Raises ``pytest.UsageError`` for a loader that is no ``module:name`` and for a hash that is none.
    """
    frame = sys._getframe(depth + 1)
    sha256 = declared.pop("sha256", "").lower()
    try:
        path = ObjectPath.read(loader, where="the loader of a model")
        if sha256 and (len(sha256) != 64 or set(sha256) - set("0123456789abcdef")):
            raise UsageError(
                f"sha256={sha256!r} of {loader} is not a SHA-256 hash.",
                hint="write the 64 hexadecimal digits that sha256sum prints.",
            )
        if sha256 and not declared.get("file"):
            raise UsageError(f"{loader} has a sha256 and no file.", hint="pass file='models/x.onnx' as well.")
    except UsageError as error:
        raise as_usage(error) from None
    kwargs = tuple(sorted((declared.pop("kwargs", None) or {}).items()))
    place = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
    file = str(declared.pop("file", "") or "")
    return DeclaredModel(loader=path, kwargs=kwargs, file=file, sha256=sha256, declared_at=place, **declared)


class Identities:
    """Which versions and hashes of each model has this session seen?  Two of the same model are an error."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._first: dict[str, DeclaredModel] = {}
        self._hashes: dict[str, str] = {}

    def meet(self, declared: DeclaredModel) -> None:
        """Raises ``UsageError`` where the same model was declared with another version or hash before."""
        first = self._first.setdefault(declared.key, declared)
        for what in ("version", "sha256"):
            one, other = getattr(first, what), getattr(declared, what)
            if one and other and one != other:
                raise UsageError(
                    f"The model {declared.key} is declared with two values of {what}: {_short(one)} "
                    f"({first.declared_at}) and {_short(other)} ({declared.declared_at}).",
                    hint="declare it once, in a conftest.py, and use that fixture in both places.",
                )

    def file_hash(self, declared: DeclaredModel) -> str:
        """The SHA-256 of the model's file; empty where none is declared.

        Raises ``FileNotFoundError``; ``UsageError`` where it is not the declared one or changed within the session.
        """
        if not declared.file:
            return ""
        path = self._root / declared.file
        found = _sha256(path)
        if declared.sha256 and found != declared.sha256:
            raise UsageError(
                f"'{declared.file}' of the model {declared.key} has sha256 {_short(found)}, declared is "
                f"{_short(declared.sha256)} ({declared.declared_at}).",
                hint=f"fetch the declared file again, or declare the new one: sha256sum {declared.file}",
            )
        first = self._hashes.setdefault(declared.key, found)
        if first != found:
            raise UsageError(
                f"The model {declared.key} was loaded with two files in one session: sha256 {_short(first)} first, "
                f"now {_short(found)}; '{declared.file}' was changed while tests ran.",
                hint="write models to another file than the tests load.",
            )
        return found

    def check(self, declared: DeclaredModel) -> None:
        """Is all of it as declared, as far as the file is here?  Raises ``UsageError``."""
        self.meet(declared)
        try:
            self.file_hash(declared)
        except FileNotFoundError:
            return  # it will be skipped, with the reason


def as_usage(error: DiagtoolsError) -> pytest.UsageError:
    """The same error before the first test: it ends the session."""
    return pytest.UsageError(str(error))


def as_failure(error: DiagtoolsError) -> BaseException:
    """The same error while a test runs: it fails that test, without a traceback through our code."""
    return pytest.fail.Exception(str(error), pytrace=False)


def _sha256(path: Path) -> str:
    import hashlib

    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _short(value: str) -> str:
    return value[:_SHOWN_DIGITS] if len(value) == 64 else repr(value)
