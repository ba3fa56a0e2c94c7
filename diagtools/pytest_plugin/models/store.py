"""A model is loaded once for a module or a session, freed at its end, and measured both times.

In a ``conftest.py``::

    from diagtools.pytest_plugin import model_cache

    embedder = model_cache("app.models:load", scope="module")

Tests that take ``embedder`` share one model; tests that get mocks get what the mock of ``app.models:load`` gives, each
time anew.  Where the model is not there the test is skipped, with the reason.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass, replace
from typing import Any

import pytest

from diagtools.errors import DiagtoolsError, UsageError
from diagtools.pytest_plugin.meter import own_meter
from diagtools.pytest_plugin.models.holders import holders, weak_references
from diagtools.pytest_plugin.models.identity import DeclaredModel, Identities, as_failure
from diagtools.pytest_plugin.models.mocking import Mocking
from diagtools.pytest_plugin.models.mocks_resolve import import_object
from diagtools.pytest_plugin.models.options import ModelMode, ModelSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelLoad:
    """One load of a model: RSS in bytes before, after, at most meanwhile, and once it was freed (null: it was not).

    ``is_exact`` says whether the peak is that of the load alone.  ``held_by`` names what kept it alive all the same;
    ``is_followed`` is false where no weak reference to it can be had, so that nobody knows.
    """

    model: str
    version: str
    node: str
    load_s: float
    before_bytes: int
    loaded_bytes: int
    peak_bytes: int
    is_exact: bool
    freed_bytes: int | None = None
    is_followed: bool = True
    held_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingModel:
    """A model that is not there, and why."""

    model: str
    reason: str


@dataclass(slots=True)
class _Held:
    model: Any
    load: ModelLoad


class ModelCache:
    """The models that are loaded now, and what became of those that were."""

    def __init__(self, settings: ModelSettings, mocking: Mocking, identities: Identities) -> None:
        self._settings = settings
        self._mocking = mocking
        self._identities = identities
        self._held: dict[tuple[str, str], _Held] = {}
        self._due: list[tuple[str, str]] = []
        self._missing: dict[str, str] = {}
        self.loads: list[ModelLoad] = []

    @property
    def missing(self) -> tuple[MissingModel, ...]:
        """Which models are not there?"""
        return tuple(MissingModel(model=model, reason=reason) for model, reason in self._missing.items())

    def get(self, declared: DeclaredModel, node: pytest.Item | pytest.Collector) -> Any:
        """The model for the test that runs: its mock, or the real one, loaded once while ``node`` lasts."""
        loader = str(declared.loader)
        if self._mocking.has_mock(loader):
            self._mocking.bind()
        if self._mocking.mocks(loader):
            return import_object(declared.loader)(*declared.args, **dict(declared.kwargs))
        if self._settings.mode is ModelMode.MOCK:
            pytest.skip(f"--diag-models=mock: diag_mocks has no mock of {loader}")
        return self.real(declared, node)

    def real(self, declared: DeclaredModel, node: pytest.Item | pytest.Collector) -> Any:
        """The real model, loaded once while ``node`` lasts.  Skips the test where it is not there."""
        key = (declared.key, node.nodeid)
        try:
            self._identities.meet(declared)
        except UsageError as error:
            raise as_failure(error) from None
        if key in self._due:
            self._due.remove(key)  # the scope has begun again before it was freed
        elif key not in self._held:
            self._held[key] = self._load(declared, node)
            node.addfinalizer(lambda: self._due.append(key))
        return self._held[key].model

    def free_due(self) -> None:
        """Frees what has reached the end of its scope; once the last test of it has let go of its fixtures."""
        while self._due:
            held = self._held.pop(self._due.pop())
            references = weak_references(held.model)
            load = held.load
            del held
            gc.collect()
            self.loads.append(
                replace(
                    load,
                    freed_bytes=own_meter().rss(),
                    is_followed=bool(references),
                    held_by=holders(references),
                )
            )

    def _load(self, declared: DeclaredModel, node: pytest.Item | pytest.Collector) -> _Held:
        if declared.key in self._missing:
            pytest.skip(_skipped(declared.key, self._missing[declared.key]))
        span = own_meter().begin()
        try:
            self._identities.file_hash(declared)
            model = import_object(declared.loader)(*declared.args, **dict(declared.kwargs))
        except DiagtoolsError as error:
            raise as_failure(error) from None
        except Exception as error:
            if not self._means_missing(error, declared):
                raise
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            self._missing[declared.key] = reason
            pytest.skip(_skipped(declared.key, reason))
        finally:
            own_meter().end(span)
        load = ModelLoad(
            model=declared.key,
            version=declared.version,
            node=node.nodeid,
            load_s=(span.end_ns - span.begin_ns) / 1e9,
            before_bytes=span.begin_rss,
            loaded_bytes=span.end_rss,
            peak_bytes=span.peak,
            is_exact=own_meter().is_exact,
        )
        return _Held(model=model, load=load)

    def _means_missing(self, error: Exception, declared: DeclaredModel) -> bool:
        kinds = {f"{kind.__module__}:{kind.__qualname__}" for kind in type(error).__mro__}
        return isinstance(error, declared.missing) or bool(kinds.intersection(self._settings.missing))


def _skipped(model: str, reason: str) -> str:
    return f"the model {model} is missing: {reason}"
