"""A test gets mocks or real models from before its setup until after its teardown; which tests broke that?

Fixtures of a wider scope outlive the test that they were set up for.  One that called a loader, or its mock, is bound
to that: a test that gets the other kind has it set up anew, so the order of tests changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from diagtools.pytest_plugin.models.guard import Call, Watch
from diagtools.pytest_plugin.models.mocks import Mocks
from diagtools.pytest_plugin.models.mocks_site import Site
from diagtools.pytest_plugin.models.options import ModelMode, ModelSettings
from diagtools.pytest_plugin.models.refused import Refused


class Mocking:
    """What stands at the loaders now, and for which test."""

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        lines = settings.mocks if settings.mode is not ModelMode.REAL else ()
        self._mocks = Mocks(lines, self._found)
        self._guards: dict[tuple[int, int], Watch] = {}
        self._observers: list[Watch] = []
        self._setups: list[tuple[pytest.FixtureDef[Any], Any]] = []
        self._bound: dict[pytest.FixtureDef[Any], tuple[bool, Any]] = {}
        self._refused: list[Refused] = []
        self._file: Path | None = None
        self._is_collecting = False
        self.is_mocked = False

    @contextmanager
    def of_test(self, item: pytest.Item) -> Iterator[None]:
        """Around everything that belongs to one test."""
        self.is_mocked = self._settings.is_mocked(item)
        with self._watched(item.path, mocked=self.is_mocked, guarded=self.is_mocked):
            yield

    @contextmanager
    def of_import(self, path: Path) -> Iterator[None]:
        """Around importing a test file: in the folders of ``diag_mock_paths`` no model may be loaded."""
        self._is_collecting = True
        try:
            with self._watched(path, mocked=False, guarded=self._settings.is_mock_folder(path)):
                yield
        finally:
            self._is_collecting = False

    @contextmanager
    def of_fixture(self, fixture: pytest.FixtureDef[Any], request: Any) -> Iterator[None]:
        """Around the setup of a fixture; one of a wider scope than a test's is bound to what it calls."""
        if fixture.scope == "function":
            yield
            return
        self._setups.append((fixture, request))
        if len(self._setups) == 1:
            for site in self._mocks.sites:
                self._observe(site)
        try:
            yield
        finally:
            self._setups.pop()
            while self._observers and not self._setups:
                self._observers.pop().off()

    def has_mock(self, loader: str) -> bool:
        """Is there a mock of this loader (``module:name``)?"""
        return self._mocks.mocks(loader)

    def mocks(self, loader: str) -> bool:
        """Does the test that runs get a mock of this loader?"""
        return self.is_mocked and self.has_mock(loader)

    def bind(self) -> None:
        """The fixtures that are being set up go with what the running test gets."""
        for fixture, request in self._setups:
            self._bound[fixture] = (self.is_mocked, request)

    def release(self, fixtures: list[pytest.FixtureDef[Any]]) -> None:
        """Which of a test's fixtures hold what it does not get?  They are torn down, to be set up anew."""
        for fixture in fixtures:
            mocked, request = self._bound.get(fixture, (self.is_mocked, None))
            if mocked is not self.is_mocked:
                del self._bound[fixture]
                fixture.finish(request)

    def take_refused(self) -> list[Refused]:
        """Which real loaders were called since the last question?"""
        found, self._refused = self._refused, []
        return found

    def close(self) -> None:
        """Nothing of this is left."""
        self._mocks.close()
        self._bound.clear()

    @contextmanager
    def _watched(self, path: Path, *, mocked: bool, guarded: bool) -> Iterator[None]:
        self._file = path if guarded else None
        self._mocks.settle(mocked=mocked)
        if guarded:
            for site in self._mocks.sites:
                self._guard(site)
        try:
            yield
        finally:
            self._file = None
            for guard in reversed(self._guards.values()):
                guard.off()
            self._mocks.settle(mocked=False)

    def _found(self, site: Site) -> None:
        """A loader has come in: its module was imported a moment ago."""
        if self._file is not None:
            self._guard(site)
        if self._setups:
            self._observe(site)

    def _guard(self, site: Site) -> None:
        if not site.is_own:
            return
        guard = Watch(site.own, lambda call: self._refuse(site, call))
        if guard.key is not None:
            self._guards.setdefault(guard.key, guard).on()  # two lines may name one loader

    def _observe(self, site: Site) -> None:
        """Calls of what stands there bind the fixtures that are being set up."""
        if not self.is_mocked and not site.is_own:
            return
        watch = Watch(site.mock if self.is_mocked else site.own, lambda _: self.bind())
        watches = (*self._guards.values(), *self._observers)
        if watch.key not in {None, *(other.key for other in watches if other.is_on)}:
            self._observers.append(watch)
            watch.on()

    def _refuse(self, site: Site, call: Call) -> NoReturn:
        assert self._file is not None  # guards are on only while it is known
        self.bind()
        refused = Refused(
            line=site.line,
            call=call,
            file=self._file,
            root=self._settings.root,
            is_collecting=self._is_collecting,
        )
        self._refused.append(refused)
        raise pytest.fail.Exception(str(refused), pytrace=False)
