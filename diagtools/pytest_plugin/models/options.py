"""Which tests get real models and which get mocks, as options and ini keys say?

``--diag-models=auto`` (the default): a test marked ``use_real_models`` gets the real loaders, wherever it is; every
other test gets the mocks of ``diag_mocks``.  In the folders of ``diag_mock_paths`` no real model may be loaded while
test files are imported either.  ``real``: nothing is mocked, nothing is refused, and recorded models are recorded anew.
``mock``: everything is mocked; tests marked ``use_real_models`` are skipped, and say so.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from diagtools.errors import UsageError
from diagtools.pytest_plugin.models.mocks_lines import MockLine, read_line
from diagtools.pytest_plugin.models.mocks_resolve import ObjectPath, check_object, nearest

_T = TypeVar("_T")

REAL_MARK = "use_real_models"
MARKER = f"{REAL_MARK}: the test gets real models where others get the mocks of diag_mocks."
#: What a loader raises where the model is not there; a dead link or a missing package is no fault of the test.
MISSING = ("builtins:ImportError", "builtins:FileNotFoundError", "builtins:ConnectionError")


class ModelMode(StrEnum):
    """Which tests get real models?"""

    AUTO = "auto"
    MOCK = "mock"
    REAL = "real"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """What was asked for: checked, folders absolute, exceptions by their full names (``module:Class``)."""

    mode: ModelMode
    mocks: tuple[MockLine, ...]
    folders: tuple[Path, ...]
    missing: tuple[str, ...]
    root: Path

    def is_mocked(self, item: pytest.Item) -> bool:
        """Does this test get mocks?"""
        if self.mode is ModelMode.AUTO:
            return item.get_closest_marker(REAL_MARK) is None
        return self.mode is ModelMode.MOCK

    def is_mock_folder(self, path: Path) -> bool:
        """Must importing this file load no real model?"""
        if self.mode is ModelMode.REAL:
            return False
        return any(path.is_relative_to(folder) for folder in self.folders)


def add(parser: pytest.Parser) -> None:
    """The option and the ini keys."""
    parser.getgroup("diagtools", "memory of tests (diagtools)").addoption(
        "--diag-models",
        metavar="auto|mock|real",
        default=ModelMode.AUTO.value,
        help="auto: tests marked use_real_models get real models, all others the mocks of diag_mocks (default); "
        "mock: tests marked use_real_models are skipped; real: nothing is mocked, recorded models are recorded anew",
    )
    parser.addini(
        "diag_mocks",
        "loaders that tests get mocked, a line each: 'app.models:Loader.load = tests.fakes:fake_load'",
        type="linelist",
    )
    parser.addini(
        "diag_mock_paths",
        "folders in which no real model may be loaded even while test files are imported, relative to the root",
        type="args",
    )
    parser.addini(
        "diag_missing_model",
        "exceptions of a loader that mean 'this model is not here', beside ImportError, FileNotFoundError and "
        "ConnectionError: the test is skipped with the reason; a line each: 'app.errors:ModelError'",
        type="linelist",
    )


def read(config: pytest.Config) -> ModelSettings:
    """What was asked for?  Raises ``pytest.UsageError`` with every mistake that there is; imports no module for it.

    The root folder joins the end of ``sys.path`` where a line names a module that is found only there.
    """
    mistakes: list[str] = []
    mode = _tried(lambda: _mode(config.getoption("diag_models")), mistakes)
    lines = [_tried(partial(read_line, line), mistakes) for line in config.getini("diag_mocks")]
    mocks = tuple(line for line in lines if line is not None)
    for line in mocks:
        _tried(partial(_check, line, config), mistakes)
    folders = [_tried(partial(_folder, name, config), mistakes) for name in config.getini("diag_mock_paths")]
    names = config.getini("diag_missing_model")
    missing = [_tried(partial(_exception, name, config), mistakes) for name in names]
    mistakes += _twice(mocks)
    if folders and not lines:
        mistakes.append(
            "diag_mock_paths names folders, and diag_mocks no loader: nothing can be mocked there. "
            "Hint: add a line such as 'app.models:load = tests.fakes:fake_load' to diag_mocks."
        )
    if mistakes or mode is None:
        raise pytest.UsageError("\n".join(mistakes))
    return ModelSettings(
        mode=mode,
        mocks=mocks,
        folders=tuple(folder for folder in folders if folder is not None),
        missing=(*MISSING, *(name for name in missing if name is not None)),
        root=config.rootpath,
    )


def _tried(attempt: Callable[[], _T], mistakes: list[str]) -> _T | None:
    try:
        return attempt()
    except UsageError as error:
        mistakes.append(str(error))
        return None


def _mode(text: str) -> ModelMode:
    words = [mode.value for mode in ModelMode]
    if text in words:
        return ModelMode(text)
    guess = nearest(text, words)
    raise UsageError(
        f"--diag-models={text} is none of {', '.join(words)}.", hint=f"pass --diag-models={guess or 'auto'}."
    )


def _check(line: MockLine, config: pytest.Config) -> None:
    for path in (line.target, line.replacement):
        try:
            check_object(path)
        except UsageError as error:
            if not _found_at_root(path, config.rootpath):
                raise UsageError(f"diag_mocks, '{line}': {error.message}", hint=error.hint) from error


def _found_at_root(path: ObjectPath, root: Path) -> bool:
    """Is it found with the root folder on the path?  Then that folder stays there."""
    if str(root) in sys.path:
        return False
    sys.path.append(str(root))
    try:
        check_object(path)
    except UsageError:
        sys.path.remove(str(root))
        return False
    return True


def _folder(name: str, config: pytest.Config) -> Path:
    folder = (config.rootpath / name).resolve()
    if not folder.is_dir():
        raise UsageError(
            f"diag_mock_paths: there is no folder '{name}' below '{config.rootpath}'.",
            hint="correct the path, relative to the folder of the ini file, or take it out.",
        )
    return folder


def _exception(name: str, config: pytest.Config) -> str:
    if ":" not in name:
        kind = getattr(builtins, name, None)
        if isinstance(kind, type) and issubclass(kind, Exception):
            return f"builtins:{name}"
        raise UsageError(
            f"diag_missing_model: {name!r} is no built-in exception.", hint="write 'app.errors:ModelError'."
        )
    path = ObjectPath.read(name, where="diag_missing_model")
    try:
        check_object(path)
    except UsageError as error:
        if not _found_at_root(path, config.rootpath):
            raise UsageError(f"diag_missing_model: {error.message}", hint=error.hint) from error
    return str(path)


def _twice(lines: tuple[MockLine, ...]) -> list[str]:
    """Which loaders have two mocks?"""
    found, seen = [], dict[str, MockLine]()
    for line in lines:
        first = seen.setdefault(str(line.target), line)
        if first is not line:
            found.append(
                f"diag_mocks mocks {line.target} twice: by {first.replacement} and by {line.replacement}. "
                "Hint: keep one of the lines."
            )
    return found
