"""How do tests get at models: fixtures to take, and functions that make fixtures of one's own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from diagtools.pytest_plugin.models.identity import SCOPES, DeclaredModel, ModelScope, declare
from diagtools.pytest_plugin.models.recorded_answers import Recorder, Recordings, Replayed, folder_of
from diagtools.pytest_plugin.models.store import ModelCache

_DECLARED = "__diagtools_model__"

Node = pytest.Item | pytest.Collector


class SessionModels:
    """The models of a session, for the test that runs."""

    def __init__(self, cache: ModelCache, recordings: Recordings) -> None:
        self.cache = cache
        self.recordings = recordings
        self.item: pytest.Item | None = None

    def node(self, scope: ModelScope) -> Node:
        """What lasts as long as the scope of the test that runs?  Raises ``pytest.UsageError``."""
        _check_scope(scope)
        item = self.item
        if item is None:
            raise pytest.UsageError(
                "A model was asked for while no test ran. Hint: ask for it in a fixture or a test."
            )
        return (item.getparent(pytest.Module) or item) if scope == "module" else item.session

    def open(
        self, declared: DeclaredModel, folder: Path, node: Node, *, name: str, types: tuple[type, ...]
    ) -> Recorder | Replayed:
        """What answers for a recorded model: the file, or in a session that records the model itself."""
        return self.recordings.open(
            declared, folder, lambda: self.cache.real(declared, node), name=name, types=types
        )


MODELS: pytest.StashKey[SessionModels] = pytest.StashKey()


@pytest.fixture(scope="session", name="model_cache")
def _model_cache(pytestconfig: pytest.Config) -> Callable[..., Any]:
    """``model_cache("app.models:load", scope="module")``: the model, loaded once for the module or session.

    In a test or a fixture of any scope.  Its other arguments are those of ``diagtools.pytest_plugin.model_cache``.
    """
    models = pytestconfig.stash[MODELS]

    def get(loader: str, *, scope: ModelScope = "module", **declared: Any) -> Any:
        return models.cache.get(declare(loader, depth=1, **declared), models.node(scope))

    return get


@pytest.fixture(scope="session", name="recorded_model")
def _recorded_model(pytestconfig: pytest.Config) -> Callable[..., Any]:
    """``recorded_model("app.models:load", version="1")``: the model's recorded answers, kept beside the test file.

    Its other arguments are those of ``diagtools.pytest_plugin.recorded_model``.
    """
    models = pytestconfig.stash[MODELS]

    def get(
        loader: str,
        *,
        scope: ModelScope = "module",
        name: str = "",
        types: tuple[type, ...] = (),
        **declared: Any,
    ) -> Recorder | Replayed:
        folder = folder_of(models.node("module"))
        model = declare(loader, depth=1, **declared)
        return models.open(model, folder, models.node(scope), name=name, types=types)

    return get


def model_cache(
    loader: str,
    *,
    scope: ModelScope = "module",
    args: tuple[Any, ...] = (),
    kwargs: Mapping[str, Any] | None = None,
    version: str = "",
    file: str | Path = "",
    sha256: str = "",
    missing: tuple[type[Exception], ...] = (),
) -> Any:
    """A fixture that gives the model of ``loader`` (``"module:name"``), loaded once a module or session.

    It is called with ``args`` and ``kwargs``.  ``version``, ``file`` (relative to the root folder) and its ``sha256``
    say which model is meant.  ``missing``: exceptions that mean that it is not here, beside those of the ini.  Raises
    ``pytest.UsageError``.
    """
    _check_scope(scope)
    declared = declare(
        loader, depth=1, args=args, kwargs=kwargs, version=version, file=file, sha256=sha256, missing=missing
    )

    def model(request: pytest.FixtureRequest) -> Any:
        return request.config.stash[MODELS].cache.get(declared, request.node)

    return _made(model, declared, scope)


def recorded_model(
    loader: str,
    *,
    scope: ModelScope = "module",
    name: str = "",
    types: tuple[type, ...] = (),
    args: tuple[Any, ...] = (),
    kwargs: Mapping[str, Any] | None = None,
    version: str = "",
    file: str | Path = "",
    sha256: str = "",
    missing: tuple[type[Exception], ...] = (),
) -> Any:
    """A fixture that answers as the model of ``loader`` did when it was recorded (``--diag-models=real``).

    The recording lies in ``model_recordings`` beside the file that this is written in, and is called ``name``.
    ``types`` are the dataclasses that its answers are made of; the other arguments are those of ``model_cache``.
    """
    _check_scope(scope)
    folder = Path(sys._getframe(1).f_code.co_filename).parent
    declared = declare(
        loader, depth=1, args=args, kwargs=kwargs, version=version, file=file, sha256=sha256, missing=missing
    )

    def model(request: pytest.FixtureRequest) -> Any:
        return request.config.stash[MODELS].open(declared, folder, request.node, name=name, types=types)

    return _made(model, declared, scope)


def declared_by(item: pytest.Item) -> Iterator[DeclaredModel]:
    """Which models do a test's fixtures declare?"""
    known: Mapping[str, Any] = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    for fixtures in known.values():
        for fixture in fixtures:
            declared = getattr(fixture.func, _DECLARED, None)
            if declared is not None:
                yield declared


def _made(function: Callable[..., Any], declared: DeclaredModel, scope: ModelScope) -> Any:
    setattr(function, _DECLARED, declared)
    function.__doc__ = f"The model of {declared.key}, one a {scope}."
    return pytest.fixture(scope=scope)(function)


def _check_scope(scope: str) -> None:
    if scope not in SCOPES:
        raise pytest.UsageError(
            f"A model has no scope {scope!r}: it is shared by a {' or a '.join(SCOPES)}. Hint: pass scope='module'."
        )
