"""What stands at the attribute of a loader: the loader, or its mock?

The mock is put there before a test's fixtures are set up and taken away after they are torn down.  What a test or
one of its fixtures puts there itself (``monkeypatch``, ``unittest.mock``) is left alone as long as it stands.  A loader
that no module has brought in yet is replaced once its module has been imported.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from types import ModuleType

import pytest

from diagtools.errors import UsageError
from diagtools.pytest_plugin.models.mocks_import import ImportFinder
from diagtools.pytest_plugin.models.mocks_lines import MockLine
from diagtools.pytest_plugin.models.mocks_site import Site, owner_of, site_of


class Mocks:
    """All lines of ``diag_mocks``: where they stand, and how they come to stand there."""

    def __init__(self, lines: Sequence[MockLine], on_site: Callable[[Site], None]) -> None:
        self._lines = lines
        self._on_site = on_site
        self._finder = ImportFinder({line.target.module for line in lines}, self._imported)
        self._known: set[str] = set()
        self.sites: list[Site] = []
        self.is_mocked = False

    def settle(self, *, mocked: bool) -> None:
        """From here on mocks stand there, or the loaders do."""
        if not self._lines:
            return
        self.is_mocked = mocked
        self._finder.stay_first()
        for line in self._lines:
            module = sys.modules.get(line.target.module)
            if module is not None and _is_ready(module):
                self._find_before_test(line, module)
        if not mocked:
            self._lend()
        for site in self.sites:
            site.stand(mocked=mocked)
        self._known = set(sys.modules) if mocked else set()

    def close(self) -> None:
        """Nothing is mocked any more, and no import is watched."""
        self._finder.leave()
        for site in self.sites:
            site.stand(mocked=False)

    def mocks(self, loader: str) -> bool:
        """Has this loader (``module:name``) a mock?"""
        return any(str(line.target) == loader for line in self._lines)

    def _find_while_imported(self, line: MockLine) -> None:
        try:
            self._find(line, sys.modules[line.target.module])
        except UsageError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None

    def _lend(self) -> None:
        new = [sys.modules[name] for name in set(sys.modules) - self._known] if self._known else []
        modules = [module for module in new if type(module) is ModuleType]
        for site in self.sites:
            site.borrow(modules)

    def _find_before_test(self, line: MockLine, module: ModuleType) -> None:
        try:
            self._find(line, module)
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None

    def _find(self, line: MockLine, module: ModuleType) -> None:
        owner = owner_of(line, module)
        if not any(site.line is line and site.owner is owner and site.is_current for site in self.sites):
            site = site_of(line, owner)
            self.sites.append(site)
            self._on_site(site)

    def _imported(self, name: str) -> None:
        """A module was executed, perhaps once more (``importlib.reload``): its loaders are new ones."""
        for line in self._lines:
            if line.target.module == name:
                self._find_while_imported(line)
        for site in self.sites:
            if self.is_mocked and site.line.target.module == name:
                site.stand(mocked=True)


def _is_ready(module: ModuleType) -> bool:
    """Has it been imported to its end?  What a test has put in its place has no spec."""
    spec = getattr(module, "__spec__", None)
    return spec is not None and not getattr(spec, "_initializing", False)
